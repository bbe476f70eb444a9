//! `fwlog dump`: blocks and records as text, or as one JSON object a block.

use disk::Disk;
use fwlog::{Block, BlockDecoder, EndKind, ReadItem, Record, SegmentInfo, SegmentReader};
use serde::Serialize;

use crate::args::FwlogFiles;
use crate::commands::fwlog::files::Files;
use crate::commands::fwlog::read_failure;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output;

pub(crate) fn run(invocation: &Invocation, arguments: &FwlogFiles) -> Result<()> {
    let log = Files::collect(invocation, arguments)?.undamaged()?;
    log.segments()
        .iter()
        .try_for_each(|info| segment(invocation, info))
}

fn segment(invocation: &Invocation, info: &SegmentInfo) -> Result<()> {
    let header = &info.header;
    invocation.output.line(format_args!(
        "segment {} of environment {} by {}, created {}\n  file {}\n  chain hash before {}",
        info.id,
        header.environment,
        header.origin,
        header.created,
        info.path.display(),
        header.previous
    ))?;
    let mut reader = SegmentReader::open(&Disk::real(), &info.path).map_err(read_failure)?;
    let mut decoder = BlockDecoder::new();
    loop {
        match reader.next(None).map_err(read_failure)? {
            ReadItem::Block(found) => block(invocation, info, &found, &mut decoder)?,
            ReadItem::Seal(_) => {
                let point = reader.point();
                return invocation
                    .output
                    .line(format_args!("seal at {}, {}", point.position, point.hash));
            }
            ReadItem::End(EndKind::Clean) => return invocation.output.line("open end"),
            ReadItem::End(EndKind::Torn { offset, why }) => {
                return invocation
                    .output
                    .line(format_args!("torn tail at offset {offset}: {why}"));
            }
        }
    }
}

#[derive(Serialize)]
struct ShownBlock {
    position: String,
    end: String,
    chain_hash: String,
    time: String,
    first_commit: String,
    last_commit: String,
    bytes: u32,
    raw_bytes: u32,
    records: Vec<String>,
}

fn block(
    invocation: &Invocation,
    info: &SegmentInfo,
    block: &Block,
    decoder: &mut BlockDecoder,
) -> Result<()> {
    let damaged = |why: fwlog::DecodeError| {
        CommandError::error(format!("{} at {}: {why}", info.path.display(), block.start))
    };
    let records = decoder.records(block).map_err(damaged)?;
    let records = records.map(|record| record.map(|record: Record<'_>| record.to_string()));
    let records: Vec<String> = records
        .collect::<std::result::Result<_, _>>()
        .map_err(damaged)?;
    let head = &block.head;
    if invocation.output.json {
        return output::json(&ShownBlock {
            position: block.start.to_string(),
            end: block.end.position.to_string(),
            chain_hash: block.end.hash.to_string(),
            time: head.time.to_string(),
            first_commit: head.first_commit.to_string(),
            last_commit: head.last_commit.to_string(),
            bytes: head.length,
            raw_bytes: head.raw_length,
            records,
        });
    }
    let mut text = format!(
        "block {}..{} {} {} bytes of {}\n  chain hash {}\n",
        block.start,
        block.end.position.offset,
        head.time,
        head.length,
        head.raw_length,
        block.end.hash
    );
    for record in records {
        text.push_str("  ");
        text.push_str(&record);
        text.push('\n');
    }
    output::text(&text)
}
