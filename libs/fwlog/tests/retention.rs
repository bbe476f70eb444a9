//! What may be removed of a log, against a slow model, and over the life of a log.

use std::cmp::Ordering;
use std::path::PathBuf;
use std::time::Duration;

use fwlog::retention::{Keep, Rules, Slot, Verdict, Why, behind, removable};
use fwlog::{
    ChainHash, CommitNumber, EnvironmentId, LogKind, PAGE_SIZE, Position, Seal, SegmentHeader,
    SegmentId, SegmentInfo, Timestamp,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// A segment that begins at this time, behind so many bytes of log; the newest is open.
fn segment(sequence: u32, created: u64, log_bytes: u64, sealed: Option<u64>) -> SegmentInfo {
    let id = SegmentId::new(1, sequence);
    SegmentInfo {
        id,
        path: PathBuf::from(format!("/fwlog/fw-{id}")),
        header: SegmentHeader {
            kind: LogKind::Forward,
            page_size: u32::try_from(PAGE_SIZE).expect("small"),
            environment: EnvironmentId::from_bytes([1; 16]),
            id,
            log_bytes,
            last_commit: CommitNumber::ZERO,
            created: Timestamp::from_micros(created),
            previous: ChainHash::ZERO,
            origin: "m".to_owned(),
        },
        sealed: sealed.map(|length| Seal {
            length,
            first_commit: CommitNumber::ZERO,
            last_commit: CommitNumber::ZERO,
            chain: ChainHash::ZERO,
        }),
        // An open one has room on the disk that is not written yet.
        file_length: sealed.unwrap_or(1 << 30),
    }
}

/// A log of segments of these lengths and times that pass in them, of which the last is open; with its end.
fn log(parts: &[(u64, u64)], first: u32) -> (Vec<SegmentInfo>, u64) {
    let (mut at, mut time) = (1_000_000, 10_000);
    let mut segments = Vec::new();
    for (index, (length, micros)) in parts.iter().enumerate() {
        let sequence = first + u32::try_from(index).expect("few");
        let is_open = index + 1 == parts.len();
        segments.push(segment(sequence, time, at, (!is_open).then_some(*length)));
        at += length;
        time += micros;
    }
    (segments, at)
}

fn keep() -> impl Strategy<Value = Keep> {
    prop_oneof![
        Just(Keep::All),
        (0..2000_u64).prop_map(Keep::Bytes),
        (0..2000_u64).prop_map(|micros| Keep::Age(Duration::from_micros(micros))),
    ]
}

const NAMES: [&str; 4] = ["north", "south", "east", "west"];

/// By the words of the rules, each looked at anew for each segment and byte of the log.
fn may_go(segments: &[SegmentInfo], now: Timestamp, rules: &Rules<'_>, index: usize) -> bool {
    let here = &segments[index];
    let length = |it: &SegmentInfo| match it.sealed {
        Some(seal) => seal.length,
        None => rules.end_log_bytes - it.header.log_bytes,
    };
    let newer: u64 = segments[index + 1..].iter().map(length).sum();
    let lag = |slot: &Slot<'_>| -> u64 {
        let left = segments
            .iter()
            .map(|it| match it.id.cmp(&slot.needs.segment) {
                Ordering::Less => 0,
                Ordering::Equal => length(it).saturating_sub(slot.needs.offset),
                Ordering::Greater => length(it),
            });
        left.sum()
    };
    let mut limit = rules.keep_for_slots;
    if let (0, Some(less)) = (index, rules.keep_for_slots_without_room) {
        limit = limit.min(less);
    }
    let is_kept = match rules.keep {
        Keep::All => true,
        Keep::Bytes(bytes) => newer < bytes,
        Keep::Age(age) => {
            let young = Timestamp::from_micros(
                now.micros()
                    .saturating_sub(u64::try_from(age.as_micros()).expect("short")),
            );
            // Someone may have written into it until the next one was made.
            segments[index + 1..]
                .first()
                .is_none_or(|next| next.header.created > young)
        }
    };
    let is_needed = rules
        .slots
        .iter()
        .any(|slot| slot.needs.segment <= here.id && lag(slot) <= limit);
    index + 1 < segments.len()
        && here.id < rules.redo
        && rules.held_from.is_none_or(|held| here.id < held)
        && !is_kept
        && !is_needed
        && (index == 0 || may_go(segments, now, rules, index - 1))
}

