//! `fwlog verify`: every byte, with chain, checksums and records.

use std::path::Path;

use fwlog::{Damage, Finding, VerifyReport, verify};
use serde::Serialize;

use crate::args::FwlogFiles;
use crate::commands::fwlog::files::{DamagedFile, Files, numbers};
use crate::commands::fwlog::read_failure;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::{self, ProgressLine, Table};

pub(crate) fn run(invocation: &Invocation, arguments: &FwlogFiles) -> Result<()> {
    let files = Files::collect(invocation, arguments)?;
    files.refuse_nothing("nothing was verified")?;
    let total: u64 = files
        .log
        .segments()
        .iter()
        .map(|info| info.file_length)
        .sum();
    let mut line = ProgressLine::new();
    let seen = examine(&files, &mut |report| {
        line.show(|| {
            format!(
                "verified {} of {total} bytes, {} commits",
                report.bytes, report.commits
            )
        });
    });
    line.clear();
    let (report, damage) = seen?;
    if files.position_unreadable {
        // A power cut may have torn it; it only says how far the log was durable.
        output::note("fw.position can't be read: the server writes it anew at its next start");
    }
    print(invocation, &report, &damage)?;
    if damage.is_empty() {
        return Ok(());
    }
    let count = damage.len();
    let noun = if count == 1 { "place" } else { "places" };
    let by_disk = damage.iter().any(|place| place.by_disk);
    let what = if by_disk { "damaged" } else { "not whole" };
    let failure = CommandError::error(format!("the forward log is {what} at {count} {noun}"));
    Err(failure.with_hint(if by_disk {
        "keep the files; a slave or a backup has the same segments, byte for byte"
    } else {
        "no disk has damaged it: segments are missing, are old copies, or belong elsewhere; a slave or a backup has the right ones"
    }))
}

/// Reads all; gives what was seen, and all that is wrong.
fn examine(
    files: &Files,
    progress: &mut dyn FnMut(&VerifyReport),
) -> Result<(VerifyReport, Vec<DamagedPlace>)> {
    let report = verify(&files.log, progress).map_err(read_failure)?;
    let mut damage: Vec<DamagedPlace> = files.damaged.iter().map(DamagedPlace::of_file).collect();
    // A segment that is there and can't be read is named already.
    let findings = report.findings.iter().filter(|finding| match finding.kind {
        Damage::Missing { missing, .. } | Damage::MissingOrOff { missing, .. } => {
            !files.is_unreadable(missing)
        }
        _ => true,
    });
    damage.extend(findings.map(DamagedPlace::of_finding));
    damage.extend(ends_early(files, &report));
    damage.sort_by_cached_key(|place| (numbers(Path::new(&place.file)), place.offset));
    Ok((report, damage))
}

/// One damaged place.
#[derive(Serialize)]
struct DamagedPlace {
    file: String,
    offset: u64,
    /// Where in the log; null where the file's own header can't be read.
    position: Option<String>,
    damage: String,
    /// Bytes have changed, or are gone, as only a disk or somebody who writes to the file does that.
    by_disk: bool,
}

impl DamagedPlace {
    fn of_file(file: &DamagedFile) -> Self {
        Self {
            file: file.path.display().to_string(),
            offset: file.offset,
            position: None,
            damage: file.what(),
            by_disk: by_disk(&file.damage),
        }
    }

    fn of_finding(finding: &Finding) -> Self {
        Self {
            file: finding.path.display().to_string(),
            offset: finding.position.offset,
            position: Some(finding.position.to_string()),
            damage: finding.kind.to_string(),
            by_disk: by_disk(&finding.kind),
        }
    }
}

fn by_disk(damage: &Damage) -> bool {
    let sound = matches!(damage, Damage::UnknownVersion(_));
    !(sound || damage.is_misplaced() || damage.is_missing() || damage.is_incomplete())
}

