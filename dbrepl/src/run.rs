//! The whole run: all slaves side by side. What happens to one does not hold up the others.

use std::collections::HashMap;
use std::sync::Arc;

use dbconfig::HostService;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::archive::{self, Archiving};
use crate::attempts::attempts;
use crate::error::{ExitCode, ShipError};
use crate::managed::Teller;
use crate::options::Options;
use crate::peers::Peers;
use crate::report::Reporter;
use crate::ship::Destination;
use crate::shutdown::ShutdownRequest;
use crate::source::SharedLog;
use crate::stats::Stats;

/// Runs until each slave has what was asked for or needs a person, or the operator stops it.
pub async fn run(
    options: &Options,
    reporter: Reporter,
    mut stop: ShutdownRequest,
) -> Result<(), ShipError> {
    let options = Arc::new(options.clone());
    if let Some(target) = &options.archive {
        let log = SharedLog::new(&options.source.location, 1, reporter.clone());
        let archiving = Archiving {
            target: target.clone(),
            options: Arc::clone(&options),
            reporter,
            teller: Teller::default(),
        };
        return archive::run(&archiving, &log, &mut stop).await;
    }
    let slaves = &options.slaves;
    let log = SharedLog::new(&options.source.location, slaves.len(), reporter.clone());
    let peers = Peers::default();
    let destination = |slave: &HostService, reporter| Destination {
        options: Arc::clone(&options),
        slave: slave.clone(),
        credentials: options.credentials.clone(),
        connect: options.connect,
        reporter,
        log: Arc::clone(&log),
        peers: peers.clone(),
        teller: Teller::default(),
        stats: Stats::default(),
    };
    if let [slave] = slaves.as_slice() {
        return attempts(&mut destination(slave, reporter), &mut stop).await;
    }
    let mut tasks = JoinSet::new();
    let mut running = HashMap::new();
    for slave in slaves {
        let mut to = destination(slave, reporter.about(slave));
        let mut stop = stop.clone();
        let named = tracing::error_span!("slave", %slave);
        let feed = async move { attempts(&mut to, &mut stop).await };
        let task = tasks.spawn(feed.instrument(named));
        running.insert(task.id(), slave);
    }
    let mut failed = Failed::default();
    while let Some(ended) = tasks.join_next_with_id().await {
        let (task, result) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                let what = format!("its task ended: {error}");
                (error.id(), Err(ShipError::new(ExitCode::Error, what)))
            }
        };
        let slave = running.remove(&task);
        if let (Some(slave), Err(failure)) = (slave, result) {
            failed.add(slave, &failure, &reporter, running.len());
        }
    }
    failed.result(slaves.len())
}

/// Slaves that were given up, and with which code.
#[derive(Debug, Default)]
struct Failed(Vec<(HostService, ExitCode)>);

impl Failed {
    /// Tells of one more, and how many go on.
    fn add(&mut self, slave: &HostService, failure: &ShipError, reporter: &Reporter, left: usize) {
        let about = reporter.about(slave);
        about.failure(failure);
        let (code, meaning) = (failure.code as u8, failure.code.meaning());
        let others = match left {
            0 => String::new(),
            1 => "; 1 slave goes on".to_owned(),
            left => format!("; {left} slaves go on"),
        };
        about.warning(&format!("given up with {code} ({meaning}){others}"));
        self.0.push((slave.clone(), failure.code));
    }

    /// The highest code is the one of all.
    fn result(self, slaves: usize) -> Result<(), ShipError> {
        let Some(code) = self
            .0
            .iter()
            .map(|(_, code)| *code)
            .max_by_key(|code| *code as u8)
        else {
            return Ok(());
        };
        let each: Vec<String> = self
            .0
            .iter()
            .map(|(slave, code)| format!("{slave} ({})", *code as u8))
            .collect();
        let what = format!(
            "{} of {slaves} slaves given up: {}",
            each.len(),
            each.join(", ")
        );
        Err(ShipError::new(code, what)
            .hint("the lines above say why; the others can be fed without them"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_code_is_the_one_of_all_slaves() {
        let mut failed = Failed::default();
        let reporter = Reporter::console();
        for (slave, code) in [
            ("north:1", ExitCode::Error),
            ("south:2", ExitCode::NoSynchronizationPoint),
            ("east:3", ExitCode::Unreachable),
        ] {
            failed.add(
                &slave.parse().unwrap(),
                &ShipError::new(code, "x"),
                &reporter,
                1,
            );
        }
        let failure = failed.result(4).unwrap_err();
        assert_eq!(failure.code, ExitCode::NoSynchronizationPoint);
        assert_eq!(
            failure.message,
            "3 of 4 slaves given up: north:1 (1), south:2 (5), east:3 (3)"
        );
        assert_eq!(Failed::default().result(2), Ok(()));
    }
}
