//! Whether the source's server lives: it sets the time of `fw.position` each second, and says there when it
//! is stopped.

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use dbproto::SILENT;
use fwlog::{Durable, DurableEnd, LogLocation, POSITION_FILE, Timestamp};
use tokio::time::Instant;

use crate::report::Reporter;

/// How the source's server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It runs.
    Lives,
    /// It has given no sign of life since then.
    Silent(Timestamp),
    /// It was stopped cleanly then.
    Stopped(Timestamp),
}

/// Watches a source's signs of life. Clocks of two machines are never compared.
#[derive(Debug)]
pub struct Life {
    location: LogLocation,
    path: PathBuf,
    /// Time of the file as it was last seen, and since when it is that.
    seen: Option<SystemTime>,
    changed: (Instant, Timestamp),
    durable: Option<Durable>,
    /// What the log has of it.
    told: Sign,
}

impl Life {
    /// A source that counts as alive until it has been silent for a while.
    pub fn of(location: &LogLocation) -> Self {
        Self {
            path: location.directory.join(POSITION_FILE),
            location: location.clone(),
            seen: None,
            changed: (Instant::now(), Timestamp::now()),
            durable: None,
            told: Sign::Lives,
        }
    }

    /// Looks at the file.
    pub fn look(&mut self) -> Sign {
        let end = DurableEnd::read(&self.location.disk, &self.location.directory);
        let end = end.ok().flatten();
        self.durable = end.map(|end| end.durable);
        let time = fs::metadata(&self.path).and_then(|file| file.modified());
        let time = time.ok();
        if time.is_some() && time != self.seen {
            self.seen = time;
            self.changed = (Instant::now(), Timestamp::now());
        }
        let (since, at) = self.changed;
        if end.is_some_and(|end| end.stopped) {
            // It wrote that when it was stopped, which may be long ago.
            Sign::Stopped(time.and_then(timestamp).unwrap_or(at))
        } else if since.elapsed() > SILENT {
            Sign::Silent(at)
        } else {
            Sign::Lives
        }
    }

    /// Says once that the source is silent or was stopped, and once that it is there again.
    pub fn tell(&mut self, sign: Sign, reporter: &Reporter) {
        if sign == self.told {
            return;
        }
        self.told = sign;
        match sign {
            Sign::Lives => reporter.state("the master's server runs again"),
            Sign::Silent(since) => reporter.warning(&format!(
                "the master's server gives no sign of life since {since}: look after it"
            )),
            Sign::Stopped(at) => reporter.state(&format!("the master was stopped at {at}")),
        }
    }

    /// The durable end of the source's log as it was at the last look, where that could be told.
    pub fn durable(&self) -> Option<Durable> {
        self.durable
    }
}

fn timestamp(time: SystemTime) -> Option<Timestamp> {
    let micros = time.duration_since(UNIX_EPOCH).ok()?.as_micros();
    u64::try_from(micros).ok().map(Timestamp::from_micros)
}

#[cfg(test)]
mod tests {
    use dbconfig::LogTarget;
    use disk::{Access, Disk};
    use fwlog::EnvironmentId;

    use super::*;

    fn write(folder: &std::path::Path, stopped: bool) {
        let end = DurableEnd {
            environment: EnvironmentId::from_bytes([7; 16]),
            durable: Durable::NOTHING,
            switched_off: false,
            stopped,
        };
        let access = Access::Create(0o600);
        let file = Disk::real().open(&folder.join(POSITION_FILE), access);
        file.unwrap().write_at(0, &end.encode()).unwrap();
    }

    #[test]
    fn a_stop_and_a_silence_are_two_things_and_each_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let pattern = folder.path().join("fw-%N");
        let location = LogLocation::parse(&pattern).unwrap();
        let log = folder.path().join("log");
        let reporter = Reporter::open(&LogTarget::File(log.clone()), false).unwrap();
        let mut life = Life::of(&location);
        write(folder.path(), false);
        assert_eq!(life.look(), Sign::Lives);
        assert_eq!(life.durable(), Some(Durable::NOTHING));
        write(folder.path(), true);
        let stopped = life.look();
        assert!(matches!(stopped, Sign::Stopped(_)), "at once: {stopped:?}");
        let long_ago = |life: &mut Life| {
            life.changed.0 = life.changed.0.checked_sub(SILENT * 2).unwrap();
        };
        long_ago(&mut life);
        assert_eq!(life.look(), stopped, "and it stays so");
        write(folder.path(), false);
        assert_eq!(life.look(), Sign::Lives);
        long_ago(&mut life);
        let silent = life.look();
        assert!(matches!(silent, Sign::Silent(_)), "{silent:?}");
        for sign in [Sign::Lives, stopped, stopped, Sign::Lives, silent, silent] {
            life.tell(sign, &reporter);
        }
        let told = fs::read_to_string(log).unwrap();
        let lines: Vec<_> = told.lines().map(|line| line.split_once(" R0: ")).collect();
        let begins = [
            "the master was stopped at ",
            "the master's server runs",
            "the master's server gives",
        ];
        assert_eq!(lines.len(), begins.len(), "{told}");
        for (line, begin) in lines.into_iter().zip(begins) {
            assert!(line.unwrap().1.starts_with(begin), "{told}");
        }
    }
}
