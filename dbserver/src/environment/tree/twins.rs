//! Two instances of one name, anywhere in the tree: the younger one may not be fed as long as the older one is.
//!
//! Whoever is above both finds them. It tells those below in its `Above`, level by level; the younger one is refused by
//! whoever feeds it, and its note says so.

use std::collections::HashMap;

use dbproto::{Below, Member, Standing};
use fwlog::{BootNonce, InstanceId, Speaker, Timestamp, TreePath, Twin};

/// An instance that gets another source is seen at both for some seconds: two are twins once they were seen so often.
const LOOKS: u32 = 5;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct TwinWatch {
    seen: HashMap<(InstanceId, BootNonce), u32>,
    found: Vec<Twin>,
}

/// Two that have one name.
#[derive(Debug)]
pub(super) struct Conflict {
    twin: Twin,
    /// The younger one was refused for it.
    is_known: bool,
}

impl TwinWatch {
    /// Takes what one look has found.
    pub(super) fn look(&mut self, conflicts: Vec<Conflict>) {
        let before = std::mem::take(&mut self.seen);
        self.found.clear();
        for Conflict { twin, is_known } in conflicts {
            let key = (twin.instance.id, twin.instance.boot);
            let times = before.get(&key).map_or(1, |times| times.saturating_add(1));
            self.seen.insert(key, times);
            if times == LOOKS && !is_known {
                tracing::warn!(
                    "two instances are called {}: {}; the younger one is not fed",
                    twin.instance.name,
                    twin.other
                );
            }
            if is_known || times >= LOOKS {
                self.found.push(twin);
            }
        }
    }

    /// Those that may not be fed.
    pub(super) fn found(&self) -> &[Twin] {
        &self.found
    }
}

/// Who has a name.
struct Holder {
    speaker: Speaker,
    /// It is fed, or is above all others.
    lives: bool,
    /// Since when; those above are the oldest.
    since: Timestamp,
    /// Where it is, in words.
    place: String,
}

/// The younger ones of those that have one name.
pub(super) fn conflicts(path: &TreePath, below: &Below) -> Vec<Conflict> {
    let mut holders: HashMap<&str, Vec<Holder>> = HashMap::new();
    for instance in path.instances() {
        holders
            .entry(instance.name.as_str())
            .or_default()
            .push(Holder {
                speaker: instance.clone(),
                lives: true,
                since: Timestamp::ZERO,
                place: "is above it".to_owned(),
            });
    }
    let mut sources = vec![path.own().name.as_str()];
    for member in below.members() {
        sources.truncate(usize::from(member.level));
        let source = sources.last().copied().unwrap_or_default();
        let known = holder(member, source);
        holders
            .entry(member.name.as_str())
            .or_default()
            .extend(known);
        sources.push(&member.name);
    }
    let several = holders.into_values().filter(|holders| holders.len() > 1);
    let mut conflicts: Vec<_> = several.flat_map(|holders| younger(&holders)).collect();
    conflicts.sort_by(|a, b| a.twin.instance.name.cmp(&b.twin.instance.name));
    conflicts
}

/// One that is fed, or was refused because of its name.
fn holder(member: &Member, source: &str) -> Option<Holder> {
    let (id, boot) = member.speaker?;
    let lives = member.standing.is_some_and(Standing::is_connected);
    if !lives && member.standing != Some(Standing::NotUnique) {
        return None;
    }
    Some(Holder {
        speaker: Speaker {
            id,
            boot,
            name: member.name.clone(),
        },
        lives,
        since: member.connected,
        place: format!("is fed by {source} at {}", member.address),
    })
}

