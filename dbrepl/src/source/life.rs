//! Whether the source's server lives: it sets the time of `fw.position` each second.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use dbproto::SILENT;
use fwlog::{Durable, DurableEnd, LogLocation, POSITION_FILE, Timestamp};
use tokio::time::Instant;

use crate::report::Reporter;

/// A restart takes a while, and is no news.
const LONG_SILENCE: Duration = Duration::from_secs(10);

/// Watches a source's signs of life. Clocks of two machines are never compared.
#[derive(Debug)]
pub struct Life {
    location: LogLocation,
    path: PathBuf,
    /// Time of the file as it was last seen, and since when it is that.
    seen: Option<SystemTime>,
    changed: (Instant, Timestamp),
    /// The log has it that the source is silent.
    told: bool,
}

impl Life {
    /// A source that counts as alive until it has been silent for a while.
    pub fn of(location: &LogLocation) -> Self {
        Self {
            path: location.directory.join(POSITION_FILE),
            location: location.clone(),
            seen: None,
            changed: (Instant::now(), Timestamp::now()),
            told: false,
        }
    }

    /// Looks at the file. Gives since when the source is silent, if it is.
    pub fn look(&mut self) -> Option<Timestamp> {
        let time = fs::metadata(&self.path).and_then(|file| file.modified());
        let time = time.ok();
        if time.is_some() && time != self.seen {
            self.seen = time;
            self.changed = (Instant::now(), Timestamp::now());
        }
        let (since, at) = self.changed;
        (since.elapsed() > SILENT).then_some(at)
    }

    /// Says once that the source is silent, when it has been for long, and once that it is there again.
    pub fn tell(&mut self, silent_since: Option<Timestamp>, reporter: &Reporter) {
        match silent_since {
            Some(since) if !self.told && self.changed.0.elapsed() > LONG_SILENCE => {
                self.told = true;
                reporter.warning(&format!(
                    "the master's server gives no sign of life since {since}"
                ));
            }
            None if self.told => {
                self.told = false;
                reporter.state("the master's server runs again");
            }
            _ => {}
        }
    }

    /// The durable end of the source's log as it is now, where that can be told.
    pub fn durable(&self) -> Option<Durable> {
        let end = DurableEnd::read(&self.location.disk, &self.location.directory);
        end.ok().flatten().map(|end| end.durable)
    }
}
