//! NOTIFY: what the sessions of one database tell each other. A session that listens has a mailbox; whoever commits
//! puts what he has to tell into those that listen to its channel.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// So many bytes may wait for one session; until they are read no more is committed for it.
const MAILBOX_BYTES: usize = 64 * 1024 * 1024;

/// What one session tells the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The session that says it.
    pub pid: i32,
    /// On this channel.
    pub channel: Arc<str>,
    /// The text; empty where none was given.
    pub payload: Arc<str>,
}

impl Notification {
    /// The memory that it takes in a mailbox.
    fn bytes(&self) -> usize {
        self.channel.len() + self.payload.len() + size_of::<Self>()
    }
}

/// Where notifications wait for a session.
#[derive(Debug, Default)]
pub struct Mailbox {
    inside: Mutex<Inside>,
    /// Something has arrived.
    pub arrived: Notify,
}

#[derive(Debug, Default)]
struct Inside {
    channels: BTreeSet<String>,
    waiting: Vec<Notification>,
    bytes: usize,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        // It is changed in single steps, so it is whole even after a panic.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The channels that it listens to, in their order.
    pub fn channels(&self) -> BTreeSet<String> {
        self.lock().channels.clone()
    }

    /// From now on it listens to these alone.
    pub fn set_channels(&self, channels: BTreeSet<String>) {
        self.lock().channels = channels;
    }

    /// What has arrived since the last call.
    pub fn take(&self) -> Vec<Notification> {
        let mut inside = self.lock();
        inside.bytes = 0;
        std::mem::take(&mut inside.waiting)
    }

    fn put(&self, told: &[Notification]) {
        let mut inside = self.lock();
        let heard = told
            .iter()
            .filter(|one| inside.channels.contains(&*one.channel));
        let heard: Vec<Notification> = heard.cloned().collect();
        if heard.is_empty() {
            return;
        }
        inside.bytes += heard.iter().map(Notification::bytes).sum::<usize>();
        inside.waiting.extend(heard);
        drop(inside);
        self.arrived.notify_one();
    }

    fn is_full(&self, told: &[Notification]) -> bool {
        let inside = self.lock();
        inside.bytes > MAILBOX_BYTES
            && told
                .iter()
                .any(|one| inside.channels.contains(&*one.channel))
    }
}

/// The mailboxes of the sessions that listen in one database.
#[derive(Debug, Default)]
pub struct Notifications(Mutex<Vec<Arc<Mailbox>>>);

impl Notifications {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Mailbox>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session begins to listen; where it does already nothing changes.
    pub fn enter(&self, mailbox: &Arc<Mailbox>) {
        let mut all = self.lock();
        if !all.iter().any(|known| Arc::ptr_eq(known, mailbox)) {
            all.push(Arc::clone(mailbox));
        }
    }

    /// A session listens no more.
    pub fn leave(&self, mailbox: &Arc<Mailbox>) {
        self.lock().retain(|known| !Arc::ptr_eq(known, mailbox));
    }

    /// Whether one of those who would hear it has more waiting than it may have.
    pub fn are_full(&self, told: &[Notification]) -> bool {
        !told.is_empty() && self.lock().iter().any(|mailbox| mailbox.is_full(told))
    }

    /// What a session has committed is told to those who listen.
    pub fn tell(&self, told: &[Notification]) {
        for mailbox in self.lock().iter() {
            mailbox.put(told);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(channel: &str, payload: &str) -> Notification {
        Notification {
            pid: 7,
            channel: channel.into(),
            payload: payload.into(),
        }
    }

    #[test]
    fn each_session_hears_its_own_channels() {
        let (all, one, other) = (Notifications::default(), Arc::default(), Arc::default());
        for (mailbox, channel) in [(&one, "a"), (&other, "b")] {
            Mailbox::set_channels(mailbox, [channel.to_owned()].into());
            all.enter(mailbox);
            all.enter(mailbox);
        }
        all.tell(&[told("a", "1"), told("b", "2"), told("c", "3")]);
        assert_eq!(one.take(), [told("a", "1")]);
        assert_eq!(one.take(), []);
        assert_eq!(other.take(), [told("b", "2")]);
        all.leave(&other);
        all.tell(&[told("b", "4")]);
        assert_eq!(other.take(), []);
    }

    #[test]
    fn a_mailbox_that_nobody_reads_becomes_full() {
        let (all, one) = (Notifications::default(), Arc::<Mailbox>::default());
        one.set_channels(["a".to_owned()].into());
        all.enter(&one);
        let large = [told("a", &"x".repeat(MAILBOX_BYTES))];
        assert!(!all.are_full(&large));
        all.tell(&large);
        assert!(all.are_full(&large));
        assert!(!all.are_full(&[told("b", "")]));
        drop(one.take());
        assert!(!all.are_full(&large));
    }
}