/// A log that ends before the end that was acknowledged has lost its newest segments or blocks, or
/// its seal.
fn ends_early(files: &Files, report: &VerifyReport) -> Option<DamagedPlace> {
    let known = files.durable?;
    let durable = known.point.position;
    let end = report.end.map(|end| end.position);
    if end == Some(durable) && known.sealed {
        // What follows can only be the seal.
        return report.torn.as_ref().map(DamagedPlace::of_finding);
    }
    if end >= Some(durable) {
        return None;
    }
    // The file in which the log ends; the directory when not even its first segment is there.
    let last = end.and_then(|end| files.log.get(end.segment));
    let path = last.map(|info| &info.path).or(files.directory.as_ref())?;
    Some(DamagedPlace {
        file: path.display().to_string(),
        offset: end.map_or(0, |end| end.offset),
        position: end.map(|end| end.to_string()),
        damage: Damage::EndsEarly(durable).to_string(),
        by_disk: false,
    })
}

#[derive(Serialize)]
struct ShownReport<'a> {
    segments: u64,
    blocks: u64,
    records: u64,
    commits: u64,
    bytes: u64,
    end: Option<String>,
    torn_tail: Option<DamagedPlace>,
    /// Generations before which forward logging was off.
    was_off: Vec<DamagedPlace>,
    damage: &'a [DamagedPlace],
}

