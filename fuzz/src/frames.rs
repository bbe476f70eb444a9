//! Replication messages: alone, and as conversations with a slave and with a source.

use bytes::{Bytes, BytesMut};
use dbproto::base::{Asked, Given};
use dbproto::{
    Border, Identify, Identity, MAX_MESSAGE, Message, PROTOCOL_VERSION, Progress, Receiver,
    ReceiverAction, Refuse, Role, Shipper, ShipperAction, Status, state,
};
use fwlog::{
    ChainHash, CommitNumber, EnvironmentId, LogKind, LogPoint, Position, SegmentHeader, SegmentId,
    Timestamp,
};

use super::choices::Choices;

const ENVIRONMENT: EnvironmentId = EnvironmentId::from_bytes([5; 16]);

/// Takes the bytes as one message, or as a conversation.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    match choices.byte() % 3 {
        0 => alone(choices.rest()),
        1 => with_slave(choices),
        _ => with_source(choices),
    }
}

/// What the two sides of a copy say, as any bytes: what is read comes out as it went in.
fn of_a_copy(bytes: &[u8]) {
    let mut out = BytesMut::new();
    if let Ok(message) = Given::decode(Bytes::copy_from_slice(bytes)) {
        let tail = message.encode_parts(&mut out);
        out.extend_from_slice(&tail);
        assert_eq!(Given::decode(out.split().freeze()), Ok(message));
    }
    if let Ok(message) = Asked::decode(Bytes::copy_from_slice(bytes)) {
        let tail = message.encode_parts(&mut out);
        out.extend_from_slice(&tail);
        assert_eq!(Asked::decode(out.freeze()), Ok(message));
    }
}

fn alone(bytes: &[u8]) {
    of_a_copy(bytes);
    let message = match Message::decode(Bytes::copy_from_slice(bytes)) {
        Ok(message) => message,
        Err(error) => {
            assert!(!Refuse::from(&error).message.is_empty());
            return;
        }
    };
    for packed in [false, true] {
        let mut out = BytesMut::new();
        let tail = if packed {
            message.encode_packed(&mut out)
        } else {
            message.encode_parts(&mut out)
        };
        out.extend_from_slice(&tail);
        assert!(out.len() <= MAX_MESSAGE + 32);
        if out.len() <= MAX_MESSAGE {
            assert_eq!(Message::decode(out.freeze()).as_ref(), Ok(&message));
        }
    }
}

fn point(choices: &mut Choices<'_>) -> LogPoint {
    let segment = SegmentId::new(
        u32::from(choices.byte()).max(1),
        u32::from(choices.byte()).max(1),
    );
    let position = Position::new(segment, u64::from(choices.u16()));
    LogPoint::new(position, ChainHash::from_bytes([choices.byte(); 32]))
}

fn progress(choices: &mut Choices<'_>) -> Progress {
    Progress {
        point: point(choices),
        commit: CommitNumber::new(choices.u64()),
        time: Timestamp::from_micros(choices.u64()),
    }
}

fn identify() -> Identify {
    Identify {
        protocol: PROTOCOL_VERSION,
        format: 1,
        environment: ENVIRONMENT,
        instance: "north".into(),
        role: Role::Master,
        page_size: 4096,
        volume_limit: 0,
        durable: None,
        pack: true,
        greeting: None,
    }
}

fn identity(choices: &mut Choices<'_>) -> Identity {
    let durable = choices.flag().then(|| progress(choices));
    Identity {
        protocol: PROTOCOL_VERSION,
        format: 1,
        environment: durable.map(|_| ENVIRONMENT),
        instance: "south".into(),
        role: Role::Slave,
        page_size: 4096,
        received: durable,
        durable,
        sealed: choices.flag(),
        applied: durable,
        log_begins: None,
        forward_log: true,
        volume_limit: 0,
        pack: true,
        greeting: None,
    }
}

/// A slave takes what fits, refuses the first message that does not, and nothing after it.
fn with_slave(mut choices: Choices<'_>) {
    let own = identity(&mut choices);
    let mut receiver = Receiver::new(own.clone());
    let mut refused = false;
    for _ in 0..200 {
        if choices.is_empty() {
            return;
        }
        let Some(message) = to_slave(&mut choices, &receiver, &own) else {
            continue;
        };
        let farewell = matches!(message, Message::Refuse(_));
        let before = receiver.expected();
        match receiver.handle(message) {
            Ok(actions) => {
                assert!(!refused || farewell, "nothing is taken after a refusal");
                refused |= farewell;
                assert!(actions.len() <= 2);
                for action in &actions {
                    look(action, before);
                }
            }
            Err(refuse) => {
                assert_eq!(refuse.sqlstate.len(), 5);
                assert!(!refuse.message.is_empty());
                assert_eq!(receiver.expected(), None);
                refused = true;
            }
        }
    }
}

fn look(action: &ReceiverAction, expected: Option<Position>) {
    match action {
        ReceiverAction::Blocks { start, bytes } => {
            assert_eq!(Some(*start), expected);
            assert!(!bytes.is_empty());
        }
        ReceiverAction::Segment { id, header } => {
            assert!(SegmentHeader::decode(header).is_ok_and(|header| header.id == *id));
        }
        ReceiverAction::Adopt { environment, .. } => assert_eq!(*environment, ENVIRONMENT),
        _ => {}
    }
}

