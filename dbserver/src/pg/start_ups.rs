//! Connections that show who they are. There are so many at a time; the others wait their turn, first come, first served.
//! Only a client that keeps the server waiting loses its place to one of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::wire::Silence;

/// How often the silent are looked for while somebody waits.
const LOOK: Duration = Duration::from_millis(50);

/// All of them.
#[derive(Debug)]
pub(super) struct StartUps {
    limit: usize,
    /// Whoever has it is the next to get a place.
    turn: tokio::sync::Mutex<()>,
    under_way: Mutex<Vec<Arc<Place>>>,
    one_has_left: Notify,
}

#[derive(Debug)]
struct Place {
    silence: Arc<Silence>,
    lost: Notify,
}

/// One of them, until it is in or gone.
#[derive(Debug)]
pub(super) struct StartUp {
    place: Arc<Place>,
    all: Arc<StartUps>,
}

impl StartUps {
    /// Nobody yet, and never more than `limit`.
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            turn: tokio::sync::Mutex::new(()),
            under_way: Mutex::default(),
            one_has_left: Notify::new(),
        })
    }

    /// Waits for a place.
    pub(super) async fn begin(self: &Arc<Self>) -> StartUp {
        let _turn = self.turn.lock().await;
        loop {
            if let Some(start_up) = self.enter(Instant::now()) {
                return start_up;
            }
            self.send_silent_away(Instant::now());
            tokio::select! {
                () = self.one_has_left.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn enter(self: &Arc<Self>, now: Instant) -> Option<StartUp> {
        let mut under_way = self.under_way();
        if under_way.len() >= self.limit {
            return None;
        }
        let place = Arc::new(Place {
            silence: Arc::new(Silence::new(now)),
            lost: Notify::new(),
        });
        under_way.push(Arc::clone(&place));
        Some(StartUp {
            place,
            all: Arc::clone(self),
        })
    }

    /// They leave as soon as they notice.
    fn send_silent_away(&self, now: Instant) {
        for place in self.under_way().iter() {
            if place.silence.is_too_long(now) {
                place.lost.notify_one();
            }
        }
    }

    fn under_way(&self) -> MutexGuard<'_, Vec<Arc<Place>>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl StartUp {
    /// How long the client has said nothing.
    pub(super) fn silence(&self) -> &Arc<Silence> {
        &self.place.silence
    }

    /// Comes back when somebody else gets the place.
    pub(super) async fn sent_away(&self) {
        self.place.lost.notified().await;
    }
}

impl Drop for StartUp {
    fn drop(&mut self) {
        let mut under_way = self.all.under_way();
        under_way.retain(|place| !Arc::ptr_eq(place, &self.place));
        drop(under_way);
        self.all.one_has_left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use futures::FutureExt as _;

    #[test]
    fn who_speaks_keeps_the_place_and_who_is_silent_loses_it() {
        let all = StartUps::new(2);
        let now = Instant::now();
        let (speaks, silent) = (all.enter(now).unwrap(), all.enter(now).unwrap());
        assert!(all.enter(now).is_none());
        speaks.silence().ends();
        all.send_silent_away(now);
        assert!(silent.sent_away().now_or_never().is_none());
        all.send_silent_away(now + Duration::from_mins(1));
        assert!(silent.sent_away().now_or_never().is_some());
        assert!(speaks.sent_away().now_or_never().is_none());
        drop(silent);
        assert!(all.enter(now).is_some());
    }

    #[tokio::test]
    async fn those_who_wait_get_in_by_turns() {
        let all = StartUps::new(1);
        let first = all.begin().await;
        first.silence().ends();
        let mut second = Box::pin(all.begin());
        assert!(second.as_mut().now_or_never().is_none());
        let mut third = Box::pin(all.begin());
        assert!(third.as_mut().now_or_never().is_none());
        drop(first);
        assert!(third.as_mut().now_or_never().is_none());
        let second = second.await;
        assert!(third.as_mut().now_or_never().is_none());
        drop(second);
        drop(third.await);
    }
}
