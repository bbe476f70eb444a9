//! The schemas that what users make is in.

use crate::pg_catalog::fill::Filler;
use crate::pg_catalog::number::FIRST;
use crate::pg_catalog::objects::TEMPORARY;
use crate::stored_name;

pub(crate) const PUBLIC: u32 = 2200;

/// A schema that tables of users are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Namespace {
    pub(crate) oid: u32,
    pub(crate) name: String,
}

impl Namespace {
    pub(crate) fn public() -> Self {
        Self {
            oid: PUBLIC,
            name: stored_name::PUBLIC.to_owned(),
        }
    }

    /// That of the session's own tables.
    pub(crate) fn temporary() -> Self {
        Self {
            oid: TEMPORARY_OID,
            name: TEMPORARY.to_owned(),
        }
    }

    pub(crate) fn is_temporary(&self) -> bool {
        self.oid == TEMPORARY_OID
    }
}

const TEMPORARY_OID: u32 = FIRST - 1;

impl Filler<'_> {
    /// The schema of what is stored under a name.
    pub(crate) fn namespace_of(&self, stored: &str) -> Namespace {
        let name = stored_name::schema(stored);
        Namespace {
            oid: self.objects.namespace(name).unwrap_or(PUBLIC),
            name: name.to_owned(),
        }
    }

    /// The stored name of what is in the schema whose rows are made.
    pub(crate) fn in_place(&self, name: &str) -> String {
        if self.place.is_temporary() {
            return name.to_owned();
        }
        stored_name::join(&self.place.name, name)
    }
}
