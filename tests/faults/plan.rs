//! What goes wrong in a round, and when: drawn from a seed, so that it can be repeated.

use std::time::Duration;

use dbtests::Traffic;
use disk::testing::Random;

use crate::history::At;
use crate::trio::SLAVES;

/// A process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// A dbserver.
    Server(At),
    /// The dbrepl of a slave.
    Shipper(usize),
}

/// What happens to a file operation of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// Its log has no room.
    LogFull,
    /// Its data files have no room.
    DataFull,
    /// A sync of its log fails once.
    LogSync,
    /// A sync of a data file fails once.
    DataSync,
    /// Its log can't be written, once.
    LogWrite,
    /// No segment can be made.
    LogNames,
    /// Its data files can't be read.
    DataRead,
    /// None of its data files, nor `control`, can be made, renamed or removed.
    DataNames,
    /// Each sync takes a while.
    Slow,
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// kill -9, and a start after a while; `interrupted`: that start is killed, too.
    Kill {
        role: Role,
        down: Duration,
        interrupted: Option<Duration>,
    },
    /// SIGSTOP, and SIGCONT after a while.
    Freeze { role: Role, time: Duration },
    /// An orderly stop and a start.
    Restart { role: Role },
    /// The line to a slave.
    Line {
        slave: usize,
        traffic: Traffic,
        time: Duration,
    },
    /// File operations of a server fail for a while; then it is restarted where that is promised to
    /// help, by kill -9 if `kill`.
    Disk {
        at: At,
        trouble: Trouble,
        time: Duration,
        kill: bool,
    },
}

impl Fault {
    /// Its kind, for the report.
    pub(crate) fn kind(&self) -> String {
        let who = |role: &Role| match role {
            Role::Server(At::Master) => "master",
            Role::Server(At::Slave(_)) => "slave",
            Role::Shipper(_) => "dbrepl",
        };
        match self {
            Self::Kill { role, .. } => format!("kill {}", who(role)),
            Self::Freeze { role, .. } => format!("freeze {}", who(role)),
            Self::Restart { role } => format!("restart {}", who(role)),
            Self::Line { traffic, .. } => {
                let name = format!("{traffic:?}");
                format!("line {}", name.split('(').next().unwrap_or_default())
            }
            Self::Disk { at, trouble, .. } => {
                format!("disk {} {trouble:?}", who(&Role::Server(*at)))
            }
        }
    }
}

/// A line that is silent for longer than either side waits for a word of the other.
const SILENCE: Duration = Duration::from_secs(35);

/// The faults of a round: one, or two at once; in the long form also such that take long.
pub(crate) fn round(random: &mut Random, long: bool) -> Vec<Fault> {
    if long && random.below(60) == 0 {
        return vec![Fault::Line {
            slave: slave(random),
            traffic: Traffic::Hold,
            time: SILENCE,
        }];
    }
    let first = fault(random);
    if random.below(3) > 0 {
        return vec![first];
    }
    loop {
        let second = fault(random);
        // Two at the same process would be one after the other.
        if second.victim() != first.victim() {
            return vec![first, second];
        }
    }
}

impl Fault {
    /// Whom it concerns; a line is its slave's dbrepl.
    pub(crate) fn victim(&self) -> Role {
        match self {
            Self::Kill { role, .. } | Self::Freeze { role, .. } | Self::Restart { role } => *role,
            Self::Line { slave, .. } => Role::Shipper(*slave),
            Self::Disk { at, .. } => Role::Server(*at),
        }
    }
}

fn milliseconds(random: &mut Random, most: u64) -> Duration {
    Duration::from_millis(random.below(most))
}

fn slave(random: &mut Random) -> usize {
    usize::try_from(random.below(SLAVES as u64)).expect("small")
}

fn server(random: &mut Random) -> At {
    if random.coin() {
        At::Master
    } else {
        At::Slave(slave(random))
    }
}

fn role(random: &mut Random) -> Role {
    match random.below(3) {
        0 => Role::Server(At::Master),
        1 => Role::Server(At::Slave(slave(random))),
        _ => Role::Shipper(slave(random)),
    }
}

fn fault(random: &mut Random) -> Fault {
    match random.below(24) {
        0..7 => Fault::Kill {
            role: role(random),
            down: milliseconds(random, 200),
            interrupted: random.coin().then(|| milliseconds(random, 60)),
        },
        7..10 => Fault::Freeze {
            role: role(random),
            time: milliseconds(random, 1500),
        },
        10 | 11 => Fault::Restart { role: role(random) },
        12..16 => Fault::Line {
            slave: slave(random),
            traffic: match random.below(5) {
                0 => Traffic::Slow(20 + random.below(200)),
                1 => Traffic::Hold,
                2 => Traffic::Cut,
                3 => Traffic::HalfClose,
                _ => Traffic::CutAfter(random.below(100_000)),
            },
            time: milliseconds(random, 1000),
        },
        _ => Fault::Disk {
            at: server(random),
            trouble: [
                Trouble::LogFull,
                Trouble::DataFull,
                Trouble::LogSync,
                Trouble::DataSync,
                Trouble::LogWrite,
                Trouble::LogNames,
                Trouble::DataRead,
                Trouble::DataNames,
                Trouble::Slow,
            ][usize::try_from(random.below(9)).expect("small")],
            time: milliseconds(random, 600),
            kill: random.coin(),
        },
    }
}
