//! Which backups are kept: one pure function.

use std::collections::BTreeMap;
use std::time::Duration;

use fwlog::Timestamp;

use crate::backup_name::BackupId;

/// What is asked for. Each rule keeps backups; one that no rule keeps may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepRules {
    /// Every moment of so long can be restored.
    pub history: Duration,
    /// The newest backup of each of so many days that have one.
    pub daily: u32,
    /// The same of weeks.
    pub weekly: u32,
    /// The same of months of 30 days.
    pub monthly: u32,
}

/// A backup, as far as it matters how long it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptBackup {
    /// Its name.
    pub id: BackupId,
    /// When it was begun.
    pub begun: Timestamp,
    /// When the commit was made that it is of: with it each moment from there on can be restored.
    pub time: Timestamp,
}

/// Why a backup is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepReason {
    /// It is the newest one.
    Newest,
    /// It was begun after now: a clock is wrong, and it is not known whose.
    OfTheFuture,
    /// A moment of the history that is kept needs it.
    History,
    /// It is the newest of its day.
    Daily,
    /// Of its week.
    Weekly,
    /// Of its month.
    Monthly,
}

impl KeepReason {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Newest => "the newest",
            Self::OfTheFuture => "begun after now: a clock is wrong",
            Self::History => "history",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }
}

const DAY: u64 = 86_400_000_000;
/// 1970-01-01 was a Thursday: weeks begin with Monday.
const TO_MONDAY: u64 = 3 * DAY;

