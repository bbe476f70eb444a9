//! The master's log as all slaves of this process read it: one reader for those that have all but the newest.
//!
//! ```text
//! slave far behind:   Follow of its own ────────────────▶ pieces
//! slaves at the end:  one Head (Follow + LogWatch + Pace) ──▶ Ring ──▶ pieces of each
//! ```
//! Whoever wants more than there is in the ring reads for all: the others wait for the lock of the head, and find
//! the piece in the ring. Nobody reads while nobody wants more.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as PlainMutex, MutexGuard, PoisonError, Weak};

use fwlog::{Durable, Follow, FollowItem, LogLocation};
use tokio::sync::Mutex;

use super::life::{Life, Sign};
use super::pace::Pace;
use super::piece::{Mark, Read, read};
use super::ring::{Ring, Taken};
use super::watch::{LogWatch, News};
use crate::report::Reporter;

/// What the slaves of one process share of a log.
pub struct SharedLog {
    location: LogLocation,
    slaves: usize,
    /// How many slaves read at a place of their own.
    behind: AtomicUsize,
    /// Commits wait for one of the slaves.
    prompt: AtomicBool,
    live: PlainMutex<Weak<Live>>,
    life: PlainMutex<Life>,
    reporter: Reporter,
}

impl SharedLog {
    /// For so many slaves; what concerns all of them is told there.
    pub fn new(location: &LogLocation, slaves: usize, reporter: Reporter) -> Arc<Self> {
        Arc::new(Self {
            location: location.clone(),
            slaves,
            behind: AtomicUsize::new(0),
            prompt: AtomicBool::new(false),
            live: PlainMutex::new(Weak::new()),
            life: PlainMutex::new(Life::of(location)),
            reporter,
        })
    }

    /// Where it is.
    pub fn location(&self) -> &LogLocation {
        &self.location
    }

    /// Whether there is more than one slave.
    pub fn is_shared(&self) -> bool {
        self.slaves > 1
    }

    /// How the master's server is, and the durable end of its log where that can be told. What has changed is
    /// told once, not for each slave.
    pub fn look_at_master(&self) -> (Sign, Option<Durable>) {
        let mut life = lock(&self.life);
        let sign = life.look();
        life.tell(sign, &self.reporter);
        (sign, life.durable())
    }

    /// A slave that has all up to the end that its own reader has found: from now on it gets what the others get.
    /// The reader comes back where that can't be.
    pub(super) fn join(self: &Arc<Self>, follow: Box<Follow>) -> Result<Member, Box<Follow>> {
        let given = Mark::of(&follow);
        let mut place = lock(&self.live);
        let Some(live) = place.upgrade().filter(|live| !live.has_failed()) else {
            let (live, id) = Live::begin(*follow, given, &self.location);
            let live = Arc::new(live);
            *place = Arc::downgrade(&live);
            return Ok(Member { live, id });
        };
        let admitted = live.ring().admit(given);
        match admitted {
            Some(id) => Ok(Member { live, id }),
            None => Err(follow),
        }
    }

    /// Another slave reads at a place of its own, as long as that lives.
    pub(super) fn reads_alone(self: &Arc<Self>) -> Behind {
        self.behind.fetch_add(1, Ordering::Relaxed);
        Behind(Arc::clone(self))
    }

    /// Whether commits wait for one of the slaves: then nothing waits for others to travel with it.
    pub fn set_prompt(&self, prompt: bool) {
        self.prompt.store(prompt, Ordering::Relaxed);
    }

    /// Whether the thread has more to do than to wait for news.
    fn thread_is_needed(&self) -> bool {
        self.behind.load(Ordering::Relaxed) > 0
    }
}

impl fmt::Debug for SharedLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLog")
            .field("location", &self.location)
            .field("slaves", &self.slaves)
            .finish_non_exhaustive()
    }
}

/// A slave that reads at a place of its own.
#[derive(Debug)]
pub(super) struct Behind(Arc<SharedLog>);

impl Drop for Behind {
    fn drop(&mut self) {
        self.0.behind.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The end of the log, and those that are there.
#[derive(Debug)]
struct Live {
    ring: PlainMutex<Ring>,
    head: Mutex<Head>,
    failed: AtomicBool,
}

impl Live {
    /// With its first member.
    fn begin(follow: Follow, given: Mark, location: &LogLocation) -> (Self, u64) {
        let (ring, id) = Ring::begin(given);
        let live = Self {
            ring: PlainMutex::new(ring),
            head: Mutex::new(Head::of(follow, location)),
            failed: AtomicBool::new(false),
        };
        (live, id)
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        lock(&self.ring)
    }

    /// The log could not be read any further: nothing more comes here.
    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

/// A slave's place at the end of the log; it is given up with this.
#[derive(Debug)]
pub(super) struct Member {
    live: Arc<Live>,
    id: u64,
}

impl Member {
    /// The next piece; `None`: this slave was too slow, and has to read for itself. Cancelling loses nothing.
    pub(super) async fn next(&self, log: &SharedLog) -> Option<Read> {
        loop {
            let taken = self.live.ring().take(self.id);
            match taken {
                Taken::Piece(piece) => return Some(piece),
                Taken::Lost => return None,
                Taken::Nothing => {}
            }
            let mut head = self.live.head.lock().await;
            // Who had the lock before may have read it.
            if !self.live.ring().has_for(self.id) {
                let piece = head.next(log).await;
                self.live.failed.store(piece.is_err(), Ordering::Relaxed);
                self.live.ring().push(piece);
            }
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.live.ring().leave(self.id);
    }
}

/// What the head waits for before it looks at the log again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Nothing,
    News,
    /// There is news; a look may be too soon.
    Pace,
}

/// The one reader at the end of the log. It reads the file where it is called: what was just written is in the
/// system's cache.
#[derive(Debug)]
struct Head {
    follow: Follow,
    watch: LogWatch,
    pace: Pace,
    wait: Wait,
}

impl Head {
    fn of(mut follow: Follow, location: &LogLocation) -> Self {
        let watch = LogWatch::of(&location.directory);
        if watch.is_told() {
            follow.names_are_watched();
        }
        // Changes are told of from here on; what was before is seen with the first look.
        follow.names_changed();
        Self {
            follow,
            watch,
            pace: Pace::default(),
            wait: Wait::Nothing,
        }
    }

    /// Cancelling loses nothing.
    async fn next(&mut self, log: &SharedLog) -> Read {
        if self.wait == Wait::News {
            if self.watch.news().await == News::Names {
                self.follow.names_changed();
            }
            self.wait = Wait::Pace;
        }
        if self.wait == Wait::Pace {
            if !log.prompt.load(Ordering::Relaxed) {
                self.pace.keep(log.thread_is_needed()).await;
            }
            self.wait = Wait::Nothing;
        }
        let piece = read(&mut self.follow, &log.location);
        if let Ok(piece) = &piece
            && matches!(piece.item, FollowItem::UpToDate(_))
        {
            self.wait = Wait::News;
        }
        piece
    }
}

/// Nothing here panics with a lock held.
fn lock<T>(mutex: &PlainMutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