proptest! {
    #[test]
    fn the_function_says_what_the_rules_say(
        parts in vec((1..500_u64, 0..500_u64), 1..8),
        slots in vec((1..12_u32, 0..600_u64), 0..4),
        (keep, keep_for_slots, without_room) in (keep(), 0..3000_u64, option::of(0..600_u64)),
        (redo, held, passed) in (3..12_u32, option::of(3..12_u32), 0..3000_u64),
    ) {
        let (segments, end) = log(&parts, 3);
        let slots: Vec<_> = slots.iter().zip(NAMES).map(|((sequence, offset), name)| Slot {
            name,
            needs: Position::new(SegmentId::new(1, *sequence), *offset),
        }).collect();
        let rules = Rules {
            end_log_bytes: end,
            redo: SegmentId::new(1, redo),
            held_from: held.map(|held| SegmentId::new(1, held)),
            keep,
            keep_for_slots,
            keep_for_slots_without_room: without_room,
            slots: &slots,
        };
        let now = Timestamp::from_micros(10_000 + passed);
        let verdicts = removable(&segments, now, &rules);
        prop_assert_eq!(verdicts.len(), segments.len());
        for (index, (id, verdict)) in verdicts.iter().enumerate() {
            prop_assert_eq!(*id, segments[index].id);
            let goes = matches!(verdict, Verdict::Remove { .. });
            prop_assert_eq!(goes, may_go(&segments, now, &rules, index), "{} {:?}", id, verdict);
            if let Verdict::Remove { loses } = verdict {
                let needing = slots.iter().filter(|slot| slot.needs.segment <= *id);
                let needing: Vec<_> = needing.map(|slot| slot.name).collect();
                prop_assert_eq!(loses, &needing);
            }
        }
    }

    /// A log grows, slaves read it or are away, notes of them are late or get lost, and what may go goes.
    #[test]
    fn a_slave_never_misses_what_it_was_promised(
        steps in vec((0..6_u8, 0..4_usize, 1..400_u64), 1..120),
        (limit, keep) in (0..1500_u64, (0..800_u64).prop_map(Keep::Bytes)),
    ) {
        let mut parts: Vec<(u64, u64)> = vec![(100, 10)];
        let mut first = 1_u32;
        // Where each slave is, and what the server has heard of it; none: the slot is lost.
        let start = Position::new(SegmentId::new(1, 1), 0);
        let mut slaves = [start; 4];
        let mut heard = [Some(start); 4];
        for (what, who, amount) in steps {
            let (segments, end) = log(&parts, first);
            let newest = segments.last().expect("one at least");
            match what {
                0 => parts.last_mut().expect("one at least").0 += amount,
                1 => parts.push((amount, 10)),
                // It reads on to the end, if it was not lost.
                2 if heard[who].is_some() => {
                    let length = end - newest.header.log_bytes;
                    slaves[who] = Position::new(newest.id, length.min(amount));
                }
                3 => heard[who] = heard[who].map(|_| slaves[who]),
                _ => {
                    let slots: Vec<_> = heard.iter().zip(NAMES).filter_map(|(needs, name)| {
                        Some(Slot { name, needs: (*needs)? })
                    }).collect();
                    let rules = Rules {
                        end_log_bytes: end,
                        redo: newest.id,
                        held_from: None,
                        keep,
                        keep_for_slots: limit,
                        keep_for_slots_without_room: None,
                        slots: &slots,
                    };
                    let verdicts = removable(&segments, Timestamp::ZERO, &rules);
                    let Some((id, Verdict::Remove { loses })) = verdicts.first() else { continue };
                    for (index, name) in NAMES.iter().enumerate() {
                        let Some(needs) = heard[index] else { continue };
                        let promised = behind(&segments, end, needs) <= limit;
                        prop_assert!(!promised || slaves[index].segment > *id, "{} misses {}", name, id);
                        if loses.contains(name) {
                            prop_assert!(!promised);
                            heard[index] = None;
                        }
                    }
                    let gone = parts.remove(0);
                    prop_assert!(gone.0 > 0);
                    first += 1;
                }
            }
        }
    }
}

#[test]
fn each_segment_says_why_it_stays() {
    let (segments, end) = log(&[(100, 10); 6], 3);
    let slots = [Slot {
        name: "north",
        needs: Position::new(SegmentId::new(1, 5), 20),
    }];
    let rules = Rules {
        end_log_bytes: end,
        redo: SegmentId::new(1, 7),
        held_from: Some(SegmentId::new(1, 6)),
        keep: Keep::Bytes(400),
        keep_for_slots: 380,
        keep_for_slots_without_room: None,
        slots: &slots,
    };
    let whys = |rules: &Rules<'_>| -> Vec<String> {
        let verdicts = removable(&segments, Timestamp::ZERO, rules);
        let text = |(_, verdict): (SegmentId, Verdict<'_>)| match verdict {
            Verdict::Keep(why) => why.to_string(),
            Verdict::Remove { loses } => format!("goes, {loses:?}"),
        };
        verdicts.into_iter().map(text).collect()
    };
    let (held, redo, newest) = (Why::Copied, Why::Redo, Why::Newest);
    let ends = [held.to_string(), redo.to_string(), newest.to_string()];
    let asked = "within FwKeep";
    assert_eq!(whys(&rules)[..3], ["goes, []", "goes, []", asked]);
    assert_eq!(whys(&rules)[3..], ends);
    let few = Rules {
        keep: Keep::Bytes(100),
        ..rules
    };
    assert_eq!(whys(&few)[2], "slave north needs it");
    let far = Rules {
        keep_for_slots: 379,
        ..few
    };
    assert_eq!(whys(&far)[2], "goes, [\"north\"]");
    // For want of room a slot is given up only when its own segment is the oldest.
    let full = Rules {
        keep_for_slots_without_room: Some(0),
        ..few
    };
    assert_eq!(whys(&full)[2], "slave north needs it");
    let verdicts = removable(&segments[2..], Timestamp::ZERO, &full);
    assert!(
        matches!(&verdicts[0].1, Verdict::Remove { loses } if loses == &["north"]),
        "{verdicts:?}"
    );
}
