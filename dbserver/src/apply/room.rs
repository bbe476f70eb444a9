//! What the applier does while a disk has no room.

use std::fmt;
use std::sync::Arc;

use crate::error::EngineError;

/// Whoever waits for room on behalf of the applier. Without one, a full disk ends applying.
pub trait Room: fmt::Debug + Send + Sync {
    /// There is none: waits a while. `false`: it is not worth while to try again.
    fn wait(&self, why: &EngineError) -> bool;
    /// What was waited for has been done.
    fn found(&self);
}

/// Does `work` again until there is room for it. It must leave nothing half done when it fails.
pub(crate) fn with_room<T>(
    room: Option<&Arc<dyn Room>>,
    mut work: impl FnMut() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let mut waited = false;
    loop {
        let result = work();
        if let (Err(error), Some(room)) = (&result, room)
            && error.is_disk_full()
            && room.wait(error)
        {
            waited = true;
            continue;
        }
        if let (true, Some(room)) = (waited && result.is_ok(), room) {
            room.found();
        }
        return result;
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn full() -> EngineError {
        let kind = io::ErrorKind::StorageFull;
        EngineError::file("write", PathBuf::from("scratch"), &kind.into())
    }

    /// Waits so often, and no more.
    #[derive(Debug, Default)]
    struct Times {
        left: AtomicU32,
        found: AtomicU32,
    }

    impl Room for Times {
        fn wait(&self, why: &EngineError) -> bool {
            assert!(why.is_disk_full());
            let less = |left: u32| left.checked_sub(1);
            let taken = self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
            taken.is_ok()
        }

        fn found(&self) {
            self.found.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn work_is_done_again_until_there_is_room() {
        for (waits, tries, found) in [(5, 3, 1), (2, 3, 1), (1, 2, 0), (0, 1, 0)] {
            let times = Arc::new(Times {
                left: waits.into(),
                ..Times::default()
            });
            let room: Arc<dyn Room> = times.clone();
            let mut tried = 0;
            let result = with_room(Some(&room), || {
                tried += 1;
                if tried < 3 { Err(full()) } else { Ok(()) }
            });
            assert_eq!(result.is_ok(), tried == 3);
            assert_eq!((tried, times.found.load(Ordering::Relaxed)), (tries, found));
        }
    }

    #[test]
    fn other_errors_and_nobody_who_waits_end_it_at_once() {
        let room: Arc<dyn Room> = Arc::new(Times {
            left: 9.into(),
            ..Times::default()
        });
        let damaged = || Err::<(), _>(EngineError::Corrupt("a page".into()));
        assert_eq!(
            with_room(Some(&room), damaged).unwrap_err().sqlstate(),
            "XX001"
        );
        let mut tried = 0;
        let none = with_room(None, || {
            tried += 1;
            Err::<(), _>(full())
        });
        assert!(none.unwrap_err().is_disk_full());
        assert_eq!(tried, 1);
    }
}
