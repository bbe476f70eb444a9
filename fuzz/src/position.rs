//! The small fixed structures: `fw.position`, segment header, seal, and the note about a slave.

use fwlog::{DurableEnd, HEADER_SIZE, POSITION_SIZE, SEAL_SIZE, Seal, SegmentHeader};

use super::choices::Choices;

/// Takes the bytes as each of them, as they are and with a good checksum.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    let which = choices.byte();
    let bytes = choices.rest();
    let fixed = |size| with_crc(bytes, size, which & 0x80 != 0);
    match which % 5 {
        0 => {
            if let Some(end) = DurableEnd::decode(&fixed(POSITION_SIZE)) {
                assert_eq!(DurableEnd::decode(&end.encode()), Some(end));
                let _shown = end.durable.time.to_string();
            }
        }
        1 => {
            if let Ok(seal) = Seal::decode(&fixed(SEAL_SIZE)) {
                assert_eq!(Seal::decode(&seal.encode()), Ok(seal));
            }
        }
        2 => {
            if let Ok(header) = SegmentHeader::decode(&fixed(HEADER_SIZE)) {
                assert_eq!(SegmentHeader::decode(&header.encode()), Ok(header.clone()));
                let _shown = (header.created.to_string(), header.start(), header.before());
            }
        }
        3 => {
            let text = String::from_utf8_lossy(bytes);
            if let Ok(position) = text.parse::<fwlog::Position>() {
                assert_eq!(position.to_string().parse(), Ok(position));
            }
            let _ = text.parse::<fwlog::ChainHash>();
            let _ = text.parse::<fwlog::EnvironmentId>();
        }
        _ => {
            if let Some(report) = dbproto::SlaveReport::decode(bytes) {
                assert!(report.encode().len() >= dbproto::REPORT_SIZE);
            }
        }
    }
}

/// The bytes, cut or padded to a size, the last four of them the checksum of the others.
fn with_crc(bytes: &[u8], size: usize, right: bool) -> Vec<u8> {
    let mut fixed = bytes.to_vec();
    if right {
        fixed.resize(size, 0);
        let crc = crc32c::crc32c(&fixed[..size - 4]);
        fixed[size - 4..].copy_from_slice(&crc.to_le_bytes());
    }
    fixed
}