fn younger(holders: &[Holder]) -> Vec<Conflict> {
    let age = |it: &&Holder| (it.since, it.speaker.id, it.speaker.boot);
    let Some(oldest) = holders.iter().filter(|it| it.lives).min_by_key(age) else {
        return Vec::new();
    };
    let is_above = oldest.since == Timestamp::ZERO;
    let others = holders.iter().filter(|it| {
        // One that is above itself is in a circle, which is told otherwise; one that is seen twice has moved.
        let same = it.speaker.id == oldest.speaker.id;
        !(same && (is_above || it.speaker.boot == oldest.speaker.boot))
    });
    let conflict = |it: &Holder| Conflict {
        twin: Twin {
            instance: it.speaker.clone(),
            other: format!("the one with the id {} {}", oldest.speaker.id, oldest.place),
        },
        is_known: !it.lives,
    };
    others.map(conflict).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speaker(id: u8, boot: u8, name: &str) -> Speaker {
        Speaker {
            id: InstanceId::from_bytes([id; 16]),
            boot: BootNonce::from_bytes([boot; 16]),
            name: name.to_owned(),
        }
    }

    fn member(level: u8, (id, boot): (u8, u8), name: &str, since: u64) -> Member {
        let speaker = speaker(id, boot, name);
        Member {
            level,
            name: speaker.name,
            speaker: Some((speaker.id, speaker.boot)),
            address: format!("{name}:1"),
            standing: Some(Standing::Following),
            since: Timestamp::ZERO,
            reason: None,
            connected: Timestamp::from_micros(since),
            heard: Timestamp::ZERO,
            durable: None,
            applied: None,
        }
    }

    /// Ids of the younger ones, and where the older are.
    fn found(members: &[Member]) -> Vec<(u8, String)> {
        let mut below = Below::default();
        for member in members {
            below.push(member.clone());
        }
        let path = TreePath::new(vec![speaker(1, 1, "a"), speaker(2, 1, "b")], true).unwrap();
        let found = conflicts(&path, &below).into_iter();
        let shown = found.map(|it| (it.twin.instance.id.to_bytes()[0], it.twin.other));
        shown.collect()
    }

    #[test]
    fn the_younger_of_two_with_one_name_is_found_wherever_they_are() {
        let c = member(1, (3, 1), "c", 10);
        let tree = [
            c.clone(),
            member(2, (5, 1), "x", 40),
            member(1, (4, 1), "d", 20),
            member(2, (6, 1), "x", 30),
        ];
        let [(younger, other)] = &found(&tree)[..] else {
            panic!("there is one");
        };
        assert_eq!(*younger, 5);
        assert!(other.ends_with("is fed by d at x:1"), "{other}");
        // A name from above is the older one's, however late that came.
        assert_eq!(found(&[c.clone(), member(2, (9, 1), "a", 1)])[0].0, 9);
        // A copied DataDir has the id as well.
        let copies = [member(1, (7, 1), "x", 5), c, member(2, (7, 2), "x", 6)];
        assert_eq!(found(&copies).len(), 1);
    }

    #[test]
    fn who_has_gone_and_who_has_moved_is_no_twin() {
        let mut gone = member(1, (3, 1), "x", 10);
        let came = member(1, (4, 1), "x", 20);
        gone.standing = Some(Standing::NotConnected);
        assert!(found(&[gone.clone(), came.clone()]).is_empty());
        gone.standing = None;
        assert!(found(&[gone, came.clone()]).is_empty());
        let moved = [came.clone(), came.clone()];
        assert!(found(&moved).is_empty());
        // Two that both were refused: the first that comes is fed.
        let refused = |id| Member {
            standing: Some(Standing::NotUnique),
            ..member(1, (id, 1), "x", 5)
        };
        assert!(found(&[refused(3), refused(4)]).is_empty());
        assert_eq!(found(&[refused(3), came])[0].0, 3, "it stays refused");
        // The instance itself, which is refused as a circle.
        assert!(found(&[member(1, (2, 9), "b", 30)]).is_empty());
    }

    #[test]
    fn two_are_twins_once_they_were_seen_for_some_time() {
        let conflict = |is_known| {
            vec![Conflict {
                twin: Twin {
                    instance: speaker(3, 1, "x"),
                    other: "elsewhere".into(),
                },
                is_known,
            }]
        };
        let mut watch = TwinWatch::default();
        for _ in 1..LOOKS {
            watch.look(conflict(false));
            assert!(watch.found().is_empty());
        }
        watch.look(conflict(false));
        assert_eq!(watch.found().len(), 1);
        watch.look(Vec::new());
        assert!(watch.found().is_empty());
        watch.look(conflict(false));
        assert!(watch.found().is_empty(), "it begins anew");
        watch.look(conflict(true));
        assert_eq!(watch.found().len(), 1, "who was refused stays so");
    }
}
