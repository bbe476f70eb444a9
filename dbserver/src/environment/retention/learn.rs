//! What slots are made and moved on by: the notes that dbrepl keeps beside the log.

use dbproto::SlaveReport;
use fwlog::{Position, SegmentId, Timestamp};

use crate::databases::slots::{Slot, SlotKind, SlotState};

/// Moves slots to where the notes say their slaves are. A slot that no note tells of stays as it is; so does one
/// whose slave needs what is before the log's `first` segment: no log helps it, and a copy moves it on.
pub(super) fn learn(
    slots: &mut Vec<Slot>,
    reports: &[SlaveReport],
    first: SegmentId,
    now: Timestamp,
) {
    for report in reports {
        let needs = report
            .durable
            .map_or(Position::ORIGIN, |it| it.point.position);
        let is_told = report.standing.tells_what_is_needed() && report.rival.is_none();
        let known = slots.iter_mut().find(|slot| slot.name == report.instance);
        let Some(slot) = known else {
            // Of two slaves of one name each needs something; that of one of them is better than nothing.
            if report.standing.tells_what_is_needed() && needs.segment >= first {
                slots.push(Slot {
                    name: report.instance.clone(),
                    kind: SlotKind::Slave,
                    needs,
                    heard: report.heard,
                    state: SlotState::Active,
                    since: now,
                });
            }
            continue;
        };
        slot.heard = slot.heard.max(report.heard);
        // What was said before it was lost is no news.
        let is_news = slot.state == SlotState::Active || report.heard > slot.since;
        if !is_told || !is_news || needs.segment < first {
            continue;
        }
        slot.needs = needs;
        if slot.state == SlotState::Lost {
            tracing::info!(
                "slave {} has what the log no longer held for it: the log is kept for it again",
                slot.name
            );
            (slot.state, slot.since) = (SlotState::Active, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use dbproto::{Progress, Standing};
    use fwlog::{ChainHash, CommitNumber, LogPoint};

    use super::*;

    fn report(instance: &str, standing: Standing, durable: Option<&str>) -> SlaveReport {
        let durable = durable.map(|text| Progress {
            point: LogPoint::new(text.parse().unwrap(), ChainHash::ZERO),
            commit: CommitNumber::ZERO,
            time: Timestamp::ZERO,
        });
        SlaveReport {
            instance: instance.to_owned(),
            speaker: None,
            address: "slave:8102".to_owned(),
            rival: None,
            standing,
            since: Timestamp::ZERO,
            connected: Timestamp::ZERO,
            reason: None,
            written: Timestamp::from_micros(9),
            heard: Timestamp::from_micros(8),
            durable,
            applied: None,
            delay: std::time::Duration::ZERO,
            partial: false,
        }
    }

    fn shown(slots: &[Slot]) -> Vec<String> {
        let shown = slots.iter();
        let shown = shown.map(|it| format!("{} {} {}", it.name, it.needs, it.state.as_str()));
        shown.collect()
    }

    /// What becomes of `known` where the log begins with 1-3.
    fn after(known: &[Slot], reports: &[SlaveReport]) -> Vec<String> {
        let mut slots = known.to_vec();
        let first = SegmentId::new(1, 3);
        learn(&mut slots, reports, first, Timestamp::from_micros(10));
        shown(&slots)
    }

    fn known(state: SlotState) -> Vec<Slot> {
        vec![Slot {
            name: "north".into(),
            kind: SlotKind::Slave,
            needs: "1-5:9".parse().unwrap(),
            heard: Timestamp::ZERO,
            state,
            since: Timestamp::ZERO,
        }]
    }

    #[test]
    fn a_slot_goes_where_its_slave_is_also_back_and_stays_where_nobody_tells() {
        let north = known(SlotState::Active);
        let to = |at| after(&north, &[report("north", Standing::NotConnected, Some(at))]);
        assert_eq!(to("1-7:3"), ["north 1-7:3 active"]);
        // It was brought back from a backup.
        assert_eq!(to("1-4:3"), ["north 1-4:3 active"]);
        assert_eq!(to("1-2:3"), ["north 1-5:9 active"], "no log helps it");
        let missing = report("north", Standing::NotConnected, None);
        assert_eq!(after(&north, &[missing]), ["north 1-5:9 active"], "empty");
        assert_eq!(after(&north, &[]), ["north 1-5:9 active"]);
        for standing in [Standing::Diverged, Standing::Ahead, Standing::Refused] {
            let other = report("north", standing, Some("1-9:3"));
            assert_eq!(after(&north, &[other]), ["north 1-5:9 active"]);
        }
        let mut two = report("north", Standing::Following, Some("1-9:3"));
        two.rival = Some(("elsewhere:8102".into(), Timestamp::ZERO));
        assert_eq!(after(&north, &[two]), ["north 1-5:9 active"]);
    }

    #[test]
    fn a_new_slave_has_a_slot_if_the_log_can_help_it() {
        let from = |at| after(&[], &[report("south", Standing::CatchingUp, at)]);
        assert_eq!(from(Some("1-3:0")), ["south 1-3:0 active"]);
        assert!(from(Some("1-2:9")).is_empty());
        assert!(from(None).is_empty(), "it gets a copy");
        let mut slots = Vec::new();
        let empty = [report("south", Standing::CatchingUp, None)];
        learn(&mut slots, &empty, SegmentId::FIRST, Timestamp::ZERO);
        assert_eq!(shown(&slots), ["south 1-1:0 active"]);
    }

    #[test]
    fn a_lost_slot_comes_back_when_its_slave_has_what_was_gone() {
        let lost = known(SlotState::Lost);
        let at = |at| after(&lost, &[report("north", Standing::Following, Some(at))]);
        assert_eq!(at("1-2:9"), ["north 1-5:9 lost"]);
        assert_eq!(at("1-6:0"), ["north 1-6:0 active"]);
        assert_eq!(after(&lost, &[]), ["north 1-5:9 lost"]);
        let mut just_now = lost.clone();
        just_now[0].since = Timestamp::from_micros(8);
        let old = report("north", Standing::NotConnected, Some("1-6:0"));
        assert_eq!(after(&just_now, &[old]), ["north 1-5:9 lost"]);
    }
}
