//! A source that tells of a tree of instances what no server tells.

use bytes::BytesMut;
use dbproto::{Greeting, Identify, Message, state};
use fwlog::{Above, BootNonce, InstanceId, Speaker, TreePath};

use crate::attack::{Attack, assert_state};
use crate::source::{Source, identify};

/// Bytes of an instance called `m`.
const INSTANCE: usize = 16 + 16 + 2 + 1;
/// As many as a message has room for, about.
const MANY: usize = 500_000;

fn above() -> Above {
    let speaker = Speaker {
        id: InstanceId::from_bytes([9; 16]),
        boot: BootNonce::from_bytes([9; 16]),
        name: "m".to_owned(),
    };
    Above {
        path: TreePath::alone(speaker, true),
        twins: Vec::new(),
    }
}

/// The message, which ends with a path of one instance, with half a million of them, and the largest number that says so.
fn with_many(message: &Message) -> BytesMut {
    let mut bytes = BytesMut::new();
    message.encode(&mut bytes);
    let count = bytes.len() - 2 - INSTANCE - 2;
    let one = bytes[count + 2..count + 2 + INSTANCE].to_vec();
    bytes[count..count + 2].copy_from_slice(&u16::MAX.to_le_bytes());
    for _ in 0..MANY {
        bytes.extend_from_slice(&one);
    }
    bytes
}

#[test]
fn a_path_of_half_a_million_instances_is_refused_when_it_is_told_and_when_it_comes_later() {
    let attack = Attack::begin();
    let address = attack.cluster.slave.address();
    let greeting = Greeting {
        speaker: above().path.own().clone(),
        branch: Vec::new(),
        above: Some(Box::new(above())),
        settled: None,
    };
    let hello = Message::Identify(Identify {
        greeting: Some(Box::new(greeting)),
        ..identify(attack.environment)
    });
    let mut source = Source::log_in(address);
    source.payload(&with_many(&hello));
    let refuse = attack.last_word("a long greeting", source);
    assert_state("a long greeting", &refuse, state::PROTOCOL_VIOLATION);
    assert!(
        refuse.message.contains("number of instances in the path"),
        "{refuse}"
    );
    let (mut source, _) = Source::start(address, attack.environment);
    source.payload(&with_many(&Message::Above(Box::new(above()))));
    let refuse = attack.last_word("a long path", source);
    assert_state("a long path", &refuse, state::PROTOCOL_VIOLATION);
    // What only a slave says.
    let (mut source, _) = Source::start(address, attack.environment);
    source.send(&Message::Below(Box::default()));
    let refuse = attack.last_word("a slave's message", source);
    assert_state("a slave's message", &refuse, state::PROTOCOL_VIOLATION);
    attack.end();
}
