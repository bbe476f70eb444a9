//! Metrics for Prometheus. `docs/metrics.md` lists them; a test holds the two against each other.

mod archives;
mod exposition;

use std::collections::BTreeMap;

use dbproto::Standing;

use crate::databases::Role;
use crate::databases::open_mode::OpenMode;
use crate::environment::replication_status::ReplicationStatus;
use crate::environment::session_status::SessionStatus;
use crate::web::metrics::exposition::{Exposition, Kind};
use crate::web::view::View;

/// All metrics at one time.
pub(super) fn exposition(view: &View) -> String {
    let mut out = Exposition::default();
    server(&mut out, view);
    work(&mut out, view);
    sessions(&mut out, view);
    databases(&mut out, view);
    forward_log(&mut out, view);
    disks(&mut out, view);
    let all = view.status.replication.iter().cloned();
    let (archived, slaves): (Vec<_>, Vec<_>) = all.partition(|one| one.archive);
    standing(&mut out, &slaves);
    lags(&mut out, &slaves);
    verified(&mut out, &slaves);
    archives::expose(&mut out, &archived);
    out.into_text()
}

fn server(out: &mut Exposition, view: &View) {
    let status = &view.status;
    out.gauge("eloqdb_up", "1: the server serves.", 1);
    let environment = status.environment.map(|id| id.to_string());
    out.family(
        "eloqdb_info",
        Kind::Gauge,
        "Always 1; the labels say what this server is.",
    )
    .whole(
        &[
            ("instance", &status.instance),
            ("version", status.version),
            ("environment", environment.as_deref().unwrap_or_default()),
        ],
        1,
    );
    out.family(
        "eloqdb_role",
        Kind::Gauge,
        "1 for the role that the server has, 0 for the others.",
    );
    for (word, role) in [
        ("standalone", Role::Standalone),
        ("master", Role::Master),
        ("slave", Role::Slave),
    ] {
        out.truth(&[("role", word)], role == view.role);
    }
    out.family(
        "eloqdb_healthy",
        Kind::Gauge,
        "1: /healthz says yes. 0: writes are refused, or something has failed.",
    )
    .truth(&[], view.unhealthy.is_none());
    out.family(
        "eloqdb_trouble",
        Kind::Gauge,
        "1 while something is wrong with that part.",
    )
    .truth(&[("part", "log")], status.forward_log.trouble.is_some())
    .truth(
        &[("part", "checkpoint")],
        status.checkpoint_trouble.is_some(),
    )
    .truth(&[("part", "data")], status.data_trouble.is_some())
    .truth(&[("part", "local")], view.local_trouble.is_some());
    out.family(
        "eloqdb_stop_scheduled",
        Kind::Gauge,
        "1: an operator has asked for a stop.",
    )
    .truth(&[], status.stop_scheduled.is_some());
    out.family(
        "eloqdb_start_time_seconds",
        Kind::Gauge,
        "When the server began to serve, in seconds since 1970-01-01.",
    )
    .seconds(&[], view.serving_since.0.micros());
    out.family(
        "eloqdb_log_messages_total",
        Kind::Counter,
        "Warnings and errors in the server's log, with those that were only counted.",
    )
    .whole(&[("level", "error")], view.since_start.errors)
    .whole(&[("level", "warn")], view.since_start.warnings);
}

fn work(out: &mut Exposition, view: &View) {
    let counts = &view.since_start;
    out.counter(
        "eloqdb_commits_total",
        "Transactions that have changed something here and are durable.",
        counts.commits,
    );
    out.counter(
        "eloqdb_rollbacks_total",
        "Transactions that were undone: by ROLLBACK, by a failure, by the end of their session.",
        counts.rollbacks,
    );
    out.counter(
        "eloqdb_statements_total",
        "Statements that clients gave, whatever became of them.",
        counts.statements,
    );
    out.counter(
        "eloqdb_statement_failures_total",
        "Errors that clients were told.",
        counts.statement_failures,
    );
    out.counter(
        "eloqdb_slow_statements_total",
        "Statements that took at least LogSlow; 0 while that is off.",
        counts.slow_statements,
    );
    out.counter(
        "eloqdb_checkpoints_total",
        "Checkpoints that are complete.",
        counts.checkpoints,
    );
    out.counter(
        "eloqdb_checkpoint_failures_total",
        "Checkpoints that have failed.",
        counts.checkpoint_failures,
    );
    out.gauge(
        "eloqdb_commit_number",
        "Number of the newest commit that readers see here.",
        view.newest_commit,
    );
    out.gauge(
        "eloqdb_dirty_bytes",
        "Bytes of pages that are newer than the data files.",
        view.status.dirty_bytes,
    );
}

