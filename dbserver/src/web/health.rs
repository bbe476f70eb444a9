//! Whether the server can be used: `/healthz` and `/readyz`; and for what, as proxies ask: `/master` and `/replica`.

use std::time::Duration;

use dbconfig::value;

use crate::environment::replication_status::ReplicationStatus;
use crate::environment::{Environment, Side};
use crate::error::EngineError;
use crate::slave::SlaveProgress;

/// An answer with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Health {
    /// It can.
    Well,
    /// It can't, and why.
    Ill(String),
}

/// How far a slave may be behind to be of use; none: as far as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct MaxLag(Option<Duration>);

impl MaxLag {
    /// The parameter `max_lag` of a query: seconds, or a time with its unit.
    ///
    /// Errors: what is wrong with the query, which has this parameter at most.
    pub(super) fn of_query(query: &str) -> Result<Self, String> {
        let mut found = Self(None);
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let Some(time) = part.strip_prefix("max_lag=") else {
                return Err("the only parameter is max_lag, as in max_lag=5s".to_owned());
            };
            if found.0.is_some() {
                return Err("max_lag was given twice".to_owned());
            }
            let seconds = time.parse::<u32>().map(|it| Duration::from_secs(it.into()));
            found.0 = Some(match seconds {
                Ok(time) => time,
                Err(_) => value::duration(time).map_err(|why| format!("max_lag: {why}"))?,
            });
        }
        Ok(found)
    }
}

impl Health {
    /// Before the server serves.
    pub(super) fn starting() -> Self {
        Self::Ill("the server starts, and recovers from its log if it has to".to_owned())
    }

    /// Of the server alone: it serves, and takes writes where its role lets it; so do its local databases. Nothing here
    /// waits for a disk.
    pub(super) fn of(environment: &Environment) -> Self {
        match (Self::of_one(environment), Self::of_local(environment)) {
            (Self::Well, Some(why)) => Self::Ill(format!("local databases: {why}")),
            (own, _) => own,
        }
    }

    /// What is wrong with the databases of this server alone, if there are any.
    pub(super) fn of_local(environment: &Environment) -> Option<String> {
        match Self::of_one(environment.local()?) {
            Self::Well => None,
            Self::Ill(why) => Some(why),
        }
    }

    fn of_one(environment: &Environment) -> Self {
        if environment.is_stopping() {
            return Self::Ill("the server stops".to_owned());
        }
        if let Some(trouble) = environment.core().data_trouble() {
            return Self::Ill(format!("data files: {}", trouble.text));
        }
        match environment.side() {
            Side::None => Self::Ill("the server changes its role".to_owned()),
            Side::Master(master) => match master.log_failure() {
                Some(failure) => Self::Ill(match environment.log_trouble() {
                    Some(trouble) => format!("forward log: {}", trouble.text),
                    None => format!("forward log: writes are refused: {failure}"),
                }),
                None => match environment.core().audit_log().and_then(|log| log.refusal()) {
                    Some(refusal) => Self::Ill(format!("writes are refused: {refusal}")),
                    None => Self::Well,
                },
            },
            Side::Slave(slave) => Self::of_slave(&slave.progress()),
        }
    }

    /// A reader for whom applying waits is no fault of the slave's; all else is.
    fn of_slave(progress: &SlaveProgress) -> Self {
        match progress.why_suspended() {
            Some(why) if progress.held_back.is_none() => Self::Ill(format!("applying: {why}")),
            Some(_) | None => Self::Well,
        }
    }
}

/// Of a server that clients are sent to.
///
/// Errors: how replication stands can't be read.
pub(super) fn ready(environment: &Environment, max_lag: MaxLag) -> Result<Health, EngineError> {
    let health = Health::of(environment);
    if health != Health::Well || environment.slave().is_none() {
        return Ok(health);
    }
    if environment.id().is_none() {
        let why = "the slave is empty: it waits for its first master";
        return Ok(Health::Ill(why.to_owned()));
    }
    let Some(limit) = max_lag.0 else {
        return Ok(Health::Well);
    };
    let own = ReplicationStatus::all(environment)?;
    Ok(own.first().map_or(Health::Well, |own| behind(own, limit)))
}

