//! Drives a [`Shipper`] by the commands of a transcript.

use bytes::Bytes;
use dbproto::{
    Below, Border, BorderKind, Member, Message, Reached, Refusal, Shipper, ShipperAction, Status,
};
use fwlog::{CommitNumber, InstanceId, LogPoint, LostFork, LostForks, Timestamp};

use super::{
    Words, above, hash, header, identify, identity, progress, refuse, show, show_below, show_lost,
    show_progress, show_refuse, show_start,
};

#[derive(Default)]
pub(crate) struct ShipperSide(Option<Shipper>);

impl ShipperSide {
    pub(crate) fn run(&mut self, command: &str) -> Vec<String> {
        let words = Words::new(command);
        if words.at(0) == "source" {
            let shipper = Shipper::new(identify(&words), words.number("window", 1000));
            let first = format!("send {}", show(&shipper.begin()));
            self.0 = Some(shipper);
            return vec![first];
        }
        let shipper = self.0.as_mut().unwrap();
        match words.at(0) {
            "identity" => actions(shipper.handle(Message::Identity(identity(&words)))),
            "refuse" => actions(shipper.handle(Message::Refuse(refuse(&words)))),
            "hash" => {
                let hash = Some(words.at(2)).filter(|text| *text != "none").map(hash);
                let position = words.at(1).parse().unwrap();
                actions(shipper.handle(Message::Hash { position, hash }))
            }
            "status" => actions(shipper.handle(Message::Status(status(&words)))),
            "tell" => match shipper.tell_above(above(words.at(1))) {
                Ok(None) => Vec::new(),
                Ok(Some(message)) => vec![format!("send {}", show(&message))],
                Err(refusal) => actions(Err(refusal)),
            },
            "lost" => actions(shipper.handle(Message::Lost(lost(&words)))),
            "below" => actions(shipper.handle(Message::Below(Box::new(below(&words))))),
            "keep-alive" => {
                let source = progress(words.at(1)).into();
                actions(shipper.handle(Message::KeepAlive {
                    source,
                    reply: false,
                }))
            }
            "located" => vec![format!("send {}", show(&shipper.located()))],
            "not-located" => actions(shipper.not_located()),
            "borders" => {
                actions(shipper.borders(words.from(1).iter().copied().map(border).collect()))
            }
            _ => ship(shipper, &words),
        }
    }
}

fn ship(shipper: &mut Shipper, words: &Words<'_>) -> Vec<String> {
    match words.at(0) {
        "segment" => {
            let end = format!("{}:128", words.at(1)).parse().unwrap();
            let message = shipper.segment(header(words.at(1), words), end);
            vec![format!("send {}", show(&message))]
        }
        "blocks" => {
            let start: fwlog::Position = words.at(1).parse().unwrap();
            let length: u64 = words.at(2).parse().unwrap();
            let end = fwlog::Position::new(start.segment, start.offset + length);
            let bytes = Bytes::from(vec![0; usize::try_from(length).unwrap()]);
            vec![format!("send {}", show(&shipper.blocks(start, end, bytes)))]
        }
        "seal" => vec![format!(
            "send {}",
            show(&shipper.seal(Bytes::from_static(&[0; 68])))
        )],
        "room" => vec![format!(
            "{} of room, {} on the way",
            shipper.room(),
            shipper.outstanding()
        )],
        "packs" => vec![shipper.packs().to_string()],
        "reached" => vec![match shipper.reached() {
            Reached::No => "not yet".to_owned(),
            Reached::Applied => "applied".to_owned(),
            Reached::Durable { suspended } => format!("durable, suspended: {suspended}"),
        }],
        other => panic!("no command {other}"),
    }
}

/// `1south 2west`: levels and names.
fn below(words: &Words<'_>) -> Below {
    let mut below = Below::default();
    for word in words.from(1) {
        let (level, name) = word.split_at(1);
        below.push(Member {
            level: level.parse().unwrap(),
            name: name.to_owned(),
            speaker: None,
            address: String::new(),
            standing: None,
            since: Timestamp::ZERO,
            reason: None,
            connected: Timestamp::ZERO,
            heard: Timestamp::ZERO,
            durable: None,
            applied: None,
        });
    }
    below
}

/// `north:37@1-3:500/a3`: names, numbers and forks.
fn lost(words: &Words<'_>) -> LostForks {
    LostForks::of(words.from(1).iter().map(|word| {
        let (instance, rest) = word.split_once(':').unwrap();
        let (transactions, at) = rest.split_once('@').unwrap();
        let (position, tip) = at.split_once('/').unwrap();
        LostFork {
            id: InstanceId::from_bytes([1; 16]),
            instance: instance.to_owned(),
            was_root: true,
            fork: LogPoint::new(position.parse().unwrap(), hash(tip)),
            commit: CommitNumber::new(1),
            transactions: transactions.parse().unwrap(),
            generations: Vec::new(),
        }
    }))
}

fn status(words: &Words<'_>) -> Status {
    let durable = words.progress("durable").unwrap();
    Status {
        received: words.progress("received").unwrap_or(durable),
        durable,
        applied: words.progress("applied").unwrap_or(durable),
        suspended: words.get("suspended").map(str::to_owned),
    }
}

fn border(text: &str) -> Border {
    let progress = progress(text);
    Border {
        point: progress.point,
        commit: Some(progress.commit),
        time: Some(progress.time),
    }
}

fn actions(result: Result<Vec<ShipperAction>, Refusal>) -> Vec<String> {
    match result {
        Ok(actions) => actions.iter().map(action).collect(),
        Err(Refusal::Ours(refuse)) => {
            let mut lines = vec![format!("stop, refuse {}", show_refuse(&refuse))];
            if !refuse.hint.is_empty() {
                lines.push(format!("hint {}", refuse.hint));
            }
            lines
        }
        Err(Refusal::Theirs(refuse)) => vec![format!("stop, refused {}", show_refuse(&refuse))],
    }
}

fn action(action: &ShipperAction) -> String {
    match action {
        ShipperAction::Send(message) => format!("send {}", show(message)),
        ShipperAction::Locate(at) => format!("locate {}", show_start(at.as_ref())),
        ShipperAction::Borders { of, from, to } => {
            let what = match of {
                BorderKind::Segments => "segments".to_owned(),
                BorderKind::Blocks(id) => format!("blocks of {id}"),
            };
            let from = from.map_or_else(|| "the beginning".to_owned(), |from| from.to_string());
            format!("borders of {what} from {from} to {to}")
        }
        ShipperAction::Acknowledged(status) => {
            format!("acknowledged {}", show_progress(&status.durable))
        }
        ShipperAction::Below(below) => format!("below: {}", show_below(below)),
        ShipperAction::Lost(forks) => format!("lost: {}", show_lost(forks)),
    }
}