fn to_slave(choices: &mut Choices<'_>, receiver: &Receiver, own: &Identity) -> Option<Message> {
    Some(match choices.byte() % 9 {
        0 => Message::decode(Bytes::copy_from_slice(choices.piece())).ok()?,
        1 => Message::Identify(identify()),
        2 => Message::Start {
            at: choices.flag().then(|| point(choices)),
        },
        3 => Message::Start {
            at: own.durable.map(|durable| durable.point),
        },
        4 => Message::Segment {
            header: header(choices),
        },
        5 => Message::Blocks {
            start: receiver.expected().unwrap_or(Position::ORIGIN),
            bytes: Bytes::copy_from_slice(choices.piece()),
        },
        6 => Message::Seal {
            bytes: Bytes::copy_from_slice(choices.piece()),
        },
        7 => Message::KeepAlive {
            source: progress(choices).into(),
            reply: choices.flag(),
        },
        _ => Message::AskHash {
            position: point(choices).position,
        },
    })
}

fn header(choices: &mut Choices<'_>) -> Bytes {
    let header = SegmentHeader {
        kind: LogKind::Forward,
        page_size: 4096,
        environment: ENVIRONMENT,
        id: SegmentId::new(
            u32::from(choices.byte() % 4) + 1,
            u32::from(choices.byte() % 4) + 1,
        ),
        log_bytes: 0,
        last_commit: CommitNumber::ZERO,
        created: Timestamp::ZERO,
        previous: ChainHash::ZERO,
        origin: "north".into(),
    };
    let mut bytes = header.encode().to_vec();
    bytes.extend_from_slice(choices.take(1).get(1..).unwrap_or_default());
    bytes.into()
}

/// A source asks what it must, and stops in words at the first message that has no place.
fn with_source(mut choices: Choices<'_>) {
    let mut shipper = Shipper::new(identify(), u64::from(choices.u16()));
    let slave = identity(&mut choices);
    let mut shipping = false;
    let mut stopped = false;
    let mut end = slave
        .durable
        .map_or(Position::ORIGIN, |durable| durable.point.position);
    for _ in 0..200 {
        if choices.is_empty() || stopped {
            return;
        }
        if shipping && choices.flag() {
            let bytes = Bytes::copy_from_slice(choices.piece());
            let Some(offset) = end.offset.checked_add(bytes.len() as u64) else {
                return;
            };
            if bytes.is_empty() {
                continue;
            }
            if shipper.shipped().is_none() {
                // An empty slave gets the header of the first segment before its blocks.
                drop(shipper.segment(Bytes::new(), end));
            }
            let start = end;
            end.offset = offset;
            drop(shipper.blocks(start, end, bytes));
            continue;
        }
        let Some(message) = to_source(&mut choices, &slave) else {
            continue;
        };
        match shipper.handle(message) {
            Ok(actions) => {
                for action in actions {
                    (shipping, stopped) = act(&mut shipper, &action, &mut choices, shipping);
                }
            }
            Err(stop) => {
                assert_eq!(
                    stop.refuse().to_string().is_empty(),
                    stop.refuse().message.is_empty()
                );
                stopped = true;
            }
        }
        let _state = (shipper.reached(), shipper.room(), shipper.outstanding());
    }
}

/// Carries out an action; whether the log goes out now, and whether it is over.
fn act(
    shipper: &mut Shipper,
    action: &ShipperAction,
    choices: &mut Choices<'_>,
    shipping: bool,
) -> (bool, bool) {
    match action {
        ShipperAction::Locate(_) if choices.flag() => {
            drop(shipper.located());
            (true, false)
        }
        ShipperAction::Locate(_) => match shipper.not_located() {
            Ok(actions) => actions.into_iter().fold((false, false), |_, action| {
                act(shipper, &action, choices, false)
            }),
            Err(_) => (false, true),
        },
        ShipperAction::Borders { .. } => {
            let mut borders: Vec<Border> = (0..choices.byte() % 20)
                .map(|_| Border {
                    point: point(choices),
                    commit: None,
                    time: None,
                })
                .collect();
            borders.sort_by_key(|border| border.point);
            match shipper.borders(borders) {
                Ok(actions) => actions.into_iter().fold((false, false), |_, action| {
                    act(shipper, &action, choices, false)
                }),
                Err(_) => (false, true),
            }
        }
        ShipperAction::Send(_)
        | ShipperAction::Acknowledged(_)
        | ShipperAction::Below(_)
        | ShipperAction::Lost(_) => (shipping, false),
    }
}

fn to_source(choices: &mut Choices<'_>, slave: &Identity) -> Option<Message> {
    Some(match choices.byte() % 5 {
        0 => Message::decode(Bytes::copy_from_slice(choices.piece())).ok()?,
        1 => Message::Identity(slave.clone()),
        2 => Message::Status(Status {
            received: progress(choices),
            durable: progress(choices),
            applied: progress(choices),
            suspended: choices.flag().then(|| "held".to_owned()),
        }),
        3 => Message::Hash {
            position: point(choices).position,
            hash: choices
                .flag()
                .then(|| ChainHash::from_bytes([choices.byte(); 32])),
        },
        _ => Message::Refuse(Refuse::new(state::PREREQUISITE, "no")),
    })
}