fn sessions(out: &mut Exposition, view: &View) {
    let all = &view.session_list;
    out.family(
        "eloqdb_sessions",
        Kind::Gauge,
        "Sessions by the open mode of their database; none: without a database of clients.",
    );
    for mode in OpenMode::ALL {
        let has_it = |session: &&SessionStatus| session.mode.map(|shown| shown.0) == Some(mode);
        out.whole(&[("mode", &mode.to_string())], count(all, has_it));
    }
    out.whole(
        &[("mode", "none")],
        count(all, |session| session.mode.is_none()),
    );
    out.family(
        "eloqdb_sessions_by_state",
        Kind::Gauge,
        "Sessions by what they do, in the words of 'dbctl session list'.",
    );
    let mut states: BTreeMap<&str, u64> = BTreeMap::new();
    for session in all {
        *states.entry(session.state).or_default() += 1;
    }
    for (state, sessions) in states {
        out.whole(&[("state", state)], sessions);
    }
    out.gauge(
        "eloqdb_sessions_waiting",
        "Sessions that wait for a lock or a write permit of another session.",
        count(all, |session| session.waits_for.is_some()),
    );
    out.gauge(
        "eloqdb_sessions_redirected",
        "Sessions that are handed to the master.",
        count(all, |session| session.target.is_some()),
    );
    out.gauge(
        "eloqdb_sessions_limit",
        "Sessions that there may be (MaxSessions).",
        view.max_sessions as u64,
    );
    out.counter(
        "eloqdb_sessions_started_total",
        "Sessions that were let in.",
        view.since_start.sessions_started,
    );
    out.counter(
        "eloqdb_sessions_refused_total",
        "Sessions that were refused because there were MaxSessions.",
        view.since_start.sessions_refused,
    );
    out.counter(
        "eloqdb_access_denied_total",
        "Clients with a wrong password or address, on the service port and here.",
        view.since_start.access_denied,
    );
}

fn databases(out: &mut Exposition, view: &View) {
    out.gauge(
        "eloqdb_databases",
        "Databases, with the server's own.",
        view.database_list.len() as u64,
    );
    out.family(
        "eloqdb_database_size_bytes",
        Kind::Gauge,
        "Bytes of the pages of a database.",
    );
    for database in &view.database_list {
        out.whole(&[("database", &database.database)], database.size_bytes);
    }
    out.family(
        "eloqdb_database_sessions",
        Kind::Gauge,
        "Sessions that have a database open.",
    );
    for database in &view.database_list {
        out.whole(
            &[("database", &database.database)],
            database.sessions as u64,
        );
    }
}

fn forward_log(out: &mut Exposition, view: &View) {
    let log = &view.status.forward_log;
    out.family(
        "eloqdb_forward_log_enabled",
        Kind::Gauge,
        "1: the segments of the log are kept. 0: forward logging is off.",
    )
    .truth(&[], log.enabled);
    out.family(
        "eloqdb_forward_log_bytes_total",
        Kind::Counter,
        "Bytes of log that are durable here, since the environment was made.",
    );
    if let Some(bytes) = log.log_bytes {
        out.whole(&[], bytes);
    }
    out.family(
        "eloqdb_forward_log_generation",
        Kind::Gauge,
        "Generation of the newest segment.",
    );
    if let Some(position) = log.position {
        out.whole(&[], position.0.segment.generation.get().into());
    }
    out.family(
        "eloqdb_forward_log_sequence",
        Kind::Gauge,
        "Sequence of the newest segment.",
    );
    if let Some(position) = log.position {
        out.whole(&[], position.0.segment.sequence.get().into());
    }
    out.family(
        "eloqdb_forward_log_segments",
        Kind::Gauge,
        "Segments in the directory of the log.",
    );
    if let Some(kept) = &log.kept {
        out.whole(&[], kept.segments as u64);
    }
    out.family(
        "eloqdb_forward_log_kept_bytes",
        Kind::Gauge,
        "Bytes of these segments.",
    );
    if let Some(kept) = &log.kept {
        out.whole(&[], kept.bytes);
    }
    out.family(
        "eloqdb_forward_log_damaged_segments",
        Kind::Gauge,
        "Segments there whose headers can't be read.",
    );
    if let Some(kept) = &log.kept {
        out.whole(&[], kept.damaged.len() as u64);
    }
}

