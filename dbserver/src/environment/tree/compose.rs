//! Who is below: the slaves that have a note beside the log, and those that they tell of.

use std::path::Path;

use dbproto::{Below, Member, SlaveReport};
use disk::Disk;
use fwlog::LogLocation;

use crate::environment::replication_status::forget_renamed;
use crate::environment::report_standing::Look;
use crate::environment::slave_notes::reports;
use crate::error::EngineError;

/// A file that dbrepl writes in this moment is read again, so often at most.
const READS: usize = 4;

/// All that is below a log.
///
/// Errors: the directory of the log can't be read.
pub(super) fn compose(location: &LogLocation, look: &Look) -> Result<Below, EngineError> {
    let reports = reports(location)?.into_iter();
    let mut reports: Vec<_> = reports.map(|(_, report)| report).collect();
    forget_renamed(&mut reports);
    let mut below = Below::default();
    for report in reports {
        let file = location.directory.join(Below::file_name(&report.instance));
        let further = read(&location.disk, &file).unwrap_or_default();
        add(&mut below, report, &further, look);
    }
    Ok(below)
}

/// A slave, and those below it: how these stand nobody knows while it is not connected itself.
fn add(below: &mut Below, report: SlaveReport, further: &Below, look: &Look) {
    let (standing, since, reason) = look.standing(&report);
    below.push(Member {
        level: 1,
        name: report.instance,
        speaker: report.speaker,
        address: report.address,
        standing: Some(standing),
        since,
        reason,
        connected: report.connected,
        heard: report.heard,
        durable: report.durable,
        applied: report.applied,
    });
    for member in further.members() {
        below.push(Member {
            level: member.level.saturating_add(1),
            standing: member.standing.filter(|_| standing.is_connected()),
            ..member.clone()
        });
    }
    below.leave_out(further.left_out());
}

fn read(disk: &Disk, path: &Path) -> Option<Below> {
    (0..READS).find_map(|_| Below::of_file(disk.read(path).ok()?))
}

#[cfg(test)]
mod tests {
    use dbproto::Standing;
    use fwlog::Timestamp;

    use super::*;

    fn report(name: &str, standing: Standing, written: u64) -> SlaveReport {
        let now = Timestamp::from_micros(written);
        SlaveReport {
            instance: name.to_owned(),
            speaker: None,
            address: "there".into(),
            rival: None,
            standing,
            since: Timestamp::ZERO,
            reason: None,
            connected: Timestamp::ZERO,
            written: now,
            heard: now,
            durable: None,
            applied: None,
            delay: std::time::Duration::ZERO,
        }
    }

    #[test]
    fn how_those_stand_that_are_below_a_slave_that_is_not_heard_is_not_known() {
        let now = 60_000_000;
        let look = Look::at(Timestamp::from_micros(now));
        let mut inner = Below::default();
        add(
            &mut inner,
            report("d", Standing::Following, now),
            &Below::default(),
            &look,
        );
        let mut below = Below::default();
        add(
            &mut below,
            report("b", Standing::Following, now),
            &inner,
            &look,
        );
        // Its dbrepl has been silent for a minute.
        add(
            &mut below,
            report("c", Standing::Following, 1),
            &inner,
            &look,
        );
        let shown = below.members().iter();
        let shown: Vec<_> = shown
            .map(|it| (it.level, it.name.as_str(), it.standing))
            .collect();
        assert_eq!(
            shown,
            [
                (1, "b", Some(Standing::Following)),
                (2, "d", Some(Standing::Following)),
                (1, "c", Some(Standing::NotConnected)),
                (2, "d", None),
            ]
        );
    }
}
