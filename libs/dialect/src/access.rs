//! What a statement asks of the rights of its user.

use acl::Privileges;

use crate::ddl::role::Who;

/// One thing that the user must be allowed to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// To use a table, a view or a sequence of the database in all of these ways.
    Use {
        /// Its name.
        relation: String,
        /// In which ways.
        privileges: Privileges,
    },
    /// To read a table or a view of the session's own: of a view, what it reads.
    ReadTemporary {
        /// Its name.
        relation: String,
    },
    /// To use one in any of these ways.
    UseSomehow {
        /// Its name.
        relation: String,
        /// In which ways.
        privileges: Privileges,
    },
    /// To do what the owner may.
    Own {
        /// What the statement is about: `table`, `view`, `sequence`, `index`.
        what: &'static str,
        /// Its name.
        name: String,
        /// The relation whose owner it is.
        relation: String,
        /// It is dropped: the owner of the schema may do so, too.
        drops: bool,
    },
    /// To make a relation.
    Create {
        /// Its name.
        relation: String,
        /// A sequence.
        sequence: bool,
    },
    /// To do what the owner of an enum or a domain may.
    OwnType {
        /// Its name.
        name: String,
        /// It is dropped: the owner of the schema may do so, too.
        drops: bool,
    },
    /// To make an enum or a domain.
    CreateType {
        /// Its name.
        name: String,
    },
    /// To make something in a schema, or to bring it there.
    CreateIn {
        /// Its name.
        schema: String,
    },
    /// To make a schema.
    CreateSchema {
        /// Its name.
        name: String,
        /// AUTHORIZATION
        owner: Option<Who>,
    },
    /// To do what the owner of a schema may.
    OwnSchema {
        /// Its name.
        name: String,
    },
    /// To make a table of the session's own.
    CreateTemporary,
    /// To do what the owner of the database may.
    OwnDatabase {
        /// Its name; the session's own where none was said.
        name: Option<String>,
    },
}

impl Access {
    /// To use a relation in one way.
    pub(crate) fn to(privileges: Privileges, relation: &str) -> Self {
        Self::Use {
            relation: relation.to_owned(),
            privileges,
        }
    }
}
