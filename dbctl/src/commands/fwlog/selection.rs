//! Which transactions are meant.

use fwlog::Timestamp;
use pgtypes::{Format, PgType, SqlValue};

use crate::args::Selection;
use crate::commands::fwlog::audited::Audited;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;

/// Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL's times begin.
const MICROS_TO_2000: i64 = 946_684_800_000_000;

/// The filters of a command.
#[derive(Debug)]
pub(crate) struct Filter {
    databases: Vec<String>,
    kinds: Vec<String>,
    user: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Filter {
    pub(crate) fn new(invocation: &Invocation, selection: &Selection) -> Result<Self> {
        let time = |text: &Option<String>| text.as_deref().map(point_in_time).transpose();
        Ok(Self {
            databases: selection.database.clone(),
            kinds: selection.kind.clone(),
            user: invocation.named_user().map(str::to_owned),
            from: time(&selection.from)?,
            to: time(&selection.to)?,
        })
    }

    /// Whether a database is meant. `system` has to be named: users and their passwords are in it.
    pub(crate) fn has_database(&self, name: &str) -> bool {
        if self.databases.is_empty() {
            name != "system"
        } else {
            self.databases.iter().any(|one| one == name)
        }
    }

    /// Whether databases were named, so that one of another name is none of them.
    pub(crate) fn names_databases(&self) -> bool {
        !self.databases.is_empty()
    }

    pub(crate) fn has_kind(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|one| one.eq_ignore_ascii_case(kind))
    }

    pub(crate) fn names_a_user(&self) -> bool {
        self.user.is_some()
    }

    /// Whether what one of these has done is meant.
    pub(crate) fn has_user(&self, audit: &[Audited]) -> bool {
        let is = |user: &String| audit.iter().any(|audited| audited.user == *user);
        self.user.as_ref().is_none_or(is)
    }

    pub(crate) fn has_time(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && !self.ends_before(time)
    }

    /// Whether this time, and so all that comes, is too late.
    pub(crate) fn ends_before(&self, time: Timestamp) -> bool {
        self.to.is_some_and(|to| to < time)
    }

    /// Errors: a kind was named that is none of these.
    pub(crate) fn check_kinds(&self, known: &[&str]) -> Result<()> {
        let is_known = |kind: &&String| !known.iter().any(|one| one.eq_ignore_ascii_case(kind));
        match self.kinds.iter().find(is_known) {
            None => Ok(()),
            Some(kind) => Err(CommandError::usage(format!("there is no kind `{kind}`"))
                .with_hint(format!("kinds are {}", known.join(", ")))),
        }
    }
}

/// A time as PostgreSQL understands it; without a zone in UTC.
fn point_in_time(text: &str) -> Result<Timestamp> {
    let wrong = || {
        CommandError::usage(format!("`{text}` is no point in time"))
            .with_hint("write YYYY-MM-DD HH:MM:SS, with a zone behind it where it is not UTC")
    };
    let value = pgtypes::decode(text.as_bytes(), &PgType::Timestamptz(None), Format::Text);
    let Ok(SqlValue::Integer(micros)) = value else {
        return Err(wrong());
    };
    let micros = micros.checked_add(MICROS_TO_2000).ok_or_else(wrong)?;
    u64::try_from(micros)
        .map(Timestamp::from_micros)
        .map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc_unless_they_say_otherwise() {
        for text in ["2006-04-18 18:54:17", "2006-04-18 20:54:17+02"] {
            assert_eq!(
                point_in_time(text).unwrap().to_string(),
                "2006-04-18 18:54:17.000Z"
            );
        }
        assert!(point_in_time("yesterday noon").is_err());
    }
}
