//! Packs, lists of groups and manifests of backups: proved, or refused in words.

use fwlog::EnvironmentId;
use repository::pack_layout as at;
use repository::{BackupId, Manifest, PageTable, prove_pack};

use super::choices::Choices;
use super::sealed::sealed;

const ENVIRONMENT: EnvironmentId = EnvironmentId::from_bytes([0; 16]);

/// The backup whose manifest is asked for.
const BACKUP: &str = "20060418T185417Z-000000070412";

/// Takes the bytes as each kind of object, as they are and with checksums put right.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    let which = choices.byte();
    let is_mended = which & 0x80 != 0;
    let bytes = choices.rest();
    match which % 3 {
        0 => pack(bytes, is_mended),
        1 => table(bytes, is_mended),
        _ => manifest(bytes, is_mended),
    }
}

fn pack(bytes: &[u8], is_mended: bool) {
    let mut bytes = bytes.to_vec();
    if is_mended {
        mend(&mut bytes);
    }
    match prove_pack(ENVIRONMENT, &bytes) {
        Ok(frames) => assert!(frames * at::FRAME_SIZE <= bytes.len()),
        Err(why) => assert!(!why.is_empty()),
    }
}

/// What somebody does who can compute checksums: magic, version, the hash of an index that ends somewhere, checksum of the head.
fn mend(bytes: &mut [u8]) {
    let Some((head, rest)) = bytes.split_at_mut_checked(at::SIZE) else {
        return;
    };
    let length = usize::from(head[at::INDEX_AT]) * 64 % (rest.len() + 1);
    let hash = blake3::hash(&rest[..length]);
    let mut put = |at: usize, field: &[u8]| head[at..at + field.len()].copy_from_slice(field);
    put(at::MAGIC_AT, &at::MAGIC_BYTES);
    put(at::VERSION_AT, &at::FORMAT_VERSION.to_le_bytes());
    put(at::ENVIRONMENT_AT, &[0; 16]);
    put(at::INDEX_AT, &(length as u64).to_le_bytes());
    put(at::INDEX_HASH_AT, hash.as_bytes());
    let crc = crc32c::crc32c(&head[..at::CRC_AT]);
    head[at::CRC_AT..].copy_from_slice(&crc.to_le_bytes());
}

fn table(bytes: &[u8], is_mended: bool) {
    let mut bytes = bytes.to_vec();
    if is_mended && bytes.len() >= at::TABLE_SIZE {
        bytes[at::MAGIC_AT..at::VERSION_AT].copy_from_slice(&at::TABLE_MAGIC_BYTES);
        bytes[at::VERSION_AT..at::TABLE_PACKS_AT]
            .copy_from_slice(&at::FORMAT_VERSION.to_le_bytes());
    }
    match PageTable::decode(&bytes) {
        Ok(table) => assert_eq!(PageTable::decode(&table.encode()), Ok(table)),
        Err(why) => assert!(!why.is_empty()),
    }
}

fn manifest(bytes: &[u8], is_mended: bool) {
    let mut text = bytes.to_vec();
    if is_mended {
        text = sealed(bytes).into_bytes();
    }
    let id: BackupId = BACKUP.parse().unwrap_or_else(|why| panic!("{why}"));
    match Manifest::decode(&BACKUP, (ENVIRONMENT, id), &text) {
        Ok(manifest) => {
            let again = Manifest::decode(&BACKUP, (ENVIRONMENT, id), &manifest.encode());
            assert_eq!(again, Ok(manifest));
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}
