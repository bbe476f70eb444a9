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
    /// The newest status, and when it was taken.
    latest: Option<(Status, Instant)>,
    asked: bool,
    prompt: bool,
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

    /// Whether what is on the disk is reported at once: somebody waits for it.
    pub fn set_prompt(&mut self, prompt: bool) {
        self.prompt = prompt;
    }

    /// Takes the newest status; gives the message to send now, if there is one.
    pub fn report(&mut self, status: Status, now: Instant) -> Option<Message> {
        assert!(
            status.durable.point.position <= status.received.point.position,
            "what is on the disk was received (invariant 5)"
        );
        let due = self.asked
            || self.sent.as_ref().is_none_or(|(sent, at)| {
                let age = now.saturating_duration_since(*at);
                let is_awaited = self.prompt && sent.durable != status.durable;
                is_awaited || age >= STATUS_INTERVAL || (age >= COALESCE && *sent != status)
            });
        self.latest = Some((status.clone(), now));
        if !due {
            return None;
        }
        self.asked = false;
        self.sent = Some((status.clone(), now));
        Some(Message::Status(status))
    }

    /// When to call [`StatusPacer::report`] again though nothing was heard; `None` = at once. As long as
    /// something is still to be applied it is asked for soon: who applies need not say so each time.
    pub fn next_report(&self) -> Option<Instant> {
        let (sent, sent_at) = self.sent.as_ref()?;
        let (latest, taken_at) = self.latest.as_ref()?;
        let waits = latest.applied.point.position < latest.received.point.position;
        let applies = latest.suspended.is_none() && waits;
        Some(if latest != sent {
            *sent_at + COALESCE
        } else if applies {
            *taken_at + COALESCE
        } else {
            *sent_at + STATUS_INTERVAL
        })
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
    fn what_somebody_waits_for_is_reported_at_once() {
        let start = Instant::now();
        let mut pacer = StatusPacer::new();
        pacer.set_prompt(true);
        assert!(pacer.report(status(1), start).is_some());
        assert!(pacer.report(status(2), start).is_some());
        assert!(pacer.report(status(2), start).is_none());
        pacer.set_prompt(false);
        assert!(pacer.report(status(3), start).is_none());
    }

    #[test]
    fn what_is_still_to_be_applied_is_asked_for_soon_and_again() {
        let start = Instant::now();
        let mut pacer = StatusPacer::new();
        let applying = Status {
            applied: status(1).applied,
            ..status(2)
        };
        assert!(pacer.report(applying.clone(), start).is_some());
        assert_eq!(pacer.next_report(), Some(start + COALESCE));
        let later = start + COALESCE;
        assert!(pacer.report(applying.clone(), later).is_none());
        assert_eq!(pacer.next_report(), Some(later + COALESCE));
        assert!(pacer.report(status(2), later + COALESCE).is_some());
        let suspended = Status {
            suspended: Some("a full disk".to_owned()),
            ..applying
        };
        let at = later + 2 * COALESCE;
        assert!(pacer.report(suspended, at).is_some());
        assert_eq!(pacer.next_report(), Some(at + STATUS_INTERVAL));
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
