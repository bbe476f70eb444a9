//! Segment files: any content, and content that is put together from good and bad pieces.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;

use disk::{Access, Disk, DiskFile, FileSystem};
use fwlog::{
    BlockDecoder, ChainHash, CommitNumber, EnvironmentId, HEADER_SIZE, LogDirectory, LogKind,
    LogLocation, ReadItem, Seal, SegmentHeader, SegmentId, SegmentReader, Timestamp,
};

use super::block::put_together;
use super::choices::Choices;

/// Takes the bytes as a segment file, or as what to make one of.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    let limit = if choices.flag() {
        Some(u64::from(choices.u32()))
    } else {
        None
    };
    let content = if choices.flag() {
        choices.rest().to_vec()
    } else {
        made(choices)
    };
    let length = content.len() as u64;
    let disk = Disk::new(Arc::new(OneFile(Arc::new(content))));
    let borders = read(&disk, length, limit);
    skip(&disk, length, &borders);
    verify(disk);
}

const PATH: &str = "/fw-1-1";

/// The whole log, as `dbctl fwlog verify` looks at it.
fn verify(disk: Disk) {
    let Ok(location) = LogLocation::parse("/fw-%N") else {
        panic!("a path for a log");
    };
    let Ok(directory) = LogDirectory::scan(&location.on(disk)) else {
        return;
    };
    let Ok(report) = fwlog::verify(&directory, &mut |_| ()) else {
        return;
    };
    for finding in report.findings {
        assert!(!finding.to_string().is_empty());
    }
}

/// Reads to the end; gives the block borders.
fn read(disk: &Disk, length: u64, limit: Option<u64>) -> Vec<(u64, ChainHash)> {
    let mut borders = Vec::new();
    let Ok(mut reader) = SegmentReader::open(disk, Path::new(PATH)) else {
        return borders;
    };
    loop {
        let before = reader.point().position.offset;
        borders.push((before, reader.point().hash));
        match reader.next(limit) {
            Ok(ReadItem::Block(block)) => {
                assert_eq!(block.start.offset, before);
                assert!(block.end.position.offset <= limit.unwrap_or(length).min(length));
                assert_eq!(block.end, reader.point());
                if let Ok(records) = BlockDecoder::new().records(&block) {
                    super::records::walk(records);
                }
            }
            Ok(ReadItem::Seal(bytes)) => {
                assert!(Seal::decode(&bytes).is_ok_and(|seal| seal.length == before));
                assert!(
                    reader
                        .next(limit)
                        .is_ok_and(|item| matches!(item, ReadItem::End(_)))
                );
                return borders;
            }
            Ok(ReadItem::End(_)) => return borders,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                return borders;
            }
        }
    }
}

/// Passing over blocks comes to the same borders.
fn skip(disk: &Disk, length: u64, borders: &[(u64, ChainHash)]) {
    for (offset, hash) in borders {
        let Ok(mut reader) = SegmentReader::open(disk, Path::new(PATH)) else {
            panic!("it was opened before");
        };
        assert_eq!(reader.skip_to(*offset), Ok(Some(*hash)));
    }
    for offset in [0, 1, 127, 128, 129, length, u64::MAX] {
        if let Ok(mut reader) = SegmentReader::open(disk, Path::new(PATH)) {
            let _ = reader.skip_to(offset);
        }
    }
}

fn made(mut choices: Choices<'_>) -> Vec<u8> {
    let header = SegmentHeader {
        kind: LogKind::Forward,
        page_size: 4096,
        environment: EnvironmentId::from_bytes([1; 16]),
        id: SegmentId::new(u32::from(choices.byte()) + 1, 1),
        log_bytes: choices.u64(),
        last_commit: CommitNumber::new(choices.u64()),
        created: Timestamp::from_micros(choices.u64()),
        previous: ChainHash::from_bytes([choices.byte(); 32]),
        origin: "alpha".to_owned(),
    };
    let mut content = header.encode().to_vec();
    let mut chain = header.chain_start();
    let mut last_commit = header.last_commit;
    for _ in 0..12 {
        if choices.is_empty() {
            break;
        }
        match choices.byte() % 8 {
            0 => content.resize(content.len() + usize::from(choices.u16()), 0),
            1 => content.extend_from_slice(choices.piece()),
            2 => {
                let seal = Seal {
                    length: content.len() as u64,
                    first_commit: header.last_commit.next(),
                    last_commit,
                    chain,
                };
                content.extend_from_slice(&seal.encode());
            }
            3 => {
                let place = usize::from(choices.u16()) % content.len();
                content[place] ^= choices.byte();
            }
            4 => content
                .truncate(HEADER_SIZE.max(content.len().saturating_sub(choices.byte().into()))),
            _ => {
                let first = last_commit.get().wrapping_add(1);
                let last = first
                    .wrapping_add(u64::from(choices.byte()))
                    .wrapping_sub(1);
                let block = put_together(&mut choices, chain, first, last);
                if let Ok(head) = fwlog::BlockHead::decode(&block) {
                    chain = head.chain;
                    last_commit = head.last_commit;
                }
                content.extend_from_slice(&block);
            }
        }
    }
    content
}

/// A disk with one file on it, whatever it is called, that cannot be changed.
#[derive(Clone, Debug)]
struct OneFile(Arc<Vec<u8>>);

const READ_ONLY: io::ErrorKind = io::ErrorKind::ReadOnlyFilesystem;

impl DiskFile for OneFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(self.0.len());
        let rest = &self.0[from..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(READ_ONLY.into())
    }

    fn sync(&self) -> io::Result<()> {
        Err(READ_ONLY.into())
    }

    fn set_length(&self, _: u64) -> io::Result<()> {
        Err(READ_ONLY.into())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }
}

impl FileSystem for OneFile {
    fn open(&self, _: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        if access == Access::Read {
            Ok(Box::new(self.clone()))
        } else {
            Err(READ_ONLY.into())
        }
    }

    fn lock(&self, _: &Path) -> io::Result<Option<Box<dyn DiskFile>>> {
        Err(READ_ONLY.into())
    }

    fn list(&self, _: &Path) -> io::Result<Vec<OsString>> {
        Ok(vec!["fw-1-1".into()])
    }

    fn exists(&self, _: &Path) -> io::Result<bool> {
        Ok(true)
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        Err(READ_ONLY.into())
    }

    fn rename_new(&self, _: &Path, _: &Path) -> io::Result<()> {
        Err(READ_ONLY.into())
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        Err(READ_ONLY.into())
    }

    fn remove_directory(&self, _: &Path) -> io::Result<()> {
        Err(READ_ONLY.into())
    }

    fn make_directory(&self, _: &Path, _: u32) -> io::Result<()> {
        Err(READ_ONLY.into())
    }

    fn sync_directory(&self, _: &Path) -> io::Result<()> {
        Err(READ_ONLY.into())
    }
}