/// For each backup why it is kept; `None`: it may go.
pub fn keep(
    backups: &[KeptBackup],
    now: Timestamp,
    rules: &KeepRules,
) -> BTreeMap<BackupId, Option<KeepReason>> {
    let mut sorted: Vec<&KeptBackup> = backups.iter().collect();
    sorted.sort_by_key(|backup| (backup.begun, backup.id));
    let mut kept: BTreeMap<BackupId, Option<KeepReason>> =
        sorted.iter().map(|backup| (backup.id, None)).collect();
    let mut note = |backup: &KeptBackup, reason| {
        if let Some(place) = kept.get_mut(&backup.id) {
            *place = place.or(Some(reason));
        }
    };
    if let Some(newest) = sorted.last() {
        note(newest, KeepReason::Newest);
    }
    for backup in sorted.iter().filter(|backup| backup.begun > now) {
        note(backup, KeepReason::OfTheFuture);
    }
    let history = u64::try_from(rules.history.as_micros()).unwrap_or(u64::MAX);
    if history > 0 {
        let from = Timestamp::from_micros(now.micros().saturating_sub(history));
        // The newest one that is not behind the first moment, and all later ones.
        let base = sorted.iter().filter(|it| it.time <= from).map(|it| it.time);
        let base = base.max().unwrap_or(Timestamp::ZERO);
        for backup in sorted.iter().filter(|it| it.time >= base) {
            note(backup, KeepReason::History);
        }
    }
    for (count, length, reason) in [
        (rules.daily, DAY, KeepReason::Daily),
        (rules.weekly, 7 * DAY, KeepReason::Weekly),
        (rules.monthly, 30 * DAY, KeepReason::Monthly),
    ] {
        let shift = if length == 7 * DAY { TO_MONDAY } else { 0 };
        let mut newest_of: BTreeMap<u64, &KeptBackup> = BTreeMap::new();
        for backup in &sorted {
            newest_of.insert((backup.begun.micros() + shift) / length, backup);
        }
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        for backup in newest_of.values().rev().take(count) {
            note(backup, reason);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use fwlog::CommitNumber;
    use proptest::prelude::*;

    use super::*;

    fn backup(begun: u64, lag: u64) -> KeptBackup {
        let begun = Timestamp::from_micros(begun);
        KeptBackup {
            id: BackupId::new(begun, CommitNumber::new(begun.micros())),
            begun,
            time: Timestamp::from_micros(begun.micros().saturating_sub(lag)),
        }
    }

    fn rules() -> impl Strategy<Value = KeepRules> {
        (0_u64..40, 0_u32..5, 0_u32..5, 0_u32..5).prop_map(|(days, daily, weekly, monthly)| {
            KeepRules {
                history: Duration::from_micros(days * DAY / 3),
                daily,
                weekly,
                monthly,
            }
        })
    }

    fn backups() -> impl Strategy<Value = Vec<KeptBackup>> {
        let one = (1_000 * DAY..1_100 * DAY, 0..3 * DAY);
        proptest::collection::btree_map(one.0, one.1, 0..40).prop_map(|all| {
            all.into_iter()
                .map(|(begun, lag)| backup(begun, lag))
                .collect()
        })
    }

    /// Newest of the last so many periods that have one, one period after the other.
    fn slow(backups: &[KeptBackup], count: u32, period: impl Fn(u64) -> u64) -> Vec<BackupId> {
        let mut left: Vec<KeptBackup> = backups.to_vec();
        let mut kept = Vec::new();
        for _ in 0..count {
            let Some(newest) = left.iter().max_by_key(|it| it.begun).copied() else {
                break;
            };
            kept.push(newest.id);
            left.retain(|it| period(it.begun.micros()) != period(newest.begun.micros()));
        }
        kept
    }

    proptest! {
        #[test]
        fn each_rule_keeps_what_it_says_and_nothing_else_is_kept(
            backups in backups(), rules in rules(), now in 1_000 * DAY..1_120 * DAY
        ) {
            let now = Timestamp::from_micros(now);
            let kept = keep(&backups, now, &rules);
            prop_assert_eq!(kept.len(), backups.len());
            let mut wanted = Vec::new();
            wanted.extend(backups.iter().map(|it| (it.begun, it.id)).max().map(|(_, id)| id));
            wanted.extend(backups.iter().filter(|it| it.begun > now).map(|it| it.id));
            wanted.extend(slow(&backups, rules.daily, |at| at / DAY));
            wanted.extend(slow(&backups, rules.weekly, |at| (at + 3 * DAY) / (7 * DAY)));
            wanted.extend(slow(&backups, rules.monthly, |at| at / (30 * DAY)));
            // Each moment of the history is one to go to with what is kept, where it was with all.
            let from = now.micros() - u64::try_from(rules.history.as_micros()).unwrap();
            let is_kept = |it: &&KeptBackup| kept[&it.id].is_some();
            for moment in (from..=now.micros()).step_by(usize::try_from(DAY / 5).unwrap()) {
                if rules.history.is_zero() {
                    break;
                }
                let before = |it: &&KeptBackup| it.time.micros() <= moment;
                let best = backups.iter().filter(before).map(|it| it.time).max();
                let kept = backups.iter().filter(is_kept).filter(before).map(|it| it.time).max();
                prop_assert_eq!(best, kept, "{}", moment);
            }
            for (id, reason) in &kept {
                let is_wanted = wanted.contains(id);
                if is_wanted {
                    prop_assert!(reason.is_some());
                } else {
                    prop_assert!(matches!(reason, None | Some(KeepReason::History)));
                }
                if *reason == Some(KeepReason::History) {
                    prop_assert!(!rules.history.is_zero());
                }
            }
        }

        /// What was kept with fewer rules is kept with more.
        #[test]
        fn more_rules_keep_no_less(backups in backups(), one in rules(), other in rules()) {
            let now = Timestamp::from_micros(1_100 * DAY);
            let both = KeepRules {
                history: one.history.max(other.history),
                daily: one.daily.max(other.daily),
                weekly: one.weekly.max(other.weekly),
                monthly: one.monthly.max(other.monthly),
            };
            let (few, many) = (keep(&backups, now, &one), keep(&backups, now, &both));
            for (id, reason) in few {
                prop_assert!(reason.is_none() || many[&id].is_some());
            }
        }
    }
}
