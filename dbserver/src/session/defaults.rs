//! ALTER DATABASE, ALTER ROLE … SET, RESET: what sessions begin with.

use std::collections::HashMap;

use dialect::{DefaultChange, DefaultRole};
use pgtypes::SqlState;

use crate::databases::open_mode::OpenMode;
use crate::failure::Failure;
use crate::session::parameters::{self, OPEN_MODE, ROLE};
use crate::session::server_object::{done, need_dba};
use crate::session::settings::Settings;
use crate::session::{Session, set};
use crate::system::defaults::{Change, Defaults, Place};

/// Changes the defaults of a database, a role, or a role in a database. A user may change their own.
pub(super) fn change(
    session: &mut Session,
    database: Option<&str>,
    role: &DefaultRole,
    change: &DefaultChange,
) -> Result<(), Failure> {
    let user = session.backend().user().to_owned();
    let role = match role {
        DefaultRole::All => None,
        DefaultRole::Own => Some(user.as_str()),
        DefaultRole::Named(name) => Some(name.as_str()),
    };
    if role != Some(user.as_str()) {
        need_dba(session)?;
    }
    let backend = session.backend();
    let env = backend.env();
    let known = database.map(|name| env.database(name)).transpose()?;
    let place = Place {
        database: known.map(|database| database.id()),
        role: role.map(str::to_owned),
    };
    let (name, value);
    let change = match change {
        DefaultChange::Set(given, text) => {
            (name, value) = (spelled(given), text.clone());
            check(&name, &value)?;
            Change::Set(&name, &value)
        }
        DefaultChange::Current(given) => {
            (name, value) = (spelled(given), set::value(session, given)?);
            check(&name, &value)?;
            Change::Set(&name, &value)
        }
        DefaultChange::Reset(given) => {
            name = spelled(given);
            set::value(session, given)?;
            Change::Reset(&name)
        }
        DefaultChange::ResetAll => Change::ResetAll,
    };
    let changed = Defaults::of(env)
        .change(&place, change)
        .map_err(Failure::from);
    done(backend, &changed, || {
        let whose = match (role, database) {
            (Some(role), Some(database)) => format!("of {role} in {database}"),
            (Some(role), None) => format!("of {role}"),
            (None, Some(database)) => format!("in {database}"),
            (None, None) => "of all".to_owned(),
        };
        match change {
            Change::Set(name, value) => format!("sessions {whose} begin with {name} = {value}"),
            Change::Reset(name) => {
                format!("sessions {whose} begin with {name} as it is for others")
            }
            Change::ResetAll => format!("sessions {whose} begin without settings of their own"),
        }
    });
    changed
}

/// The name in its usual spelling.
fn spelled(name: &str) -> String {
    parameters::find(name).map_or_else(|| name.to_ascii_lowercase(), |known| known.name.to_owned())
}

/// Whether a session may begin with that value.
fn check(name: &str, value: &str) -> Result<(), Failure> {
    if name == OPEN_MODE {
        return mode(value).map(drop);
    }
    if parameters::OF_TRANSACTION.contains(&name) || name == ROLE {
        return Err(
            Failure::unsupported(format!("\"{name}\" as what sessions begin with")).hint(
                "What begins with default_ is for new transactions: default_transaction_read_only.",
            ),
        );
    }
    Settings::new(HashMap::new()).set(name, Some(value), false, false)
}

/// An open mode from 1 to 9; nothing, as if it were not said.
///
/// Errors: 22023.
pub fn mode(value: &str) -> Result<Option<OpenMode>, Failure> {
    if value.trim().is_empty() {
        return Ok(None);
    }
    value.parse().map(Some).map_err(|()| {
        let value: String = value.chars().take(100).collect();
        Failure::new(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("invalid value for parameter \"{OPEN_MODE}\": \"{value}\""),
        )
        .hint("Open modes are the numbers from 1 to 9.")
    })
}
