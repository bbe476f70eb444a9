//! When a slave says how far it is: soon after a change, but not for every single one, and each
//! second when nothing changes.

use std::time::{Duration, Instant};

use crate::{Message, Status};

/// A slave reports at least this often.
pub const STATUS_INTERVAL: Duration = Duration::from_secs(1);

/// Changes within this time go in one report.
const COALESCE: Duration = Duration::from_millis(5);

/// Decides which reports go out.
#[derive(Debug, Default)]
pub struct StatusPacer {
    sent: Option<(Status, Instant)>,
    latest: Option<Status>,
    asked: bool,
}

impl StatusPacer {
    /// A pacer that has reported nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The source wants a report at once.
    pub fn ask(&mut self) {
        self.asked = true;
    }

    /// Takes the newest status; gives the message to send now, if there is one.
    pub fn report(&mut self, status: Status, now: Instant) -> Option<Message> {
        let [applied, durable, received] = [&status.applied, &status.durable, &status.received]
            .map(|progress| progress.point.position);
        assert!(
            applied <= durable && durable <= received,
            "a slave shows only what is durable (invariant 2)"
        );
        let due = self.asked
            || self.sent.as_ref().is_none_or(|(sent, at)| {
                let age = now.saturating_duration_since(*at);
                age >= STATUS_INTERVAL || (age >= COALESCE && *sent != status)
            });
        self.latest = Some(status);
        if !due {
            return None;
        }
        self.asked = false;
        let status = self.latest.clone()?;
        self.sent = Some((status.clone(), now));
        Some(Message::Status(status))
    }

    /// When to call [`StatusPacer::report`] again though nothing happened; `None` = at once.
    pub fn next_report(&self) -> Option<Instant> {
        let (sent, at) = self.sent.as_ref()?;
        let pending = self.latest.as_ref() != Some(sent);
        Some(*at + if pending { COALESCE } else { STATUS_INTERVAL })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Progress;
    use fwlog::{ChainHash, CommitNumber, LogPoint, Timestamp};

    fn status(offset: u64) -> Status {
        let position = format!("1-1:{offset}").parse().unwrap();
        let progress = Progress {
            point: LogPoint {
                position,
                hash: ChainHash::from_bytes([0; 32]),
            },
            commit: CommitNumber::new(offset),
            time: Timestamp::from_micros(offset),
        };
        Status {
            received: progress,
            durable: progress,
            applied: progress,
            suspended: None,
        }
    }

    #[test]
    fn changes_in_quick_succession_go_in_one_report() {
        let start = Instant::now();
        let mut pacer = StatusPacer::new();
        assert!(pacer.report(status(1), start).is_some());
        assert!(
            pacer
                .report(status(2), start + Duration::from_millis(1))
                .is_none()
        );
        assert!(
            pacer
                .report(status(3), start + Duration::from_millis(2))
                .is_none()
        );
        assert_eq!(pacer.next_report(), Some(start + COALESCE));
        let message = pacer.report(status(3), start + COALESCE);
        assert_eq!(message, Some(Message::Status(status(3))));
        assert_eq!(
            pacer.next_report(),
            Some(start + COALESCE + STATUS_INTERVAL)
        );
    }

    #[test]
    fn an_idle_slave_reports_each_second_and_when_asked() {
        let start = Instant::now();
        let mut pacer = StatusPacer::new();
        assert!(pacer.report(status(1), start).is_some());
        assert!(
            pacer
                .report(status(1), start + Duration::from_millis(900))
                .is_none()
        );
        assert!(pacer.report(status(1), start + STATUS_INTERVAL).is_some());
        pacer.ask();
        assert!(pacer.report(status(1), start + STATUS_INTERVAL).is_some());
    }
}
