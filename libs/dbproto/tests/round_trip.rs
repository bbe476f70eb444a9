//! Every message comes back from its bytes as it was, and no bytes make the decoder panic.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use dbproto::{
    Below, Brake, Greeting, Identify, Identity, Member, Message, PROTOCOL_VERSION, Progress,
    Receiver, ReceiverAction, Refuse, Role, Shipper, ShipperAction, SourceState, Standing, Status,
};
use fwlog::{
    Above, BootNonce, ChainHash, CommitNumber, EnvironmentId, Generation, GenerationId,
    GenerationReason, HistoryLine, InstanceId, LogPoint, LostFork, LostForkId, LostForks, Position,
    SegmentId, SettledForks, Speaker, Timestamp, TreePath, Twin,
};
use pgtypes::SqlState;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn position() -> impl Strategy<Value = Position> {
    (1..=u32::MAX, 1..=u32::MAX, any::<u64>()).prop_map(|(generation, sequence, offset)| {
        Position::new(SegmentId::new(generation, sequence), offset)
    })
}

fn point() -> impl Strategy<Value = LogPoint> {
    (position(), any::<[u8; 32]>())
        .prop_map(|(position, hash)| LogPoint::new(position, ChainHash::from_bytes(hash)))
}

fn progress() -> impl Strategy<Value = Progress> {
    (point(), any::<u64>(), any::<u64>()).prop_map(|(point, commit, time)| Progress {
        point,
        commit: CommitNumber::new(commit),
        time: Timestamp::from_micros(time),
    })
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![
        Just(Role::Standalone),
        Just(Role::Master),
        Just(Role::Slave)
    ]
}

fn bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..2000).prop_map(Bytes::from)
}

prop_compose! {
    fn line()(number in 1..=u32::MAX, id in any::<[u8; 32]>(), reason in 1..=4_u8, parent in progress(), instance in "\\PC{0,15}") -> HistoryLine {
        HistoryLine {
            number: Generation::new(number),
            id: GenerationId::new(ChainHash::from_bytes(id)),
            reason: GenerationReason::of_code(reason).expect("a reason"),
            time: parent.time,
            parent: parent.point,
            commit: parent.commit,
            instance,
        }
    }
}

prop_compose! {
    fn speaker()(ids in any::<[[u8; 16]; 2]>(), name in "[a-z]{1,15}") -> Speaker {
        Speaker { id: InstanceId::from_bytes(ids[0]), boot: BootNonce::from_bytes(ids[1]), name }
    }
}

prop_compose! {
    fn above()(path in vec(speaker(), 1..=64), root in any::<bool>(), twins in vec((speaker(), "\\PC{0,50}"), 0..3)) -> Box<Above> {
        let twins = twins.into_iter().map(|(instance, other)| Twin { instance, other });
        Box::new(Above { path: TreePath::new(path, root).expect("not too many"), twins: twins.collect() })
    }
}

prop_compose! {
    fn fork_id()(id in any::<[u8; 16]>(), hash in any::<[u8; 32]>()) -> LostForkId {
        LostForkId { hash: ChainHash::from_bytes(hash), instance: InstanceId::from_bytes(id) }
    }
}

prop_compose! {
    fn lost_fork()(id in any::<[u8; 16]>(), instance in "[a-z]{1,15}", was_root in any::<bool>(), fork in point(), numbers in any::<[u64; 2]>(), generations in vec(any::<[u8; 32]>(), 0..4)) -> LostFork {
        let generations = generations.into_iter().map(ChainHash::from_bytes);
        LostFork {
            id: InstanceId::from_bytes(id),
            instance,
            was_root,
            fork,
            commit: CommitNumber::new(numbers[0]),
            transactions: numbers[1],
            generations: generations.map(GenerationId::new).collect(),
        }
    }
}

prop_compose! {
    fn greeting()(ids in any::<[[u8; 16]; 2]>(), name in "\\PC{0,15}", mut branch in vec(line(), 0..5), above in option::of(above()), settled in option::of(vec(fork_id(), 0..5))) -> Box<Greeting> {
        branch.sort_by_key(|line| line.number);
        branch.dedup_by_key(|line| line.number);
        let (id, boot) = (InstanceId::from_bytes(ids[0]), BootNonce::from_bytes(ids[1]));
        Box::new(Greeting { speaker: Speaker { id, boot, name }, branch, above, settled: settled.map(SettledForks::of) })
    }
}

