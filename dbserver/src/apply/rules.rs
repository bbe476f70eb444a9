//! What a record may do. The chain hashes prove where a record comes from, not that it makes sense:
//! whatever stands in a log, the server that applies it stays whole, and inside its directory.

use std::fmt::Display;

use fwlog::{DatabaseId, Position};

use crate::databases::list::{self, MAX_DATABASES, SYSTEM_DATABASE, SYSTEM_NAME};
use crate::error::EngineError;

/// Most pages that one commit may add to a database without giving them a content, 64 GiB: each
/// takes memory until the next checkpoint.
const MAX_EMPTY_PAGES: u32 = 16 << 20;

/// Refuses a new database that no master would make; `count` is how many there are.
pub(super) fn check_create(
    id: DatabaseId,
    name: &str,
    count: usize,
    at: Position,
) -> Result<(), EngineError> {
    let refuse = |why: &dyn Display| Err(corrupt(at, why));
    if id == SYSTEM_DATABASE && name != SYSTEM_NAME {
        return refuse(&format!("database number {id} is called {name:?}"));
    }
    if id.get() == 0 || id.get() == u32::MAX {
        return refuse(&format!("a database with the number {id}"));
    }
    if count >= MAX_DATABASES {
        return refuse(&format!("more than {MAX_DATABASES} databases"));
    }
    if id == SYSTEM_DATABASE {
        return Ok(());
    }
    check_name(name, at)
}

/// Refuses a name that no master would give.
pub(super) fn check_name(name: &str, at: Position) -> Result<(), EngineError> {
    list::check_name(name).map_err(|error| corrupt(at, &error))
}

/// Refuses a redo point that is still to come: replay would pass over what lies between.
pub(super) fn check_checkpoint(redo: Position, at: Position) -> Result<(), EngineError> {
    if redo > at {
        return Err(corrupt(at, &format!("a checkpoint with redo from {redo}")));
    }
    Ok(())
}

/// Refuses to drop or rename the database that holds the users.
pub(super) fn check_change(id: DatabaseId, at: Position) -> Result<(), EngineError> {
    if id == SYSTEM_DATABASE {
        return Err(corrupt(
            at,
            &"the server's own database is dropped or renamed",
        ));
    }
    Ok(())
}

/// Refuses a size that no transaction can have given to a database: `before` and `after` are pages,
/// `given` is how many have a content.
pub(super) fn check_growth(
    before: u32,
    after: u32,
    given: usize,
    at: Position,
) -> Result<(), EngineError> {
    let given = u32::try_from(given).unwrap_or(u32::MAX);
    if after.saturating_sub(before).saturating_sub(given) > MAX_EMPTY_PAGES {
        let why = format!("a commit that makes {before} pages {after}, and has {given} of them");
        return Err(corrupt(at, &why));
    }
    Ok(())
}

fn corrupt(at: Position, why: &dyn Display) -> EngineError {
    EngineError::Corrupt(format!("block at {at}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Position = Position::ORIGIN;

    #[test]
    fn a_new_database_has_a_number_and_a_name_that_a_master_gives() {
        let create = |id, name| check_create(DatabaseId::new(id), name, 3, AT);
        assert!(create(1, "system").is_ok());
        assert!(create(7, "shop").is_ok());
        assert!(create(7, "../shop").is_ok(), "a name is no path");
        for (id, name) in [
            (0, "shop"),
            (1, "shop"),
            (u32::MAX, "shop"),
            (7, ""),
            (7, "system"),
            (7, "a\nb"),
        ] {
            assert!(create(id, name).is_err(), "{id} {name:?}");
        }
        assert!(check_create(DatabaseId::new(7), "shop", MAX_DATABASES, AT).is_err());
    }

    #[test]
    fn the_servers_own_database_stays() {
        assert!(check_change(SYSTEM_DATABASE, AT).is_err());
        assert!(check_change(DatabaseId::new(2), AT).is_ok());
    }

    #[test]
    fn a_database_does_not_grow_by_emptiness_alone() {
        assert!(check_growth(10, MAX_EMPTY_PAGES + 10, 0, AT).is_ok());
        assert!(check_growth(10, MAX_EMPTY_PAGES + 11, 0, AT).is_err());
        assert!(check_growth(10, MAX_EMPTY_PAGES + 11, 1, AT).is_ok());
        assert!(check_growth(0, u32::MAX, 5, AT).is_err());
        assert!(check_growth(u32::MAX, 1, 0, AT).is_ok());
    }
}
