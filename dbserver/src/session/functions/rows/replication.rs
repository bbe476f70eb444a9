//! `pg_stat_replication` on a master, `pg_stat_wal_receiver` on a slave. Positions in this server's log are none of
//! PostgreSQL's, and NULL here; `dbctl replication status` has them.

use dialect::pg_catalog::Rows;
use pgtypes::SqlValue as Value;

use crate::environment::replication_status::ReplicationStatus;
use crate::session::functions::facts::Facts;
use crate::session::functions::refusal::Refusal;
use crate::session::functions::rows::text;

fn status(facts: &Facts) -> Result<Vec<ReplicationStatus>, Refusal> {
    ReplicationStatus::all(&facts.env)
        .map_err(|error| Refusal::new(error.sqlstate(), error.to_string()))
}

/// The address without its port.
fn host(address: Option<&str>) -> Value {
    let address = address.and_then(|address| address.parse::<std::net::SocketAddr>().ok());
    address.map_or(Value::Null, |address| {
        text(address.ip().to_canonical().to_string())
    })
}

pub(super) fn slaves(facts: &Facts, rows: &mut Rows) -> Result<(), Refusal> {
    if facts.env.slave().is_some() {
        return Ok(());
    }
    let counted = facts.env.core().release().status().slaves;
    for slave in status(facts)? {
        let counts = counted.iter().find(|it| it.name == slave.slave);
        let (priority, state) = counts.map_or((0, "async"), |it| (it.priority, it.state));
        rows.push(&[
            ("application_name", text(&slave.slave)),
            ("client_addr", host(slave.address.as_deref())),
            ("state", text(slave.state.0.to_string())),
            ("sync_priority", Value::Integer(i64::from(priority))),
            ("sync_state", text(state)),
        ]);
    }
    Ok(())
}

pub(super) fn receiver(facts: &Facts, rows: &mut Rows) -> Result<(), Refusal> {
    if facts.env.slave().is_none() {
        return Ok(());
    }
    for own in status(facts)? {
        rows.push(&[
            ("status", text(own.state.0.to_string())),
            ("sender_host", host(own.address.as_deref())),
        ]);
    }
    Ok(())
}
