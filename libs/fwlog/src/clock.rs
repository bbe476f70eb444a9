//! Where times come from: the operating system, or a simulation.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use crate::timestamp::Timestamp;

/// A clock. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Simulated(Arc<Hands>),
}

#[derive(Debug)]
struct Hands {
    /// What the clock shows, in microseconds since 1970.
    shown: AtomicU64,
    /// Microseconds since the clock was made.
    elapsed: AtomicU64,
}

/// The same clock, not just one that shows the same.
impl PartialEq for Clock {
    fn eq(&self, other: &Self) -> bool {
        match (&self.source, &other.source) {
            (Source::System, Source::System) => true,
            (Source::Simulated(one), Source::Simulated(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Clock {}

impl Clock {
    /// The clock of this machine.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that goes only when its [`SimulatedTime`] is told to.
    pub fn simulated(time: &SimulatedTime) -> Self {
        Self {
            source: Source::Simulated(Arc::clone(&time.hands)),
        }
    }

    /// What the clock shows. It may be set forward and back.
    pub fn now(&self) -> Timestamp {
        match &self.source {
            Source::System => Timestamp::now(),
            Source::Simulated(hands) => Timestamp::from_micros(hands.shown.load(Ordering::SeqCst)),
        }
    }

    /// Time that has passed since some moment. It never goes back, whatever the clock is set to.
    pub fn elapsed(&self) -> Duration {
        static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
        match &self.source {
            Source::System => BEGIN.elapsed(),
            Source::Simulated(hands) => Duration::from_micros(hands.elapsed.load(Ordering::SeqCst)),
        }
    }
}

/// The hand that moves simulated clocks. Clones move the same one.
#[derive(Clone, Debug)]
pub struct SimulatedTime {
    hands: Arc<Hands>,
}

impl SimulatedTime {
    /// A clock that shows this time.
    pub fn new(shown: Timestamp) -> Self {
        let (shown, elapsed) = (AtomicU64::new(shown.micros()), AtomicU64::new(0));
        Self {
            hands: Arc::new(Hands { shown, elapsed }),
        }
    }

    /// The clock.
    pub fn clock(&self) -> Clock {
        Clock::simulated(self)
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.hands.shown.fetch_add(micros, Ordering::SeqCst);
        self.hands.elapsed.fetch_add(micros, Ordering::SeqCst);
    }

    /// Sets the clock, as an operator does; no time passes.
    pub fn set(&self, shown: Timestamp) {
        self.hands.shown.store(shown.micros(), Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_shows_it_and_no_time_has_passed() {
        let time = SimulatedTime::new(Timestamp::from_micros(1_000_000));
        let clock = time.clock();
        time.pass(Duration::from_millis(5));
        assert_eq!(clock.now(), Timestamp::from_micros(1_005_000));
        time.set(Timestamp::from_micros(7));
        assert_eq!(clock.now(), Timestamp::from_micros(7));
        assert_eq!(clock.elapsed(), Duration::from_millis(5));
    }

    #[test]
    fn clocks_are_equal_when_they_are_the_same() {
        let [one, other] = [0; 2].map(|_| SimulatedTime::new(Timestamp::ZERO));
        assert_eq!(one.clock(), one.clone().clock());
        assert_ne!(one.clock(), other.clock());
        assert_ne!(one.clock(), Clock::system());
        assert_eq!(Clock::default(), Clock::system());
    }

    #[test]
    fn the_system_clock_goes() {
        let clock = Clock::system();
        let (before, elapsed) = (Timestamp::now(), clock.elapsed());
        assert!(clock.now() >= before && clock.elapsed() >= elapsed);
    }
}