fn disks(out: &mut Exposition, view: &View) {
    let all = &view.status.space;
    out.family(
        "eloqdb_disk_free_bytes",
        Kind::Gauge,
        "Bytes that the server may still write there: the log, data, TmpDir.",
    );
    for space in all {
        out.whole(&[("use", space.what)], space.free_bytes);
    }
    out.family(
        "eloqdb_disk_size_bytes",
        Kind::Gauge,
        "Bytes of that file system.",
    );
    for space in all {
        out.whole(&[("use", space.what)], space.size_bytes);
    }
    out.family(
        "eloqdb_disk_low",
        Kind::Gauge,
        "1: there is little room; somebody should make some.",
    );
    for space in all {
        out.truth(&[("use", space.what)], space.low);
    }
}

/// How slaves stand: on a master each of them, on a slave itself.
fn standing(out: &mut Exposition, slaves: &[ReplicationStatus]) {
    out.family(
        "eloqdb_replication_connected",
        Kind::Gauge,
        "1: slave and source talk to each other.",
    );
    for slave in slaves {
        out.truth(&[("slave", &slave.slave)], slave.state.0.is_connected());
    }
    out.family(
        "eloqdb_replication_state",
        Kind::Gauge,
        "Always 1; the label says how the slave stands, in the words of 'dbctl replication status'.",
    );
    for slave in slaves {
        let state = slave.state.0.as_str();
        out.whole(&[("slave", &slave.slave), ("state", state)], 1);
    }
    out.family(
        "eloqdb_replication_suspended",
        Kind::Gauge,
        "1: nothing is applied at present.",
    );
    for slave in slaves {
        let suspended = slave.state.0 == Standing::Suspended;
        out.truth(&[("slave", &slave.slave)], suspended);
    }
    out.family(
        "eloqdb_replication_suspended_by",
        Kind::Gauge,
        "Always 1; the session of this slave for which applying waits.",
    );
    for slave in slaves {
        let Some(by) = &slave.suspended_by else {
            continue;
        };
        let labels = [
            ("slave", &*slave.slave),
            ("database", &*by.database),
            ("session", &*by.session.to_string()),
            ("user", &*by.user),
            ("mode", &*by.mode.to_string()),
        ];
        out.whole(&labels, 1);
    }
}

/// Whether a slave had what its master has, where that was compared.
fn verified(out: &mut Exposition, slaves: &[ReplicationStatus]) {
    let proofs = || {
        let proofs = slaves.iter();
        proofs.filter_map(|slave| Some((&slave.slave, slave.verified.as_ref()?)))
    };
    out.family(
        "eloqdb_replication_verified",
        Kind::Gauge,
        "1: at VerifyAt the slave had what its master has; 0: they differ. Nothing where they could not be compared.",
    );
    for (slave, proof) in proofs().filter(|(_, proof)| proof.commit.is_some()) {
        out.truth(&[("slave", slave)], !proof.differs());
    }
    out.family(
        "eloqdb_replication_verified_timestamp_seconds",
        Kind::Gauge,
        "When the last comparison of VerifyAt has ended, whatever came of it.",
    );
    for (slave, proof) in proofs() {
        if let Some(at) = proof.at {
            out.seconds(&[("slave", slave)], at.0.micros());
        }
    }
}

/// How far slaves are behind, where that is known.
fn lags(out: &mut Exposition, slaves: &[ReplicationStatus]) {
    out.family(
        "eloqdb_replication_lag_seconds",
        Kind::Gauge,
        "How old the oldest commit is that the readers of the slave do not see.",
    );
    for slave in slaves {
        if let Some(lag) = slave.lag_in_seconds {
            out.seconds(&[("slave", &slave.slave)], lag.0);
        }
    }
    out.family(
        "eloqdb_replication_lag_bytes",
        Kind::Gauge,
        "Bytes of log that are not on the slave's disk.",
    );
    for slave in slaves {
        if let Some(bytes) = slave.lag_in_bytes {
            out.whole(&[("slave", &slave.slave)], bytes);
        }
    }
    out.family(
        "eloqdb_replication_lag_commits",
        Kind::Gauge,
        "Commits that the readers of the slave do not see.",
    );
    for slave in slaves {
        if let Some(commits) = slave.lag_in_commits {
            out.whole(&[("slave", &slave.slave)], commits);
        }
    }
}

fn count(sessions: &[SessionStatus], is_so: impl Fn(&&SessionStatus) -> bool) -> u64 {
    sessions.iter().filter(is_so).count() as u64
}
