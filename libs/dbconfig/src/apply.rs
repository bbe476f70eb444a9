//! Which databases of its master's log a slave applies.

use std::fmt;

use crate::config::Role;
use crate::keys::Section::Replication;
use crate::net::words;
use crate::reader::Reader;

/// The database that holds users and privileges: it is always applied.
const SYSTEM: &str = "system";

/// The databases that get pages on a slave. Its log has all of them in any case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Apply {
    /// All.
    #[default]
    All,
    /// These (`Apply`).
    Only(Vec<String>),
    /// All but these (`ApplyNot`).
    Not(Vec<String>),
}

impl Apply {
    /// Whether a database of that name gets pages.
    pub fn takes(&self, name: &str) -> bool {
        let named = |names: &[String]| names.iter().any(|known| known == name);
        match self {
            _ if name == SYSTEM => true,
            Self::All => true,
            Self::Only(names) => named(names),
            Self::Not(names) => !named(names),
        }
    }

    /// Whether nothing is left out.
    pub fn is_all(&self) -> bool {
        *self == Self::All
    }
}

impl fmt::Display for Apply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all databases"),
            Self::Only(names) => write!(f, "only {}", names.join(", ")),
            Self::Not(names) => write!(f, "all but {}", names.join(", ")),
        }
    }
}

/// Names of databases, spelled as in `database list`.
fn databases(text: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = words(text).map(str::to_owned).collect();
    if names.is_empty() {
        return Err("write names of databases, with commas between".into());
    }
    match names.iter().find(|name| *name == SYSTEM) {
        Some(_) => Err("system holds the users: it is always applied, and not named here".into()),
        None => Ok(names),
    }
}

/// `Apply` or `ApplyNot`.
pub(crate) fn read(reader: &mut Reader, role: Role) -> Apply {
    let only = reader.optional(Replication, "Apply", databases);
    let not = reader.optional(Replication, "ApplyNot", databases);
    let (key, apply) = match (only, not) {
        (None, None) => return Apply::All,
        (Some(_), Some(_)) => {
            let message =
                "Apply and ApplyNot exclude each other: what Apply does not name is not applied";
            reader.problem(Replication, "ApplyNot", message);
            return Apply::All;
        }
        (Some(names), None) => ("Apply", Apply::Only(names)),
        (None, Some(names)) => ("ApplyNot", Apply::Not(names)),
    };
    if role != Role::Slave && !reader.is_faulty(Replication, "Role") {
        let message = format!(
            "{key} needs Role = Slave: a server that leaves databases out cannot be the root"
        );
        reader.problem(Replication, key, message);
    }
    apply
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Config;

    fn apply(text: &str) -> Result<Apply, String> {
        let text = format!("[Server]\nDataDir = /data\n[Replication]\n{text}");
        Config::parse(Path::new("/etc/eloqdb.cfg"), &text)
            .map(|config| config.replication.apply)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn system_is_always_applied_and_the_rest_by_its_name() {
        let only = apply("Role = Slave\nApply = shop, crm\n").unwrap();
        let takes = |apply: &Apply| ["system", "shop", "crm", "Shop"].map(|name| apply.takes(name));
        assert_eq!(takes(&only), [true, true, true, false]);
        assert_eq!(only.to_string(), "only shop, crm");
        let not = apply("Role = Slave\nApplyNot = crm\n").unwrap();
        assert_eq!(takes(&not), [true, true, false, true]);
        assert_eq!(apply("Role = Slave\n").unwrap(), Apply::All);
        assert!(takes(&Apply::All).into_iter().all(|takes| takes));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, why) in [
            (
                "Role = Slave\nApply = a\nApplyNot = b\n",
                "exclude each other",
            ),
            ("Role = Slave\nApply = ,\n", "names of databases"),
            ("Role = Slave\nApplyNot = system\n", "always applied"),
            ("Role = Master\nApplyNot = b\n", "needs Role = Slave"),
            ("Apply = b\n", "needs Role = Slave"),
        ] {
            let error = apply(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
