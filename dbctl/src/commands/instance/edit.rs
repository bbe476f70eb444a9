//! `instance edit KEY [VALUE]`: one value of the file, shown or changed.

use std::str::FromStr;

use fwlog::Instances;
use serde::Serialize;

use super::Place;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::json;

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Id,
    Boot,
    /// Which of the former names, from 0.
    Formerly(usize),
    /// Which of the peers, from 0.
    Peer(usize),
}

#[derive(Serialize)]
struct Changed<'a> {
    key: &'a str,
    old: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<&'a str>,
}

/// Prints the value; with a new one, both.
pub(super) fn edit(invocation: &Invocation, name: &str, value: Option<&str>) -> Result<()> {
    let key = key(name)?;
    let place = Place::of(invocation)?;
    let _lock = place.lock()?;
    let mut known = place.known()?;
    let old = get(&known, key).ok_or_else(|| no_line(name))?;
    if let Some(value) = value {
        set(&mut known, key, value)?;
        place.write(&known)?;
    }
    if invocation.output.json {
        let (key, old, new) = (name, &*old, value);
        return json(&Changed { key, old, new });
    }
    match value {
        None => invocation.output.line(format_args!("{name} = {old}")),
        Some(value) => invocation
            .output
            .line(format_args!("{name} = {value} (it was {old})")),
    }
}

fn key(name: &str) -> Result<Key> {
    let number = |text: &str| text.parse::<usize>().ok()?.checked_sub(1);
    let key = match name.split_once('.') {
        None if name == "instance_id" => Some(Key::Id),
        None if name == "boot" => Some(Key::Boot),
        None if name == "instance" => {
            return Err(CommandError::usage("the name of an instance is not edited")
                .with_hint("set Instance in section [Server] of eloqdb.cfg: under another name the next start is another instance, with an id of its own"));
        }
        Some(("formerly", which)) => number(which).map(Key::Formerly),
        Some(("peer", which)) => number(which).map(Key::Peer),
        _ => None,
    };
    key.ok_or_else(|| {
        CommandError::usage(format!("the instance file has no key `{name}`"))
            .with_hint("write instance_id, boot, formerly.N or peer.N")
    })
}

fn no_line(name: &str) -> CommandError {
    CommandError::error(format!("there is no {name} in the instance file"))
        .with_hint("'dbctl instance show --detail' shows what there is; N begins with 1")
}

fn get(known: &Instances, key: Key) -> Option<String> {
    match key {
        Key::Id => Some(known.own.id.to_string()),
        Key::Boot => Some(known.own.boot.to_string()),
        Key::Formerly(at) => known.formerly.get(at).map(ToString::to_string),
        Key::Peer(at) => known.peers.get(at).map(ToString::to_string),
    }
}

/// Of a list, an empty value removes the line.
fn set(known: &mut Instances, key: Key, value: &str) -> Result<()> {
    const HEX: &str = "32 hex digits";
    match key {
        Key::Id => known.own.id = parsed(value, HEX)?,
        Key::Boot => known.own.boot = parsed(value, HEX)?,
        Key::Formerly(at) => {
            let form = "an id, a time in microseconds and a name, or '' to remove it";
            put(&mut known.formerly, at, value, form)?;
        }
        Key::Peer(at) => {
            let form =
                "an id, source or slave, two times in microseconds and a name, or '' to remove it";
            put(&mut known.peers, at, value, form)?;
        }
    }
    Ok(())
}

fn put<T: FromStr>(lines: &mut Vec<T>, at: usize, value: &str, form: &str) -> Result<()> {
    if value.is_empty() {
        lines.remove(at);
    } else if let Some(line) = lines.get_mut(at) {
        *line = parsed(value, form)?;
    }
    Ok(())
}

/// One line of the file, in its form.
fn parsed<T: FromStr>(value: &str, form: &str) -> Result<T> {
    let is_line = !value.contains(char::is_control);
    let parsed = value.parse().ok().filter(|_| is_line);
    parsed.ok_or_else(|| CommandError::usage(format!("`{value}` is not it; write {form}")))
}

#[cfg(test)]
mod tests {
    use fwlog::{BootNonce, InstanceId, PeerRelation, Speaker, Timestamp};

    use super::*;

    fn known() -> Instances {
        let mut known = Instances::new(Speaker {
            id: InstanceId::from_bytes([1; 16]),
            boot: BootNonce::from_bytes([2; 16]),
            name: "north".into(),
        });
        let (id, now) = (InstanceId::from_bytes([3; 16]), Timestamp::from_micros(5));
        known.meet(id, "south", PeerRelation::Slave, now);
        known
    }

    #[test]
    fn a_value_is_changed_in_its_form_or_not_at_all() {
        let mut known = known();
        let new = "0f".repeat(16);
        set(&mut known, key("instance_id").unwrap(), &new).unwrap();
        assert_eq!(get(&known, Key::Id), Some(new.clone()));
        for (name, value) in [
            ("instance_id", "0f"),
            ("boot", "north"),
            ("peer.1", "north"),
            ("peer.1", &format!("{new} slave 1 2 two\nlines")),
        ] {
            let before = known.clone();
            let error = set(&mut known, key(name).unwrap(), value).unwrap_err();
            assert!(error.message.contains("write "), "{}", error.message);
            assert_eq!(known, before);
        }
        let line = format!("{new} source 1 2 a name");
        set(&mut known, Key::Peer(0), &line).unwrap();
        assert_eq!(get(&known, Key::Peer(0)), Some(line));
        set(&mut known, Key::Peer(0), "").unwrap();
        assert_eq!(get(&known, Key::Peer(0)), None);
    }

    #[test]
    fn a_key_that_is_none_is_refused_and_so_is_the_name() {
        for name in ["", "peer", "peer.0", "peer.x", "slot.1", "instance_id.1"] {
            assert!(key(name).is_err(), "{name}");
        }
        assert!(
            key("instance")
                .unwrap_err()
                .hint
                .unwrap()
                .contains("Instance")
        );
    }
}
