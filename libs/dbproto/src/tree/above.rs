//! What an instance tells those below it, as bytes; and what it means for one of them.

use fwlog::{Above, BootNonce, InstanceId, MAX_INSTANCE, MAX_LEVELS, MAX_TWINS};
use fwlog::{Speaker, TreePath, Twin};

use crate::wire::{FieldReader, FieldWriter};
use crate::{ProtocolError, Refuse, Standing, state};

pub(crate) fn write_above(above: &Above, out: &mut FieldWriter<'_>) {
    out.flag(above.path.root().is_some());
    out.u16(u16::try_from(above.path.levels()).unwrap_or(u16::MAX));
    for instance in above.path.instances() {
        write_speaker(instance, out);
    }
    out.u16(u16::try_from(above.twins.len()).unwrap_or(u16::MAX));
    for twin in &above.twins {
        write_speaker(&twin.instance, out);
        out.text(&twin.other);
    }
}

/// Counts are held against their limits before anything is taken for them.
pub(crate) fn read_above(from: &mut FieldReader) -> Result<Above, ProtocolError> {
    let root_is_known = from.flag()?;
    let levels = usize::from(from.u16()?);
    if !(1..=MAX_LEVELS).contains(&levels) {
        return Err(from.bad("number of instances in the path"));
    }
    let instances: Result<Vec<_>, _> = (0..levels).map(|_| read_speaker(from)).collect();
    let path = TreePath::new(instances?, root_is_known);
    let path = path.ok_or_else(|| from.bad("number of instances in the path"))?;
    let twins = usize::from(from.u16()?);
    if twins > MAX_TWINS {
        return Err(from.bad("number of twins"));
    }
    let twin = |from: &mut FieldReader| {
        Ok(Twin {
            instance: read_speaker(from)?,
            other: from.text()?,
        })
    };
    let twins: Result<Vec<_>, _> = (0..twins).map(|_| twin(from)).collect();
    Ok(Above {
        path,
        twins: twins?,
    })
}

fn write_speaker(speaker: &Speaker, out: &mut FieldWriter<'_>) {
    out.bytes(&speaker.id.to_bytes());
    out.bytes(&speaker.boot.to_bytes());
    out.text(&speaker.name);
}

fn read_speaker(from: &mut FieldReader) -> Result<Speaker, ProtocolError> {
    Ok(Speaker {
        id: InstanceId::from_bytes(from.array()?),
        boot: BootNonce::from_bytes(from.array()?),
        name: read_name(from)?,
    })
}

pub(crate) fn read_name(from: &mut FieldReader) -> Result<String, ProtocolError> {
    let name = from.text()?;
    if (1..=MAX_INSTANCE).contains(&name.len()) {
        Ok(name)
    } else {
        Err(from.bad("name of an instance"))
    }
}

/// Whether an instance may be fed by the last one of a path. Both sides ask, when they meet and whenever the path is another
/// one: a circle that forms later is cut by whoever finds itself above.
///
/// Errors: it is above itself (R0109), it has the name of another one (R0105), or the tree would be too deep (54000).
pub fn check_above(above: &Above, slave: &Speaker) -> Result<(), Refuse> {
    check_cycle(&above.path, slave)?;
    let mut others = above.path.instances();
    if let Some(other) = others.find(|other| other.name == slave.name) {
        let detail = format!(
            "the one with the id {} is above the other, with the id {}: {}",
            other.id,
            slave.id,
            names(above.path.instances(), slave)
        );
        return Err(name_taken(&slave.name, detail));
    }
    let mut twins = above.twins.iter();
    if let Some(twin) = twins.find(|twin| twin.instance == *slave) {
        return Err(name_taken(&slave.name, twin.other.clone()));
    }
    if above.path.levels() >= MAX_LEVELS {
        let name = &slave.name;
        return Err(Refuse::new(
            state::TOO_DEEP,
            format!("the tree of instances would have more than {MAX_LEVELS} levels with {name}"),
        )
        .detail(names(above.path.instances(), slave))
        .hint("feed it from an instance that is nearer to the root: one may have any number of slaves"));
    }
    Ok(())
}

fn check_cycle(path: &TreePath, slave: &Speaker) -> Result<(), Refuse> {
    let mut from_it = path.instances().skip_while(|it| it.id != slave.id);
    let Some(itself) = from_it.next() else {
        return Ok(());
    };
    let circle = names([itself].into_iter().chain(from_it), slave);
    let refuse = Refuse::new(
        state::CYCLE,
        format!("the log would go in a circle: {circle}"),
    );
    let refuse = if itself.boot == slave.boot {
        refuse
    } else {
        refuse.detail(format!(
            "{} was started anew, or two servers run on copies of one DataDir",
            slave.name
        ))
    };
    Err(refuse.hint("each instance gets its log from one that is nearer to the root: stop a dbrepl of the circle; one that follows waits until it is none any more; 'dbctl replication tree' shows who feeds whom"))
}

