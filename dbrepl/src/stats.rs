//! Statistics of a source, for those who look for what it does: each message, and counters every ten seconds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dbproto::Message;
use tokio::time::Instant;

use crate::report::Reporter;

/// How often the counters are a line.
const INTERVAL: Duration = Duration::from_secs(10);

/// Off, until somebody wants them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Stats(Arc<Mutex<Option<On>>>);

#[derive(Debug)]
struct On {
    reporter: Reporter,
    counted: Counted,
    since: Instant,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    sent: u64,
    sent_bytes: u64,
    received: u64,
}

impl Stats {
    /// Turns them on, with the place for their lines, or off.
    pub(crate) fn set(&self, reporter: Option<Reporter>) {
        *self.on() = reporter.map(|reporter| On {
            reporter,
            counted: Counted::default(),
            since: Instant::now(),
        });
    }

    /// A message is given to the slave's connection, so many bytes of it.
    pub(crate) fn sent(&self, message: &Message, bytes: usize) {
        let mut on = self.on();
        if let Some(on) = &mut *on {
            on.counted.sent += 1;
            on.counted.sent_bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
            on.reporter.result(&format!("sent {}", shown(message)));
        }
    }

    /// A message has come from the slave.
    pub(crate) fn received(&self, message: &Message) {
        let mut on = self.on();
        if let Some(on) = &mut *on {
            on.counted.received += 1;
            on.reporter.result(&format!("received {}", shown(message)));
        }
    }

    /// The source is in another state.
    pub(crate) fn state(&self, state: &str) {
        if let Some(on) = &*self.on() {
            on.reporter.result(&format!("state: {state}"));
        }
    }

    /// Tells the counters where it is time.
    pub(crate) fn look(&self) {
        let mut on = self.on();
        let Some(on) = &mut *on else { return };
        if on.since.elapsed() < INTERVAL {
            return;
        }
        on.since = Instant::now();
        let Counted {
            sent,
            sent_bytes,
            received,
        } = std::mem::take(&mut on.counted);
        on.reporter.result(&format!(
            "in {} s: {sent} messages sent, {sent_bytes} bytes; {received} messages received",
            INTERVAL.as_secs()
        ));
    }

    fn on(&self) -> MutexGuard<'_, Option<On>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message by its name, and where in the log it is.
fn shown(message: &Message) -> String {
    let name = message.name();
    match message {
        Message::Blocks { start, bytes } => format!("{name} at {start}, {} bytes", bytes.len()),
        Message::Segment { header } => format!("{name}, {} bytes", header.len()),
        Message::Seal { bytes } => format!("{name}, {} bytes", bytes.len()),
        Message::KeepAlive { source, .. } => {
            format!("{name}, durable here {}", source.durable.point.position)
        }
        Message::Status(status) => format!(
            "{name}, received {}, durable {}, applied {}",
            status.received.point.position,
            status.durable.point.position,
            status.applied.point.position
        ),
        Message::Refuse(refuse) => format!("{name}: {refuse}"),
        Message::AskHash { position } | Message::Hash { position, .. } => {
            format!("{name} at {position}")
        }
        Message::Start { at } => match at {
            Some(at) => format!("{name} behind {}", at.position),
            None => format!("{name} at the beginning"),
        },
        Message::Identify(_)
        | Message::Identity(_)
        | Message::Above(_)
        | Message::Below(_)
        | Message::Lost(_) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use dbconfig::LogTarget;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn they_are_lines_only_while_they_are_on() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("stats");
        let reporter = Reporter::open(&LogTarget::File(log.clone()), false).unwrap();
        let stats = Stats::default();
        let ask = Message::AskHash {
            position: "1-1:5".parse().unwrap(),
        };
        stats.sent(&ask, 9);
        stats.set(Some(reporter));
        stats.sent(&ask, 9);
        stats.received(&Message::Start { at: None });
        stats.state("shipping");
        stats.look();
        tokio::time::advance(INTERVAL).await;
        stats.look();
        stats.look();
        stats.set(None);
        stats.sent(&ask, 9);
        let told = std::fs::read_to_string(log).unwrap();
        let lines: Vec<_> = told
            .lines()
            .filter_map(|line| line.split_once(" R1: "))
            .map(|(_, line)| line)
            .collect();
        assert_eq!(
            lines,
            [
                "sent AskHash at 1-1:5",
                "received Start at the beginning",
                "state: shipping",
                "in 10 s: 1 messages sent, 9 bytes; 1 messages received",
            ]
        );
    }
}
