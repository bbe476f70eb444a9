//! Who is below: the slaves that have a note beside the log, and those that they tell of.

use std::path::Path;

use dbproto::{Below, Member, SlaveReport, Standing};
use disk::Disk;
use fwlog::{LogLocation, TreePath};

use crate::environment::replication_status::forget_renamed;
use crate::environment::replication_status::partial_in_words;
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
    let reason = reason.or_else(|| partial_in_words(&report));
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

/// All but those that stand on the way from the root to this instance, or are it, and are not fed from here: once they
/// have changed places, each is still tried by the dbrepl that is to feed it when they change again. What was told of
/// those below them goes with them: they tell it themselves.
pub(super) fn without_those_above(below: &Below, path: &TreePath) -> Below {
    let is_above = |member: &Member| {
        let id = member.speaker.map(|(id, _)| id);
        path.instances().any(|it| Some(it.id) == id)
    };
    // One that is fed is in a circle, and one whose name is not unique is somebody's mistake: both are worth a look.
    let is_worth_showing = |it: Standing| it.is_connected() || it == Standing::NotUnique;
    let mut kept = Below::default();
    kept.leave_out(below.left_out());
    let mut left_out: Option<u8> = None;
    for member in below.members() {
        if left_out.is_some_and(|level| member.level > level) {
            continue;
        }
        let is_left_out = is_above(member) && !member.standing.is_some_and(is_worth_showing);
        left_out = is_left_out.then_some(member.level);
        if !is_left_out {
            kept.push(member.clone());
        }
    }
    kept
}

fn read(disk: &Disk, path: &Path) -> Option<Below> {
    (0..READS).find_map(|_| Below::of_file(disk.read(path).ok()?))
}

#[cfg(test)]
mod tests {
    use fwlog::{BootNonce, InstanceId, Speaker, Timestamp};

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
            partial: false,
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

    fn speaker(id: u8) -> Speaker {
        Speaker {
            id: InstanceId::from_bytes([id; 16]),
            boot: BootNonce::from_bytes([0; 16]),
            name: format!("i{id}"),
        }
    }

    fn names(below: &Below) -> Vec<(u8, &str)> {
        let members = below.members().iter();
        members.map(|it| (it.level, it.name.as_str())).collect()
    }

    #[test]
    fn who_is_above_is_not_below_unless_it_is_fed_from_here() {
        let look = Look::at(Timestamp::from_micros(1));
        let of = |id: u8, standing| SlaveReport {
            speaker: Some((speaker(id).id, speaker(id).boot)),
            ..report(&speaker(id).name, standing, 1)
        };
        let leaf = |id, standing| {
            let mut below = Below::default();
            add(&mut below, of(id, standing), &Below::default(), &look);
            below
        };
        let path = TreePath::new(vec![speaker(1), speaker(2)], true).unwrap();
        let mut below = Below::default();
        below.leave_out(7);
        // The root of today was below this one, and told of 4 then; 3 is tried by nobody any more.
        add(
            &mut below,
            of(1, Standing::Refused),
            &leaf(4, Standing::Following),
            &look,
        );
        add(
            &mut below,
            of(3, Standing::NotConnected),
            &Below::default(),
            &look,
        );
        // 5 is fed from here, and tries this one in its turn.
        add(
            &mut below,
            of(5, Standing::Following),
            &leaf(2, Standing::Refused),
            &look,
        );
        add(
            &mut below,
            of(6, Standing::Following),
            &leaf(1, Standing::NotUnique),
            &look,
        );
        let shown = without_those_above(&below, &path);
        assert_eq!(names(&shown), [(1, "i3"), (1, "i5"), (1, "i6"), (2, "i1")]);
        assert_eq!(shown.left_out(), 7);
        let circle = leaf(1, Standing::Following);
        assert_eq!(names(&without_those_above(&circle, &path)), [(1, "i1")]);
    }
}
