//! Who owns what is in a database, and who may use it: rows of a table of the database, by the names of what they are
//! about, which follow it when it is renamed or dropped.

use acl::Kind;

use crate::literal::quote;
use crate::schema::SchemaView;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRight {
    /// As [`StoredRight::kind_name`] gives it, with `new ` before it for what a role makes from now on.
    pub kind: String,
    /// The object, or that role.
    pub object: String,
    /// Its owner; `None`: that of the database.
    pub owner: Option<String>,
    /// Its access-control list.
    pub acl: Option<String>,
}

impl StoredRight {
    /// The table.
    pub const TABLE: &'static str = "eloqdb_right";
    /// Makes it.
    pub const CREATE: &'static str = "CREATE TABLE IF NOT EXISTS main.eloqdb_right (kind TEXT NOT NULL, object TEXT NOT NULL, \
        owner TEXT, acl TEXT, PRIMARY KEY (kind, object)) WITHOUT ROWID";
    /// What reads it, in the order of the fields.
    pub const READ: &'static str =
        "SELECT kind, object, owner, acl FROM main.eloqdb_right ORDER BY kind, object";

    /// How a kind is stored.
    pub fn kind_name(kind: Kind) -> &'static str {
        kind.name()
    }

    /// The kind that is stored so.
    pub fn kind_of(name: &str) -> Option<Kind> {
        [Kind::Table, Kind::Sequence, Kind::Type, Kind::Schema]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// The statement, if something of the kind is stored at all.
fn followed(schema: &dyn SchemaView, sql: String) -> Option<String> {
    schema.columns(StoredRight::TABLE).is_some().then_some(sql)
}

/// A table, view or sequence has another name.
pub(crate) fn rename(schema: &dyn SchemaView, from: &str, to: &str) -> Option<String> {
    followed(
        schema,
        format!(
            "UPDATE main.eloqdb_right SET object = {} WHERE object = {} AND kind IN ('table', 'sequence')",
            quote(to),
            quote(from)
        ),
    )
}

/// What is of another kind goes.
pub(crate) fn drop_of(schema: &dyn SchemaView, kind: Kind, name: &str) -> Option<String> {
    followed(
        schema,
        format!(
            "DELETE FROM main.eloqdb_right WHERE object = {} AND kind = {}",
            quote(name),
            quote(StoredRight::kind_name(kind))
        ),
    )
}

/// A table, view or sequence goes.
pub(crate) fn drop(schema: &dyn SchemaView, name: &str) -> Option<String> {
    followed(
        schema,
        format!(
            "DELETE FROM main.eloqdb_right WHERE object = {} AND kind IN ('table', 'sequence')",
            quote(name)
        ),
    )
}

/// An enum or a domain goes.
pub(crate) fn drop_type(schema: &dyn SchemaView, name: &str) -> Option<String> {
    followed(
        schema,
        format!(
            "DELETE FROM main.eloqdb_right WHERE object = {} AND kind = 'type'",
            quote(name)
        ),
    )
}