prop_compose! {
    fn identify()(
        format in any::<u32>(),
        environment in any::<[u8; 16]>(),
        instance in "\\PC{0,15}",
        role in role(),
        page_size in any::<u32>(),
        volume_limit in any::<u64>(),
        durable in option::of(progress()),
        (pack, greeting) in (any::<bool>(), option::of(greeting())),
    ) -> Identify {
        let environment = EnvironmentId::from_bytes(environment);
        let protocol = PROTOCOL_VERSION;
        Identify { protocol, format, environment, instance, role, page_size, volume_limit, durable, pack, greeting }
    }
}

prop_compose! {
    fn identity()(
        source in identify(),
        adopts in any::<bool>(),
        received in option::of(progress()),
        applied in option::of(progress()),
        log_begins in option::of(position()),
        (sealed, forward_log) in any::<(bool, bool)>(),
    ) -> Identity {
        Identity {
            protocol: source.protocol,
            format: source.format,
            environment: (!adopts).then_some(source.environment),
            instance: source.instance,
            role: source.role,
            page_size: source.page_size,
            received,
            durable: source.durable,
            sealed,
            applied,
            log_begins,
            forward_log,
            volume_limit: source.volume_limit,
            pack: source.pack,
            greeting: source.greeting,
        }
    }
}

prop_compose! {
    fn status()(
        received in progress(),
        durable in progress(),
        applied in progress(),
        suspended in option::of("\\PC{0,100}"),
    ) -> Status {
        Status { received, durable, applied, suspended }
    }
}

prop_compose! {
    fn member()(
        level in 1..5_u8,
        name in "[a-z]{1,15}",
        ids in option::of(any::<[[u8; 16]; 2]>()),
        (address, reason) in ("[a-z:]{0,20}", option::of("[a-z ]{0,20}")),
        times in any::<[u64; 3]>(),
        (durable, applied) in (option::of(progress()), option::of(progress())),
    ) -> Member {
        let [since, connected, heard] = times.map(Timestamp::from_micros);
        // Chain hashes do not go along.
        let place = |mut progress: Progress| {
            progress.point.hash = ChainHash::ZERO;
            progress
        };
        Member {
            level,
            name,
            speaker: ids.map(|[id, boot]| (InstanceId::from_bytes(id), BootNonce::from_bytes(boot))),
            address,
            standing: (level > 1).then_some(Standing::Following),
            since,
            reason,
            connected,
            heard,
            durable: durable.map(place),
            applied: applied.map(place),
        }
    }
}

fn below() -> impl Strategy<Value = Below> {
    vec(member(), 0..6).prop_map(|members| {
        let mut below = Below::default();
        for member in members {
            below.push(member);
        }
        below
    })
}

prop_compose! {
    fn refuse()(sqlstate in "[0-9A-Z]{5}", message in "\\PC{0,100}", detail in "\\PC{0,100}", hint in "\\PC{0,100}") -> Refuse {
        Refuse { sqlstate, message, detail, hint }
    }
}

prop_compose! {
    fn source_state()(durable in progress(), times in any::<[u64; 3]>(), log_bytes in any::<u64>(), flags in any::<[bool; 5]>(), delay in 0_u64..u64::MAX / 2, held in option::of(any::<u64>())) -> SourceState {
        let [now, oldest, silent] = times.map(Timestamp::from_micros);
        let [caught_up, has_oldest, is_silent, stopped, prompt] = flags;
        SourceState {
            durable,
            log_bytes,
            now,
            oldest_outstanding: has_oldest.then_some(oldest),
            caught_up,
            silent_since: is_silent.then_some(silent),
            stopped,
            brake: Brake {
                delay: Duration::from_micros(delay),
                held: held.map(CommitNumber::new),
            },
            prompt,
        }
    }
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        identify().prop_map(Message::Identify),
        identity().prop_map(Message::Identity),
        position().prop_map(|position| Message::AskHash { position }),
        (position(), option::of(any::<[u8; 32]>())).prop_map(|(position, hash)| Message::Hash {
            position,
            hash: hash.map(ChainHash::from_bytes),
        }),
        option::of(point()).prop_map(|at| Message::Start { at }),
        bytes().prop_map(|header| Message::Segment { header }),
        (position(), bytes()).prop_map(|(start, bytes)| Message::Blocks { start, bytes }),
        bytes().prop_map(|bytes| Message::Seal { bytes }),
        (source_state(), any::<bool>())
            .prop_map(|(source, reply)| Message::KeepAlive { source, reply }),
        status().prop_map(Message::Status),
        above().prop_map(Message::Above),
        below().prop_map(|below| Message::Below(Box::new(below))),
        vec(lost_fork(), 0..4).prop_map(|forks| Message::Lost(LostForks::of(forks))),
        refuse().prop_map(Message::Refuse),
    ]
}

