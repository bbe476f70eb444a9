//! What the applier does while a disk has no room, or does not do what it is asked for.

use std::fmt;
use std::sync::Arc;

use crate::error::EngineError;

/// Whoever waits on behalf of the applier. Without one, an error ends applying.
pub trait DiskRetry: fmt::Debug + Send + Sync {
    /// Something stands in the way: waits a while. `false`: it is not worth while to try again.
    fn wait(&self, why: &EngineError) -> bool;
    /// What was waited for has been done.
    fn recovered(&self);
}

/// Does `work` again until the disk does it, where its error may pass. It must leave nothing half done
/// when it fails.
pub(crate) fn with_retry<T>(
    retry: Option<&Arc<dyn DiskRetry>>,
    mut work: impl FnMut() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let mut waited = false;
    loop {
        let result = work();
        if let (Err(error), Some(retry)) = (&result, retry)
            && error.may_pass()
            && retry.wait(error)
        {
            waited = true;
            continue;
        }
        if let (true, Some(retry)) = (waited && result.is_ok(), retry) {
            retry.recovered();
        }
        return result;
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    use pgtypes::SqlState;

    use super::*;

    fn failed(kind: io::ErrorKind) -> EngineError {
        EngineError::file("write", PathBuf::from("scratch"), &kind.into())
    }

    /// Waits so often, and no more.
    #[derive(Debug, Default)]
    struct Times {
        left: AtomicU32,
        recovered: AtomicU32,
    }

    impl DiskRetry for Times {
        fn wait(&self, why: &EngineError) -> bool {
            assert!(why.may_pass());
            let less = |left: u32| left.checked_sub(1);
            let taken = self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
            taken.is_ok()
        }

        fn recovered(&self) {
            self.recovered.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn work_is_done_again_until_the_disk_does_it() {
        for (waits, tries, over) in [(5, 3, 1), (2, 3, 1), (1, 2, 0), (0, 1, 0)] {
            let times = Arc::new(Times {
                left: waits.into(),
                ..Times::default()
            });
            let retry: Arc<dyn DiskRetry> = times.clone();
            let mut tried = 0;
            let result = with_retry(Some(&retry), || {
                tried += 1;
                match tried {
                    1 => Err(failed(io::ErrorKind::StorageFull)),
                    2 => Err(failed(io::ErrorKind::Other)),
                    _ => Ok(()),
                }
            });
            assert_eq!(result.is_ok(), tried == 3);
            assert_eq!(
                (tried, times.recovered.load(Ordering::Relaxed)),
                (tries, over)
            );
        }
    }

    #[test]
    fn other_errors_and_nobody_who_waits_end_it_at_once() {
        let retry: Arc<dyn DiskRetry> = Arc::new(Times {
            left: 9.into(),
            ..Times::default()
        });
        let damaged = || Err::<(), _>(EngineError::Corrupt("a page".into()));
        assert_eq!(
            with_retry(Some(&retry), damaged).unwrap_err().sqlstate(),
            SqlState::DATA_CORRUPTED
        );
        let mut tried = 0;
        let none = with_retry(None, || {
            tried += 1;
            Err::<(), _>(failed(io::ErrorKind::StorageFull))
        });
        assert!(none.unwrap_err().is_disk_full());
        assert_eq!(tried, 1);
    }
}