fn name_taken(name: &str, detail: String) -> Refuse {
    let name_each = Standing::NAME_EACH;
    Refuse::new(
        state::NAME_TAKEN,
        format!("two instances are called {name}"),
    )
    .detail(detail)
    .hint(format!("{name_each}; where one runs on a copy of the other's DataDir, stop one; 'dbctl replication tree' on the root shows both"))
}

/// `north > south > west`
fn names<'a>(path: impl Iterator<Item = &'a Speaker>, last: &'a Speaker) -> String {
    let names: Vec<&str> = path.chain([last]).map(|it| it.name.as_str()).collect();
    names.join(" > ")
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};

    use super::*;
    use crate::Message;

    fn speaker(id: u8, name: &str) -> Speaker {
        Speaker {
            id: InstanceId::from_bytes([id; 16]),
            boot: BootNonce::from_bytes([0; 16]),
            name: name.to_owned(),
        }
    }

    fn above(names: &[(u8, &str)]) -> Above {
        let instances = names.iter().map(|(id, name)| speaker(*id, name)).collect();
        Above {
            path: TreePath::new(instances, false).unwrap(),
            twins: Vec::new(),
        }
    }

    fn refused(above: &Above, slave: &Speaker) -> (String, String) {
        let refuse = check_above(above, slave).unwrap_err();
        (refuse.sqlstate.clone(), refuse.to_string())
    }

    #[test]
    fn who_finds_itself_above_is_in_a_circle_also_after_a_restart() {
        let path = above(&[(1, "a"), (2, "b"), (3, "c")]);
        assert_eq!(check_above(&path, &speaker(4, "d")), Ok(()));
        let circle = "the log would go in a circle: b > c > b";
        assert_eq!(
            refused(&path, &speaker(2, "b")),
            ("R0109".to_owned(), circle.to_owned())
        );
        let restarted = Speaker {
            boot: BootNonce::from_bytes([9; 16]),
            ..speaker(2, "b")
        };
        let (state, text) = refused(&path, &restarted);
        assert_eq!(state, "R0109");
        assert!(text.contains("started anew, or two servers"), "{text}");
    }

    #[test]
    fn a_name_that_is_above_already_is_taken_and_so_is_one_that_the_source_says_so_of() {
        let mut path = above(&[(1, "a"), (2, "b"), (3, "c")]);
        let (state, text) = refused(&path, &speaker(9, "a"));
        assert_eq!(state, "R0105");
        assert!(
            text.starts_with("two instances are called a: ") && text.ends_with("a > b > c > a")
        );
        path.twins.push(Twin {
            instance: speaker(5, "d"),
            other: "the other one is fed by b".into(),
        });
        let (state, text) = refused(&path, &speaker(5, "d"));
        assert_eq!(state, "R0105");
        assert!(text.ends_with("the other one is fed by b"), "{text}");
        assert_eq!(check_above(&path, &speaker(6, "d")), Ok(()), "the older");
    }

    #[test]
    fn the_level_behind_the_last_one_is_refused_by_number() {
        let numbers = 1..=u8::try_from(MAX_LEVELS).unwrap();
        let speakers: Vec<_> = numbers.map(|it| speaker(it, &format!("i{it}"))).collect();
        let path = |levels: usize| Above {
            path: TreePath::new(speakers[..levels].to_vec(), true).unwrap(),
            twins: Vec::new(),
        };
        let slave = speaker(200, "deep");
        assert_eq!(check_above(&path(63), &slave), Ok(()));
        let (state, text) = refused(&path(64), &slave);
        assert_eq!(state, "54000");
        assert!(text.contains("more than 64 levels with deep"), "{text}");
    }

    /// A greeting that promises a million instances costs nothing.
    #[test]
    fn a_hostile_path_is_refused_before_memory_is_taken_for_it() {
        let mut good = BytesMut::new();
        Message::Above(Box::new(above(&[(1, "a")]))).encode(&mut good);
        assert!(Message::decode(good.clone().freeze()).is_ok());
        let bad = |field| Err(ProtocolError::BadField { kind: 'P', field });
        for levels in [0_u16, 65, u16::MAX] {
            let mut bytes = good.clone();
            bytes[2..4].copy_from_slice(&levels.to_le_bytes());
            let read = Message::decode(bytes.freeze());
            assert_eq!(read, bad("number of instances in the path"));
        }
        // 10^6 instances, as far as 16 bits can say so.
        let one = &good[4..good.len() - 2];
        let mut bytes = BytesMut::from(&good[..2]);
        bytes.extend_from_slice(&u16::MAX.to_le_bytes());
        bytes.extend((0..300_000).flat_map(|_| one.iter().copied()));
        let read = Message::decode(bytes.freeze());
        assert_eq!(read, bad("number of instances in the path"));
        let mut twins = good.clone();
        let end = twins.len() - 2;
        twins[end..].copy_from_slice(&65_u16.to_le_bytes());
        assert_eq!(Message::decode(twins.freeze()), bad("number of twins"));
        let mut long = BytesMut::new();
        Message::Above(Box::new(above(&[(1, &"n".repeat(16))]))).encode(&mut long);
        let long: Bytes = long.freeze();
        assert_eq!(Message::decode(long), bad("name of an instance"));
    }
}