/// A source that fits a slave, but for its role.
fn identify_for(slave: &Identity) -> Identify {
    Identify {
        protocol: slave.protocol,
        format: slave.format,
        environment: slave
            .environment
            .unwrap_or(EnvironmentId::from_bytes([1; 16])),
        instance: slave.instance.clone(),
        role: Role::Master,
        page_size: slave.page_size,
        volume_limit: slave.volume_limit,
        durable: slave.durable,
        pack: slave.pack,
        greeting: None,
    }
}

fn encoded(message: &Message) -> Bytes {
    let mut out = BytesMut::new();
    message.encode(&mut out);
    out.freeze()
}

fn is_file_piece(message: &Message) -> bool {
    matches!(
        message,
        Message::Segment { .. } | Message::Blocks { .. } | Message::Seal { .. }
    )
}

proptest! {
    #[test]
    fn every_message_comes_back_from_its_bytes(message in message()) {
        prop_assert_eq!(Message::decode(encoded(&message)), Ok(message));
    }

    #[test]
    fn every_message_comes_back_from_its_packed_bytes(message in message()) {
        let mut out = BytesMut::new();
        let tail = message.encode_packed(&mut out);
        out.extend_from_slice(&tail);
        prop_assert_eq!(Message::decode(out.freeze()), Ok(message));
    }

    #[test]
    fn a_message_of_fields_cut_anywhere_is_an_error_or_what_an_older_side_says(
        message in message().prop_filter("a piece of a file ends anywhere", |message| !is_file_piece(message)),
        cut in any::<prop::sample::Index>(),
    ) {
        let whole = encoded(&message);
        let cut = whole.slice(..cut.index(whole.len()));
        // What was added stands at the end: an older side ends before it, and says nothing else.
        if let Ok(older) = Message::decode(cut.clone()) {
            let was_extended = matches!(
                older,
                Message::Identify(_) | Message::Identity(_) | Message::KeepAlive { .. }
            );
            prop_assert!(was_extended && encoded(&older) == cut);
        }
    }

    #[test]
    fn both_sides_survive_any_messages(identity in identity(), messages in vec(message(), 0..20)) {
        let source = identify_for(&identity);
        let mut receiver = Receiver::new(identity.clone());
        let mut shipper = Shipper::new(source.clone(), 1000);
        let greeting = [Message::Identify(source), Message::Identity(identity)];
        for message in greeting.into_iter().chain(messages) {
            let expected = receiver.expected();
            if let Ok(actions) = receiver.handle(message.clone()) {
                for action in actions {
                    if let ReceiverAction::Blocks { start, .. } = action {
                        prop_assert_eq!(Some(start), expected);
                    }
                }
            }
            if let Ok(actions) = shipper.handle(message) {
                for action in actions {
                    if let ShipperAction::Locate(_) = action {
                        shipper.located();
                    }
                }
            }
        }
    }

    #[test]
    fn what_any_bytes_decode_to_is_a_message_that_comes_back(kind in "[IiAhSGBZEKsPtR]", body in vec(any::<u8>(), 0..300)) {
        let bytes = [kind.as_bytes(), &body].concat();
        if let Ok(message) = Message::decode(Bytes::from(bytes)) {
            prop_assert_eq!(Message::decode(encoded(&message)), Ok(message));
        }
    }
}

#[test]
fn a_text_too_long_for_a_message_is_cut_at_a_character() {
    let refuse = Refuse::new(SqlState::INTERNAL_ERROR, "é".repeat(5000));
    let Ok(Message::Refuse(back)) = Message::decode(encoded(&Message::Refuse(refuse))) else {
        panic!("a refusal comes back as one");
    };
    assert_eq!(back.message, "é".repeat(2048));
}
