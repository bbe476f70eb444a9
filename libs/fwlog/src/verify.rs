//! Looking at every byte of a log, for `dbctl fwlog verify`.

use std::path::PathBuf;

use disk::Disk;

use crate::block::{Block, BlockDecoder};
use crate::contents::Contents;
use crate::damage::{Damage, ReadError};
use crate::directory::{LogDirectory, SegmentInfo};
use crate::position::{LogPoint, Position};
use crate::reader::{EndKind, ReadItem, SegmentReader};
use crate::record::GenerationReason;
use crate::recover::why_not_next;

/// Something that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub path: PathBuf,
    /// Where in the log.
    pub position: Position,
    /// What is wrong.
    pub kind: Damage,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} at {}: {}",
            self.path.display(),
            self.position,
            self.kind
        )
    }
}

/// What was seen of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Segments read.
    pub segments: u64,
    /// Good blocks.
    pub blocks: u64,
    /// Good records.
    pub records: u64,
    /// Commits among them.
    pub commits: u64,
    /// Bytes of good blocks.
    pub bytes: u64,
    /// The end of the last segment that could be read.
    pub end: Option<LogPoint>,
    /// A torn tail of the newest segment: what a crash leaves, and recovery cuts.
    pub torn: Option<Finding>,
    /// Generations before which forward logging was off: nothing is wrong with the log there, and it does not go
    /// on there.
    pub was_off: Vec<Finding>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Reads all segments of `directory`: chain, checksums, commit numbers, and every record.
///
/// After damage in a segment the next one is read. `progress` is called after each block with what
/// was seen so far.
pub fn verify(
    directory: &LogDirectory,
    progress: &mut dyn FnMut(&VerifyReport),
) -> Result<VerifyReport, ReadError> {
    let mut report = VerifyReport::default();
    let mut decoder = BlockDecoder::new();
    let mut earlier: Option<&SegmentInfo> = None;
    let newest = directory.segments().last().map(|info| info.id);
    for info in directory.segments() {
        if let Some(earlier) = earlier
            && !info.follows(earlier)
        {
            if earlier.sealed.is_some() {
                report.find(info, 0, why_not_next(&earlier.header, &info.header));
            } else {
                // It is the one before that is not whole; where it ends was seen a moment ago.
                let end = report.end.map_or(0, |end| end.position.offset);
                report.find(earlier, end, Damage::NotSealed);
            }
        }
        earlier = Some(info);
        let mut segment = Segment {
            disk: directory.disk(),
            info,
            decoder: &mut decoder,
            newest: newest == Some(info.id),
        };
        segment.read(&mut report, progress)?;
        report.segments += 1;
    }
    Ok(report)
}

impl VerifyReport {
    fn find(&mut self, info: &SegmentInfo, offset: u64, kind: Damage) {
        self.findings.push(finding(info, offset, kind));
    }

    /// The generation record of this segment says that forward logging was switched on here: the journal took the
    /// numbers before it.
    fn explain_gap(&mut self, info: &SegmentInfo) {
        let last = self.findings.pop_if(|last| {
            last.path == info.path && matches!(last.kind, Damage::MissingOrOff { .. })
        });
        if let Some(Damage::MissingOrOff { after, .. }) = last.map(|last| last.kind) {
            let kind = Damage::WasOff { after };
            self.was_off.push(finding(info, 0, kind));
        }
    }
}

fn finding(info: &SegmentInfo, offset: u64, kind: Damage) -> Finding {
    Finding {
        path: info.path.clone(),
        position: Position::new(info.id, offset),
        kind,
    }
}

struct Segment<'a> {
    disk: &'a Disk,
    info: &'a SegmentInfo,
    decoder: &'a mut BlockDecoder,
    newest: bool,
}

impl Segment<'_> {
    fn read(
        &mut self,
        report: &mut VerifyReport,
        progress: &mut dyn FnMut(&VerifyReport),
    ) -> Result<(), ReadError> {
        let mut reader = SegmentReader::open(self.disk, &self.info.path)?;
        loop {
            let item = match reader.next(None) {
                Ok(item) => item,
                Err(ReadError::Corrupt { offset, kind, .. }) => {
                    report.find(self.info, offset, kind);
                    break;
                }
                Err(error @ ReadError::Io(_)) => return Err(error),
            };
            match item {
                ReadItem::Block(block) => {
                    self.read_block(&block, report);
                    progress(report);
                }
                ReadItem::Seal(_) | ReadItem::End(EndKind::Clean) => break,
                ReadItem::End(EndKind::Torn { offset, why }) => {
                    if self.newest {
                        report.torn = Some(finding(self.info, offset, why));
                    } else {
                        report.find(self.info, offset, why);
                    }
                    break;
                }
            }
        }
        report.end = Some(reader.point());
        Ok(())
    }

    fn read_block(&mut self, block: &Block, report: &mut VerifyReport) {
        report.blocks += 1;
        report.bytes += block.bytes.len() as u64;
        match Contents::read(self.decoder, block, self.info.header.kind) {
            Ok(contents) => {
                if contents.generation == Some(GenerationReason::Enable) {
                    report.explain_gap(self.info);
                }
                report.records += contents.records;
                report.commits += contents.commits;
            }
            Err(kind) => report.find(self.info, block.start.offset, kind),
        }
    }
}
