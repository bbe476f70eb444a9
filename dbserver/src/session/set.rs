//! SET, RESET, SHOW and DISCARD.

use dialect::{Isolation, StatementKind, TransactionModes};
use pgtypes::{SqlState, SqlValue};

use crate::failure::Failure;
use crate::session::barrier::Barrier;
use crate::session::parameters::OPEN_MODE;
use crate::session::prepared::{Column, Columns};
use crate::session::reply::Reply;
use crate::session::settings::Settings;
use crate::session::{Session, block, parameters, roles, temporary};

/// The columns of SHOW.
pub(super) fn columns(name: Option<&str>) -> Columns {
    match name {
        Some(name) => {
            let name = parameters::find(name).map_or(name, |parameter| parameter.name);
            [Column::text(name)].into()
        }
        None => ["name", "setting", "description"].map(Column::text).into(),
    }
}

/// SHOW of one parameter, or of all.
pub(super) fn show(session: &Session, name: Option<&str>) -> Result<Reply, Failure> {
    let settings = session.settings();
    let rows = if let Some(name) = name {
        vec![vec![SqlValue::Text(value(session, name)?)]]
    } else {
        let all = settings.all().into_iter().map(|(name, value, meaning)| {
            let value = present(session, &name).unwrap_or(value);
            [name, value, meaning].map(SqlValue::Text).into()
        });
        all.collect()
    };
    Ok(Reply::Rows {
        columns: columns(name),
        rows,
        tag: "SHOW".to_owned(),
    })
}

/// The value of a parameter.
pub(super) fn value(session: &Session, name: &str) -> Result<String, Failure> {
    match present(session, name) {
        Some(value) => Ok(value),
        None => session.settings().show(name),
    }
}

/// The value of a parameter that is the transaction's or the server's, and not one of the settings.
fn present(session: &Session, name: &str) -> Option<String> {
    let transaction = session.transaction();
    let backend = session.backend();
    let switch = |on| Some(if on { "on" } else { "off" }.to_owned());
    match parameters::find(name)?.name {
        "transaction_isolation" => Some(transaction.isolation().name().to_owned()),
        "transaction_read_only" => {
            let never_writes = backend.mode_barrier().is_some_and(Barrier::is_complete);
            switch(transaction.is_read_only() || never_writes)
        }
        "transaction_deferrable" => switch(transaction.is_deferrable()),
        "in_hot_standby" => switch(backend.home().is_read_only()),
        "synchronous_standby_names" => {
            let rule = backend.home().core().release().status().rule;
            Some(rule.unwrap_or_default())
        }
        OPEN_MODE => backend.open_mode().map(|mode| mode.to_string()),
        _ => None,
    }
}

/// SET, RESET and DISCARD.
pub(super) fn run(session: &mut Session, kind: &StatementKind) -> Result<(), Failure> {
    match kind {
        StatementKind::Set { name, value, local } => set(session, name, value.as_deref(), *local),
        StatementKind::Reset { name: Some(name) } => set(session, name, None, false),
        StatementKind::Reset { name: None } => {
            session.change_settings(Settings::reset_all);
            Ok(())
        }
        StatementKind::SetTransaction(modes) => {
            if !session.transaction().is_explicit() {
                let message = "SET TRANSACTION can only be used in transaction blocks";
                let notices = session.notices();
                notices.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, message);
            }
            block::set_modes(session, *modes)
        }
        StatementKind::SetCharacteristics(modes) => {
            if let Some(isolation) = modes.isolation {
                let value = Some(isolation.name());
                set(session, "default_transaction_isolation", value, false)?;
            }
            if let Some(read_only) = modes.read_only {
                let value = Some(if read_only { "on" } else { "off" });
                set(session, "default_transaction_read_only", value, false)?;
            }
            if let Some(deferrable) = modes.deferrable {
                let value = Some(if deferrable { "on" } else { "off" });
                set(session, "default_transaction_deferrable", value, false)?;
            }
            Ok(())
        }
        StatementKind::SetConstraints { names, deferred } => {
            block::set_constraints(session, names.as_deref(), *deferred)
        }
        StatementKind::Discard { all: true, .. } => {
            session.transaction().check_outside_block("DISCARD ALL")?;
            session.portals().clear();
            session.statements().clear();
            session.backend().listening().unlisten(None);
            session.backend().sqlite().sequences().forget();
            session.backend().locks().advisory().unlock_all();
            session.change_settings(Settings::reset_all);
            temporary::drop_all(session)
        }
        StatementKind::Discard {
            temporary: true, ..
        } => temporary::drop_all(session),
        StatementKind::Discard {
            sequences: true, ..
        } => {
            session.backend().sqlite().sequences().forget();
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Sets one parameter; without a value it goes back to its default.
fn set(session: &mut Session, name: &str, value: Option<&str>, local: bool) -> Result<(), Failure> {
    match parameters::find(name).map(|parameter| parameter.name) {
        Some("role") => return roles::set(session, value, false, local),
        Some("transaction_isolation") => {
            let modes = TransactionModes {
                isolation: value.map(isolation).transpose()?,
                ..TransactionModes::default()
            };
            return block::set_modes(session, modes);
        }
        Some("transaction_read_only") => {
            let modes = TransactionModes {
                read_only: value.map(|v| matches!(v, "on" | "true" | "1" | "yes")),
                ..TransactionModes::default()
            };
            return block::set_modes(session, modes);
        }
        Some("transaction_deferrable") => {
            let modes = TransactionModes {
                deferrable: value.map(|v| matches!(v, "on" | "true" | "1" | "yes")),
                ..TransactionModes::default()
            };
            return block::set_modes(session, modes);
        }
        Some(parameters::WAIT_FOR) if session.transaction().holds_snapshot() => {
            return Err(Failure::new(
                SqlState::ACTIVE_SQL_TRANSACTION,
                "SET eloqdb.wait_for must be called before any query",
            ));
        }
        _ => {}
    }
    let explicit = session.transaction().is_explicit();
    if local && !explicit {
        let message = "SET LOCAL can only be used in transaction blocks";
        let notices = session.notices();
        notices.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, message);
    }
    session.change_settings(|settings| settings.set(name, value, local, explicit))
}

fn isolation(name: &str) -> Result<Isolation, Failure> {
    match name.to_ascii_lowercase().as_str() {
        "read committed" | "read uncommitted" => Ok(Isolation::ReadCommitted),
        "repeatable read" => Ok(Isolation::RepeatableRead),
        "serializable" => Ok(Isolation::Serializable),
        _ => Err(Failure::new(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("invalid value for parameter \"transaction_isolation\": \"{name}\""),
        )),
    }
}
