//! A master's log made by the real writer, and a slave that is a real receiver and mirror behind a
//! start-up that trusts everybody.

pub(crate) mod master;
pub(crate) mod slave;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use dbconfig::LogTarget;
use dbrepl::cli::RawArguments;
use dbrepl::error::ShipError;
use dbrepl::options::Options;
use dbrepl::report::Reporter;
use dbrepl::shutdown::{ShutdownRequest, Switch};
use fwlog::{LogDirectory, LogLocation};
use tokio::task::JoinHandle;

use master::Master;
use slave::FakeSlave;

/// A run of dbrepl in this process.
pub(crate) struct Run {
    task: JoinHandle<Result<(), ShipError>>,
    stop: Switch,
    log: std::path::PathBuf,
    _folder: Arc<tempfile::TempDir>,
}

impl Run {
    /// dbrepl with these words more, from this master to this slave.
    pub(crate) fn start(master: &Master, slave: &FakeSlave, words: &str) -> Self {
        Self::to(master, &slave.address(), words)
    }

    /// The same, to whatever answers at these addresses.
    pub(crate) fn to(master: &Master, addresses: &str, words: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let log = folder.path().join("log");
        let line = format!(
            "dbrepl -c {} -v {words} {addresses}",
            master.config().display()
        );
        let raw = RawArguments::read(line.split_whitespace().map(OsString::from)).unwrap();
        let options = Options::check(raw, &|_| None).unwrap();
        let reporter = Reporter::open(&LogTarget::File(log.clone()), options.verbose).unwrap();
        let (stop, stopped) = ShutdownRequest::by_hand();
        let task = tokio::spawn(async move { dbrepl::run::run(&options, reporter, stopped).await });
        Self {
            task,
            stop,
            log,
            _folder: folder,
        }
    }

    /// Whether its log has these words.
    pub(crate) fn says(&self, words: &str) -> bool {
        lines(&self.log).iter().any(|line| line.contains(words))
    }

    /// In how many lines its log has these words.
    pub(crate) fn count(&self, words: &str) -> usize {
        let lines = lines(&self.log);
        lines.iter().filter(|line| line.contains(words)).count()
    }

    /// Waits for the end.
    pub(crate) async fn end(self) -> (Result<(), ShipError>, Vec<String>) {
        let result = self.task.await.unwrap();
        (result, lines(&self.log))
    }

    /// Asks it to stop, as a signal would, and waits for the end.
    pub(crate) async fn stop(self) -> (Result<(), ShipError>, Vec<String>) {
        self.stop.stop();
        self.end().await
    }
}

/// dbrepl with these words, to its end.
pub(crate) async fn run(
    master: &Master,
    slave: &FakeSlave,
    words: &str,
) -> (Result<(), ShipError>, Vec<String>) {
    Run::start(master, slave, words).end().await
}

/// The lines of a log without their times.
fn lines(log: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(log).unwrap();
    text.lines()
        .map(|line| line.split_once(' ').unwrap().1.to_owned())
        .collect()
}

/// Every segment of the slave equals the master's, up to where the slave's is written.
pub(crate) fn assert_same_files(master: &LogLocation, slave: &LogLocation) {
    let theirs = LogDirectory::scan(slave).unwrap();
    let mine = LogDirectory::scan(master).unwrap();
    let ids = |log: &LogDirectory| {
        log.segments()
            .iter()
            .map(|info| info.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&mine), ids(&theirs), "segments of master and slave");
    for (one, other) in mine.segments().iter().zip(theirs.segments()) {
        let (a, b) = (
            std::fs::read(&one.path).unwrap(),
            std::fs::read(&other.path).unwrap(),
        );
        let used = |bytes: &[u8]| {
            bytes
                .iter()
                .rposition(|byte| *byte != 0)
                .map_or(0, |last| last + 1)
        };
        assert_eq!(one.sealed, other.sealed, "segment {}", one.id);
        assert!(a[..used(&a)] == b[..used(&b)], "segment {} differs", one.id);
        if one.sealed.is_some() {
            assert_eq!(a.len(), b.len(), "a sealed segment has its exact size");
        }
    }
}
