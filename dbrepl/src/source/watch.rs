//! Waits for news of the log: `fw.position` was written, or a name in its directory has changed.
//!
//! The system tells of both, without a thread of its own: the socket and the log are waited for in one
//! place. Where it does not tell, as on some network file systems, the log is looked at often.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use fwlog::POSITION_FILE;
use inotify::{EventMask, EventStream, Inotify, WatchDescriptor, WatchMask};
use tokio::time::{Instant, sleep_until};

/// How often to look when the system tells of changes: a message may be lost, never the log.
const SLOW_POLL: Duration = Duration::from_secs(1);

/// How often to look when the system doesn't tell.
const FAST_POLL: Duration = Duration::from_millis(100);

/// Room for the names of many files at once.
const BUFFER: usize = 4096;

/// What may have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// More of the log is durable.
    Position,
    /// Files came, went, or were replaced; or it is just time to look.
    Names,
}

type System = EventStream<[u8; BUFFER]>;

/// Watches the directory of a log.
pub(super) struct LogWatch {
    directory: PathBuf,
    /// `None`: changes can't be watched here, only looked for.
    system: Option<System>,
    /// The watch of `fw.position`, while there is that file.
    position: Option<WatchDescriptor>,
    next_look: Instant,
}

impl LogWatch {
    /// From now on no change of this directory is missed.
    pub(super) fn of(directory: &Path) -> Self {
        let system = watch(directory)
            .inspect_err(|error| tracing::debug!("can't watch {}: {error}", directory.display()))
            .ok();
        let mut watch = Self {
            directory: directory.to_owned(),
            system,
            position: None,
            next_look: Instant::now(),
        };
        watch.watch_position();
        watch.put_off_look();
        watch
    }

    /// Whether the system tells of changes.
    pub(super) fn is_told(&self) -> bool {
        self.position.is_some()
    }

    /// Comes back when there may be news. Cancelling loses nothing.
    pub(super) async fn news(&mut self) -> News {
        let told = if let Some(system) = &mut self.system {
            tokio::select! {
                told = told(system, self.position.as_ref()) => told,
                () = sleep_until(self.next_look) => Ok(News::Names),
            }
        } else {
            sleep_until(self.next_look).await;
            Ok(News::Names)
        };
        let news = told.unwrap_or_else(|error| {
            tracing::debug!("can't watch {} any more: {error}", self.directory.display());
            (self.system, self.position) = (None, None);
            News::Names
        });
        if news == News::Names {
            self.watch_position();
            self.put_off_look();
        }
        news
    }

    /// The file that has the name now; the same one once more is no second watch.
    fn watch_position(&mut self) {
        let Some(system) = &self.system else { return };
        let path = self.directory.join(POSITION_FILE);
        self.position = system.watches().add(&path, WatchMask::MODIFY).ok();
    }

    fn put_off_look(&mut self) {
        let pause = if self.is_told() { SLOW_POLL } else { FAST_POLL };
        self.next_look = Instant::now() + pause;
    }
}

impl fmt::Debug for LogWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogWatch")
            .field("directory", &self.directory)
            .field("is_told", &self.is_told())
            .finish_non_exhaustive()
    }
}

fn watch(directory: &Path) -> io::Result<System> {
    let system = Inotify::init()?;
    let names = WatchMask::CREATE | WatchMask::DELETE | WatchMask::MOVE;
    system
        .watches()
        .add(directory, names | WatchMask::ONLYDIR)?;
    system.into_event_stream([0; BUFFER])
}

/// Takes all that the system has to tell. Where it has lost messages, names may have changed.
async fn told(system: &mut System, position: Option<&WatchDescriptor>) -> io::Result<News> {
    let mut news = News::Position;
    let mut event = system.next().await;
    loop {
        let told = event.ok_or(io::ErrorKind::UnexpectedEof)??;
        if Some(&told.wd) != position || told.mask != EventMask::MODIFY {
            news = News::Names;
        }
        match system.next().now_or_never() {
            Some(next) => event = next,
            None => return Ok(news),
        }
    }
}

#[cfg(test)]
mod tests {
    use disk::{Access, Disk};
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(200);

    /// Writes into the file in place, as the owner of a log does.
    fn write(path: &Path, content: &[u8]) {
        let file = Disk::real().open(path, Access::Create(0o600)).unwrap();
        file.write_at(0, content).unwrap();
    }

    #[tokio::test]
    async fn a_written_position_is_news_and_a_written_segment_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let position = folder.path().join(POSITION_FILE);
        write(&position, b"1");
        let segment = folder.path().join("fw-1-1");
        write(&segment, b"x");
        let mut watch = LogWatch::of(folder.path());
        assert!(watch.is_told());
        write(&segment, b"y");
        assert!(timeout(SOON, watch.news()).await.is_err());
        write(&position, b"2");
        assert_eq!(watch.news().await, News::Position);
        assert!(
            timeout(SOON, watch.news()).await.is_err(),
            "it is told once"
        );
    }

    #[tokio::test]
    async fn the_file_that_has_the_name_is_watched() {
        let folder = tempfile::tempdir().unwrap();
        let position = folder.path().join(POSITION_FILE);
        let mut watch = LogWatch::of(folder.path());
        assert!(!watch.is_told());
        write(&position, b"1");
        assert_eq!(watch.news().await, News::Names);
        assert!(watch.is_told());
        let away = folder.path().join("away");
        Disk::real().rename(&position, &away).unwrap();
        assert_eq!(watch.news().await, News::Names);
        write(&position, b"2");
        while watch.news().await == News::Names && !watch.is_told() {}
        // What its making has left to tell.
        while timeout(SOON, watch.news()).await.is_ok() {}
        write(&position, b"3");
        assert_eq!(watch.news().await, News::Position);
    }

    #[tokio::test]
    async fn without_messages_it_is_looked_again_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = LogWatch::of(&folder.path().join("not there"));
        assert!(!watch.is_told());
        assert_eq!(watch.news().await, News::Names);
        assert_eq!(watch.news().await, News::Names);
    }
}