fn print(invocation: &Invocation, report: &VerifyReport, damage: &[DamagedPlace]) -> Result<()> {
    let end = report.end.map(|end| end.position.to_string());
    if invocation.output.json {
        return output::json(&ShownReport {
            segments: report.segments,
            blocks: report.blocks,
            records: report.records,
            commits: report.commits,
            bytes: report.bytes,
            end,
            torn_tail: report.torn.as_ref().map(DamagedPlace::of_finding),
            was_off: report
                .was_off
                .iter()
                .map(DamagedPlace::of_finding)
                .collect(),
            damage,
        });
    }
    let mut table = Table::new(&["name", "value"]);
    for (name, count) in [
        ("segments", report.segments),
        ("blocks", report.blocks),
        ("records", report.records),
        ("commits", report.commits),
        ("bytes", report.bytes),
    ] {
        table.push([name.to_owned(), count.to_string()]);
    }
    table.push(["end".to_owned(), end.unwrap_or_default()]);
    if let Some(torn) = &report.torn {
        // Only what was never acknowledged is cut off; else recovery refuses, too.
        let then = if damage.is_empty() {
            "; recovery cuts it off"
        } else {
            ""
        };
        let text = format!("at {}: {}{then}", torn.position, torn.kind);
        table.push(["torn tail".to_owned(), text]);
    }
    for place in &report.was_off {
        let text = format!("{}: {}", place.path.display(), place.kind);
        table.push(["gap".to_owned(), text]);
    }
    for place in damage {
        let text = format!(
            "{} at offset {}: {}",
            place.file, place.offset, place.damage
        );
        table.push(["damage".to_owned(), text]);
    }
    if damage.is_empty() {
        table.push(["damage".to_owned(), "none".to_owned()]);
    }
    invocation.output.result(&table)
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::path::PathBuf;
    use std::sync::Arc;

    use disk::Disk;
    use disk::testing::SimulatedDisk;
    use fwlog::{
        Begin, CommitHead, CommitNumber, DatabaseId, EnvironmentId, HEADER_SIZE, LogIdentity,
        LogLocation, PAGE_SIZE, POSITION_FILE, RecordBuffer, SegmentStore, Timestamp, Writer,
        WriterOptions,
    };

    use super::*;

    const OPEN: &str = "/fw/fw-1-2";
    /// Zeros ahead of the end of the open segment.
    const PREALLOCATE: u64 = 2048;

    /// What a damaged log is called.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Verdict {
        Damaged,
        /// A tail that was never acknowledged, and is cut off at the next start.
        Torn,
        /// The file of the durable end; all of the log is seen.
        NoPosition,
        Unnoticed,
    }

    /// How the server ended.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Stop {
        Killed,
        Clean,
    }

    /// A sealed segment and a newer one, with some commits each.
    fn machine(stop: Stop) -> SimulatedDisk {
        let machine = SimulatedDisk::new(1);
        let disk = machine.process().disk();
        disk.make_directory(Path::new("/fw"), 0o700).unwrap();
        let location = LogLocation::parse("/fw/fw-%N").unwrap().on(disk.clone());
        let identity = LogIdentity {
            environment: EnvironmentId::from_bytes([9; 16]),
            instance: "north".to_owned(),
            page_size: u32::try_from(PAGE_SIZE).unwrap(),
        };
        let store = Arc::new(SegmentStore::at(location, 0o600));
        let options = WriterOptions {
            preallocate: PREALLOCATE,
            ..WriterOptions::default()
        };
        let observer = Box::new(|_: &fwlog::Durable| {});
        let writer = Writer::start(store, identity, options, Begin::Create, observer).unwrap();
        for number in (1..=4).map(CommitNumber::new) {
            let mut records = RecordBuffer::new();
            let head = CommitHead {
                number,
                database: DatabaseId::new(1),
                time: Timestamp::now(),
                exclusive: false,
                page_count: 1,
                transaction: None,
            };
            records.begin_commit(head).finish();
            writer.append(records, Some((number, number))).unwrap();
            writer.wait_durable(number).unwrap();
            if number.get() == 2 {
                writer.switch().unwrap();
            }
        }
        if stop == Stop::Clean {
            writer.close().unwrap();
        }
        machine.copy()
    }

    fn report(disk: &Disk) -> (VerifyReport, Vec<DamagedPlace>, bool) {
        let files = Files::read(disk, Some(PathBuf::from("/fw")), &[], None).unwrap();
        let (report, damage) = examine(&files, &mut |_| ()).unwrap();
        (report, damage, files.position_unreadable)
    }

    fn verdict(disk: &Disk, sound: &VerifyReport) -> Verdict {
        let (mut report, damage, no_position) = report(disk);
        if !damage.is_empty() {
            return Verdict::Damaged;
        }
        let torn = report.torn.take();
        assert_eq!(report, *sound, "nothing that counts is lost");
        if torn.is_some() {
            Verdict::Torn
        } else if no_position {
            Verdict::NoPosition
        } else {
            Verdict::Unnoticed
        }
    }

    /// Flips every bit of a part of a file, one at a time; all verdicts must be the same.
    fn flips(stop: Stop, file: &str, part: Range<u64>, expected: Verdict) {
        let machine = machine(stop);
        let disk = machine.process().disk();
        let (sound, damage, _) = report(&disk);
        assert!(damage.is_empty() && sound.torn.is_none() && sound.commits == 4);
        assert!(!part.is_empty());
        for byte in part {
            for bit in 0..8 {
                assert!(machine.flip(file, byte, bit), "{file} has {byte} bytes");
                let verdict = verdict(&disk, &sound);
                assert_eq!(verdict, expected, "{file}, byte {byte}, bit {bit}");
                assert!(machine.flip(file, byte, bit));
            }
        }
    }

    fn length(stop: Stop, file: &str) -> u64 {
        machine(stop).content(file).unwrap().len() as u64
    }

    /// Where the open segment ends, and its zeros begin.
    fn end() -> u64 {
        let (report, _, _) = report(&machine(Stop::Killed).process().disk());
        report.end.unwrap().position.offset
    }

    #[test]
    fn every_flipped_bit_of_a_sealed_segment_is_damage() {
        for (stop, file) in [
            (Stop::Killed, "/fw/fw-1-1"),
            (Stop::Clean, "/fw/fw-1-1"),
            (Stop::Clean, "/fw/fw-1-2"),
        ] {
            flips(stop, file, 0..length(stop, file), Verdict::Damaged);
        }
    }

    #[test]
    fn every_flipped_bit_of_the_open_segment_up_to_its_durable_end_is_damage() {
        assert!(end() > HEADER_SIZE as u64);
        flips(Stop::Killed, OPEN, 0..end(), Verdict::Damaged);
    }

    /// What stands behind the durable end was never acknowledged: a crash may have left anything.
    #[test]
    fn every_flipped_bit_behind_the_durable_end_is_a_torn_tail() {
        let length = length(Stop::Killed, OPEN);
        assert!(length > end());
        flips(Stop::Killed, OPEN, end()..length, Verdict::Torn);
    }

    /// The file is rewritten in place without a sync, so a power cut may leave any part of it.
    #[test]
    fn every_flipped_bit_of_the_durable_end_is_told_and_loses_nothing() {
        let file = format!("/fw/{POSITION_FILE}");
        for stop in [Stop::Killed, Stop::Clean] {
            flips(stop, &file, 0..length(stop, &file), Verdict::NoPosition);
        }
    }
}
