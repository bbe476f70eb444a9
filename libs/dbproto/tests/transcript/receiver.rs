//! Drives a [`Receiver`] by the commands of a transcript.

use bytes::Bytes;
use dbproto::{Message, Receiver, ReceiverAction};

use super::{
    Words, above, hash, header, identify, identity, point, progress, refuse, show, show_above,
    show_progress, show_refuse, show_start,
};

#[derive(Default)]
pub(crate) struct ReceiverSide(Option<Receiver>);

impl ReceiverSide {
    pub(crate) fn run(&mut self, command: &str) -> Vec<String> {
        let words = Words::new(command);
        let message = match words.at(0) {
            "slave" => {
                self.0 = Some(Receiver::new(identity(&words)));
                return Vec::new();
            }
            "own-hash" => {
                let hash = Some(words.at(2)).filter(|text| *text != "none").map(hash);
                let answer = Receiver::hash(words.at(1).parse().unwrap(), hash);
                return vec![format!("send {}", show(&answer))];
            }
            "identify" => Message::Identify(identify(&words)),
            "ask" => Message::AskHash {
                position: words.at(1).parse().unwrap(),
            },
            "start" => Message::Start {
                at: Some(words.at(1))
                    .filter(|text| *text != "beginning")
                    .map(point),
            },
            "segment" if words.at(1) == "garbage" => Message::Segment {
                header: Bytes::from_static(b"x"),
            },
            "segment" => Message::Segment {
                header: header(words.at(1), &words),
            },
            "blocks" => {
                let bytes = Bytes::from(vec![0; words.at(2).parse().unwrap()]);
                Message::Blocks {
                    start: words.at(1).parse().unwrap(),
                    bytes,
                }
            }
            "seal" => Message::Seal {
                bytes: Bytes::from_static(&[0; 68]),
            },
            "keep-alive" => Message::KeepAlive {
                source: progress(words.at(1)).into(),
                reply: words.get("reply").is_some(),
            },
            "above" => Message::Above(Box::new(above(words.at(1)))),
            "refuse" => Message::Refuse(refuse(&words)),
            other => panic!("no command {other}"),
        };
        match self.0.as_mut().unwrap().handle(message) {
            Ok(actions) => actions.iter().map(action).collect(),
            Err(refuse) => vec![format!("refuse {}", show_refuse(&refuse))],
        }
    }
}

fn action(action: &ReceiverAction) -> String {
    match action {
        ReceiverAction::Send(message) => format!("send {}", show(message)),
        ReceiverAction::LookUpHash(position) => format!("look up {position}"),
        ReceiverAction::Adopt {
            environment,
            instance,
        } => {
            format!(
                "adopt environment {} of {instance}",
                &environment.to_string()[..2]
            )
        }
        ReceiverAction::Start { at } => format!("start at {}", show_start(at.as_ref())),
        ReceiverAction::Segment { id, header } => {
            format!("segment {id}, header of {} bytes", header.len())
        }
        ReceiverAction::Blocks { start, bytes } => {
            format!("blocks at {start}, {} bytes", bytes.len())
        }
        ReceiverAction::Seal { bytes } => format!("seal of {} bytes", bytes.len()),
        ReceiverAction::KeepAlive { source, reply } => {
            format!(
                "source at {}, reply={reply}",
                show_progress(&source.durable)
            )
        }
        ReceiverAction::Above(above) => format!("above: {}", show_above(above)),
        ReceiverAction::Refused(refuse) => format!("refused {}", show_refuse(refuse)),
    }
}
