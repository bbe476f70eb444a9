//! What a start-up packet asks for, as far as it decides who serves the session.

use std::collections::BTreeMap;

use crate::databases::list::SYSTEM_NAME;
use crate::databases::open_mode::{OpenMode, Writes};
use crate::environment::Environment;
use crate::pg::startup::{self, option_settings};
use crate::session::defaults;
use crate::session::parameters::OPEN_MODE;
use crate::system::defaults::Defaults;

/// A session that writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// Who it says that it is.
    pub(super) user: String,
    /// The database that it opens.
    pub(super) database: String,
    /// Its `application_name`.
    pub(super) application: String,
    /// The mode, which is one that writes.
    pub(super) mode: OpenMode,
}

/// What the packet asks for, if that is a mode that writes. What is wrong with the packet is told by the
/// way in that all others take.
pub(super) fn asked(
    environment: &Environment,
    parameters: &BTreeMap<String, String>,
) -> Option<Asked> {
    if parameters.contains_key("replication") {
        return None;
    }
    let said = |name: &str| parameters.get(name).filter(|value| !value.is_empty());
    let user = said("user")?;
    let database = startup::named(environment, said("database").unwrap_or(user).clone());
    // What is local is written here.
    if database == SYSTEM_NAME || !environment.is_read_only_in(&database) {
        return None;
    }
    let mode = in_packet(parameters, || by_default(environment, &database, user))?;
    Some(Asked {
        mode: Some(mode).filter(|mode| mode.writes() != Writes::Nothing)?,
        user: user.clone(),
        database,
        application: said("application_name").cloned().unwrap_or_default(),
    })
}

/// The mode that the packet says, or the default where it says nothing of it. It may say that there is none.
fn in_packet(
    parameters: &BTreeMap<String, String>,
    default: impl FnOnce() -> Option<OpenMode>,
) -> Option<OpenMode> {
    let options = parameters.get("options").map_or("", String::as_str);
    let options = option_settings(options).ok()?;
    let own = parameters
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    let said = options.into_iter().chain(own);
    let modes = said.filter(|(name, _)| name.eq_ignore_ascii_case(OPEN_MODE));
    let modes: Result<Vec<_>, _> = modes.map(|(_, value)| defaults::mode(&value)).collect();
    match modes.ok()?.last() {
        Some(last) => *last,
        None => default(),
    }
}

/// The stored default of the role and the database.
fn by_default(environment: &Environment, database: &str, role: &str) -> Option<OpenMode> {
    // One that can't be read is told on the way in.
    let defaults = Defaults::of(environment).of_session(database, role).ok()?;
    let modes = defaults.iter().filter(|default| default.name == OPEN_MODE);
    let mut readable = modes.filter_map(|default| defaults::mode(&default.value).ok());
    readable.next_back().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        owned.collect()
    }

    #[test]
    fn a_mode_may_stand_in_the_options_or_by_itself() {
        for (fields, said) in [
            (&[][..], Some(OpenMode::Update)),
            (&[("options", "-c work_mem=1MB")], Some(OpenMode::Update)),
            (
                &[("options", "-c eloqdb.open_mode=1")],
                Some(OpenMode::Write),
            ),
            (
                &[("options", "-c eloqdb.open_mode=1 --ELOQDB.open-mode=8")],
                Some(OpenMode::ReadNobodyWrites),
            ),
            (
                &[
                    ("Eloqdb.Open_Mode", "4"),
                    ("options", "-c eloqdb.open_mode=8"),
                ],
                Some(OpenMode::WriteOthersRead),
            ),
            (&[("options", "-c eloqdb.open_mode=")], None),
            (&[("options", "-c eloqdb.open_mode=0")], None),
            (
                &[("options", "-c eloqdb.open_mode=0 -c eloqdb.open_mode=1")],
                None,
            ),
            (&[("options", "-q")], None),
        ] {
            let found = in_packet(&packet(fields), || Some(OpenMode::Update));
            assert_eq!(found, said, "{fields:?}");
        }
    }
}
