//! Addresses of hosts by their names: looked up when a client comes, and remembered for a short time.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use dbconfig::host::HostName;
use tokio::sync::watch;

/// How long an answer holds.
const HOLDS: Duration = Duration::from_mins(1);
/// How long it holds that there was none.
const FAILURE_HOLDS: Duration = Duration::from_secs(10);
/// How long a client waits for an answer; without one the name counts as one that can't be resolved.
const PATIENCE: Duration = Duration::from_secs(5);

type Lookup = fn(&HostName) -> io::Result<Vec<IpAddr>>;

/// Names of the configuration and what they stand for. There are as many entries as the configuration has names,
/// and at most one thread that looks up each.
pub(crate) struct Names {
    lookup: Lookup,
    patience: Duration,
    entries: Mutex<BTreeMap<HostName, Entry>>,
}

#[derive(Default)]
struct Entry {
    answer: Option<Answer>,
    /// Closed when the thread that looks it up has its answer.
    looking: Option<watch::Receiver<()>>,
    /// The log says that it can't be resolved.
    is_told: bool,
}

struct Answer {
    addresses: Option<Vec<IpAddr>>,
    until: Instant,
}

impl Names {
    /// As the system resolves them.
    pub(crate) fn new() -> Arc<Self> {
        Self::with(resolve, PATIENCE)
    }

    fn with(lookup: Lookup, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            lookup,
            patience,
            entries: Mutex::default(),
        })
    }

    /// The addresses of a name; none when it can't be resolved, or not in time.
    pub(crate) async fn addresses(self: &Arc<Self>, name: &HostName) -> Option<Vec<IpAddr>> {
        let mut looking = match self.begin(name, Instant::now()) {
            Ok(addresses) => return addresses,
            Err(looking) => looking,
        };
        // Nothing is ever sent: its end is the news.
        let ended = tokio::time::timeout(self.patience, looking.changed()).await;
        let mut entries = self.entries();
        let entry = entries.entry(name.clone()).or_default();
        if ended.is_err() {
            entry.tell(name, "there was no answer in time");
            return None;
        }
        entry.answer.as_ref()?.addresses.clone()
    }

    /// What is known, else what to wait for.
    fn begin(
        self: &Arc<Self>,
        name: &HostName,
        now: Instant,
    ) -> Result<Option<Vec<IpAddr>>, watch::Receiver<()>> {
        let mut entries = self.entries();
        let entry = entries.entry(name.clone()).or_default();
        if let Some(answer) = entry.answer.as_ref().filter(|answer| now < answer.until) {
            return Ok(answer.addresses.clone());
        }
        if let Some(looking) = &entry.looking {
            return Err(looking.clone());
        }
        let (end, looking) = watch::channel(());
        let (names, wanted) = (Arc::clone(self), name.clone());
        // It may hang for longer than anybody waits, so it is a thread that nobody waits for.
        let thread = thread::Builder::new().name("host-name".into());
        let begun = thread.spawn(move || {
            let found = (names.lookup)(&wanted);
            names.note(&wanted, found);
            drop(end);
        });
        match begun {
            Ok(_) => {
                entry.looking = Some(looking.clone());
                Err(looking)
            }
            Err(error) => {
                entry.note(name, Err(error));
                Ok(None)
            }
        }
    }

    fn note(&self, name: &HostName, found: io::Result<Vec<IpAddr>>) {
        let mut entries = self.entries();
        entries.entry(name.clone()).or_default().note(name, found);
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<HostName, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn note(&mut self, name: &HostName, found: io::Result<Vec<IpAddr>>) {
        let (addresses, holds) = match found {
            Ok(addresses) => {
                if std::mem::take(&mut self.is_told) {
                    tracing::info!(%name, "a host of the access rules can be resolved again");
                }
                (Some(addresses), HOLDS)
            }
            Err(error) => {
                self.tell(name, &error.to_string());
                (None, FAILURE_HOLDS)
            }
        };
        let until = Instant::now() + holds;
        self.answer = Some(Answer { addresses, until });
        self.looking = None;
    }

    /// Once, until it can be resolved again.
    fn tell(&mut self, name: &HostName, why: &str) {
        if !std::mem::replace(&mut self.is_told, true) {
            tracing::warn!(
                %name,
                "a host of the access rules can't be resolved: in allow it is nobody, in deny it keeps out whomever it could be: {why}"
            );
        }
    }
}

fn resolve(name: &HostName) -> io::Result<Vec<IpAddr>> {
    let found = (name.as_str(), 0).to_socket_addrs()?;
    Ok(found.map(|address| address.ip()).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn name(text: &str) -> HostName {
        text.parse().unwrap()
    }

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(work)
    }

    #[test]
    fn many_who_ask_at_once_are_one_lookup_and_its_answer_is_remembered() {
        static LOOKUPS: AtomicUsize = AtomicUsize::new(0);
        let names = Names::with(
            |_| {
                LOOKUPS.fetch_add(1, Ordering::SeqCst);
                Ok(vec![IpAddr::from([10, 0, 0, 1])])
            },
            Duration::from_mins(1),
        );
        let till = name("till");
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let found = block_on(names.addresses(&till));
                    assert_eq!(found, Some(vec![IpAddr::from([10, 0, 0, 1])]));
                });
            }
        });
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 1);
        // An answer that is too old is none.
        let later = Instant::now() + HOLDS;
        let mut looking = names.begin(&till, later).unwrap_err();
        assert!(block_on(looking.changed()).is_err());
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn what_cannot_be_resolved_is_no_address_and_is_asked_again_later() {
        let names = Names::with(
            |_| Err(io::Error::other("no such host")),
            Duration::from_mins(1),
        );
        let lost = name("lost");
        assert_eq!(block_on(names.addresses(&lost)), None);
        let now = Instant::now();
        assert_eq!(names.begin(&lost, now).ok(), Some(None));
        let later = now + FAILURE_HOLDS + Duration::from_secs(1);
        assert!(names.begin(&lost, later).is_err());
    }

    #[test]
    fn nobody_waits_for_ever_and_one_thread_hangs_at_most() {
        static LOOKUPS: AtomicUsize = AtomicUsize::new(0);
        let names = Names::with(
            |_| {
                LOOKUPS.fetch_add(1, Ordering::SeqCst);
                loop {
                    thread::park();
                }
            },
            Duration::from_millis(1),
        );
        for _ in 0..3 {
            assert_eq!(block_on(names.addresses(&name("slow"))), None);
        }
        while LOOKUPS.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 1);
        assert!(names.entries()[&name("slow")].is_told);
    }
}