/// Whether clients that write are sent here: one server of a tree at most says so. Nothing here waits for a disk.
pub(super) fn master(environment: &Environment) -> Health {
    let health = Health::of(environment);
    if health != Health::Well {
        return health;
    }
    // Who changes its role has said so above; who is fenced, paused or a slave takes no writes.
    if environment.is_read_only() {
        return Health::Ill(environment.where_to_write());
    }
    if environment.core().release().is_open() {
        Health::Well
    } else {
        Health::Ill("too few slaves have what its log had at the start".to_owned())
    }
}

/// Whether clients that only read are sent here, and not to the master.
///
/// Errors: how replication stands can't be read.
pub(super) fn replica(environment: &Environment, max_lag: MaxLag) -> Result<Health, EngineError> {
    if environment.slave().is_none() {
        return Ok(Health::Ill("this server is no slave".to_owned()));
    }
    ready(environment, max_lag)
}

/// Whether a slave is near enough to its source, as far as it can know.
fn behind(own: &ReplicationStatus, limit: Duration) -> Health {
    let because = own.reason.as_ref().map(|why| format!(": {why}"));
    let because = because.unwrap_or_default();
    if !own.state.0.is_connected() {
        return Health::Ill(format!("{}{because}", own.state));
    }
    match own.lag_in_seconds {
        Some(lag) if u128::from(lag.0) <= limit.as_micros() => Health::Well,
        Some(lag) => Health::Ill(format!(
            "{lag} s behind, {} s are allowed; {}{because}",
            limit.as_secs_f64(),
            own.state
        )),
        None => Health::Ill(format!("the lag is not known; {}{because}", own.state)),
    }
}

#[cfg(test)]
mod tests {
    use dbproto::Standing;

    use super::*;
    use crate::environment::status::Micros;

    #[test]
    fn max_lag_is_seconds_or_a_time() {
        let read = |query: &str| MaxLag::of_query(query).map(|MaxLag(limit)| limit);
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("max_lag=5"), Ok(Some(Duration::from_secs(5))));
        assert_eq!(read("max_lag=250ms"), Ok(Some(Duration::from_millis(250))));
        assert_eq!(read("max_lag=0"), Ok(Some(Duration::ZERO)));
        for bad in [
            "max_lag",
            "max_lag=",
            "max_lag=fast",
            "max_lag=-1",
            "lag=5",
            "max_lag=5&max_lag=6",
            "max_lag=5&x=1",
            "max_lag=99999999999999999999",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    fn slave(state: Standing, lag: Option<u64>) -> ReplicationStatus {
        ReplicationStatus {
            source: Some("m".into()),
            reason: Some("because".into()),
            lag_in_seconds: lag.map(Micros),
            ..ReplicationStatus::sample("s", state)
        }
    }

    #[test]
    fn a_slave_is_ready_while_it_is_connected_and_near_enough() {
        let limit = Duration::from_secs(5);
        let judged = |state, lag| behind(&slave(state, lag), limit);
        assert_eq!(judged(Standing::Following, Some(5_000_000)), Health::Well);
        assert_eq!(judged(Standing::CatchingUp, Some(0)), Health::Well);
        assert_eq!(
            judged(Standing::CatchingUp, Some(5_000_001)),
            Health::Ill("5.000 s behind, 5 s are allowed; catching up: because".into())
        );
        assert_eq!(
            judged(Standing::Following, None),
            Health::Ill("the lag is not known; following: because".into())
        );
        assert_eq!(
            judged(Standing::NotConnected, Some(0)),
            Health::Ill("not connected: because".into())
        );
    }

    #[test]
    fn a_slave_whose_applying_has_failed_is_ill_and_one_that_waits_for_a_reader_is_not() {
        let mut progress = SlaveProgress::default();
        assert_eq!(Health::of_slave(&progress), Health::Well);
        progress.suspended = Some("page 7 is damaged".into());
        assert!(matches!(
            Health::of_slave(&progress),
            Health::Ill(why) if why.starts_with("applying: page 7 is damaged")
        ));
    }
}
