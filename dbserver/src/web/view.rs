//! All that is shown at one time: page, JSON and metrics are rendered from it.

use std::time::Duration;

use fwlog::Timestamp;
use serde::Serialize;

use crate::databases::Role;
use crate::environment::database_status::DatabaseStatus;
use crate::environment::session_status::SessionStatus;
use crate::environment::status::{Status, Time};
use crate::error::EngineError;
use crate::process::{Counter, Counters, RecentLine};
use crate::web::health::Health;
use crate::web::history::LagHistory;
use crate::web::{Served, Shared};

/// The server at one time. The fields of `dbctl status` are those of [`Status`].
#[derive(Debug, Clone, Serialize)]
pub(super) struct View {
    /// When it was looked at.
    pub(super) as_of: Time,
    /// Why `/healthz` says no, if it does.
    pub(super) unhealthy: Option<String>,
    /// What is wrong with the databases of this server alone, if there are some and anything is.
    pub(super) local_trouble: Option<String>,
    /// Since when the server serves.
    pub(super) serving_since: Time,
    #[serde(flatten)]
    pub(super) status: Status,
    /// The role, as a value.
    #[serde(skip)]
    pub(super) role: Role,
    /// Who is connected.
    pub(super) session_list: Vec<SessionStatus>,
    /// How many may be.
    pub(super) max_sessions: usize,
    /// The databases.
    pub(super) database_list: Vec<DatabaseStatus>,
    /// The newest commit that readers see.
    pub(super) newest_commit: u64,
    /// How far slaves were behind in the last hour.
    pub(super) lag_history: Vec<LagHistory>,
    /// What was counted since the start.
    pub(super) since_start: Counts,
    /// The warnings and errors of late, the newest first.
    pub(super) recent_messages: Vec<Message>,
}

/// What was counted since the start.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Counts {
    pub(super) commits: u64,
    pub(super) rollbacks: u64,
    pub(super) statements: u64,
    pub(super) statement_failures: u64,
    pub(super) slow_statements: u64,
    pub(super) checkpoints: u64,
    pub(super) checkpoint_failures: u64,
    pub(super) sessions_started: u64,
    pub(super) sessions_refused: u64,
    pub(super) access_denied: u64,
    pub(super) warnings: u64,
    pub(super) errors: u64,
}

/// A line of the log.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Message {
    pub(super) time: Time,
    /// `error` or `warn`.
    pub(super) level: &'static str,
    pub(super) text: String,
}

impl From<RecentLine> for Message {
    fn from(line: RecentLine) -> Self {
        Self {
            time: Time(line.time),
            level: if line.is_error { "error" } else { "warn" },
            text: line.text,
        }
    }
}

impl View {
    /// Of the server now.
    ///
    /// Errors: how replication stands can't be read.
    pub(super) fn of(shared: &Shared, served: &Served) -> Result<Self, EngineError> {
        let environment = &*served.environment;
        let now = Timestamp::now();
        let status = Status::of(environment)?;
        Ok(Self {
            as_of: Time(now),
            unhealthy: match Health::of(environment) {
                Health::Well => None,
                Health::Ill(why) => Some(why),
            },
            local_trouble: Health::of_local(environment),
            serving_since: Time(before(now, served.since.elapsed())),
            role: environment.role(),
            session_list: SessionStatus::all(environment),
            max_sessions: environment.sessions().limit(),
            database_list: DatabaseStatus::all(environment),
            newest_commit: environment.core().newest_visible_commit(),
            lag_history: shared.history.all(),
            since_start: Counts::of(shared, served),
            recent_messages: shared
                .recent
                .lines()
                .into_iter()
                .map(Message::from)
                .collect(),
            status,
        })
    }

    /// One object.
    pub(super) fn to_json(&self) -> Result<String, EngineError> {
        let json = serde_json::to_string(self);
        json.map(|json| json + "\n")
            .map_err(|error| EngineError::Internal(error.to_string()))
    }

    /// How long the server has been serving.
    pub(super) fn uptime(&self) -> Duration {
        let micros = self.as_of.0.micros();
        Duration::from_micros(micros.saturating_sub(self.serving_since.0.micros()))
    }
}

impl Counts {
    fn of(shared: &Shared, served: &Served) -> Self {
        let environment = &served.environment;
        let sessions = environment.sessions().counts();
        let local = environment.local().map(|local| local.core().counters());
        // Whatever is done in a database of this server alone counts, too.
        let sum = |counter: fn(&Counters) -> &Counter| {
            let own = counter(environment.core().counters()).get();
            own + local.map_or(0, |local| counter(local).get())
        };
        Self {
            commits: sum(|it| &it.commits),
            rollbacks: sum(|it| &it.rollbacks),
            statements: sum(|it| &it.statements),
            statement_failures: sum(|it| &it.failures),
            slow_statements: sum(|it| &it.slow_statements),
            checkpoints: sum(|it| &it.checkpoints),
            checkpoint_failures: sum(|it| &it.failed_checkpoints),
            sessions_started: sessions.started.get(),
            sessions_refused: sessions.refused.get(),
            access_denied: sessions.denied.get(),
            warnings: shared.recent.warnings(),
            errors: shared.recent.errors(),
        }
    }
}

fn before(now: Timestamp, time: Duration) -> Timestamp {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Timestamp::from_micros(now.micros().saturating_sub(micros))
}
