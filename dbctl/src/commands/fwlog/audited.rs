//! An audit record, kept beyond its block.

use fwlog::{Audit, DatabaseId, Timestamp};

/// Who did what, from where.
#[derive(Clone, Debug)]
pub(crate) struct Audited {
    pub(crate) time: Timestamp,
    pub(crate) database: DatabaseId,
    pub(crate) user: String,
    /// Address and program, as `10.0.0.7:5142 psql`.
    pub(crate) client: String,
    /// The kind of statement, as `INSERT`.
    pub(crate) kind: String,
    pub(crate) statement: String,
}

impl Audited {
    pub(crate) fn of(record: &Audit<'_>) -> Self {
        let (kind, statement) = record
            .statement
            .split_once('\n')
            .unwrap_or((record.statement, ""));
        Self {
            time: record.time,
            database: record.database,
            user: record.user.to_owned(),
            client: record.client.to_owned(),
            kind: kind.to_owned(),
            statement: statement.to_owned(),
        }
    }

    /// The address without the program.
    pub(crate) fn address(&self) -> &str {
        self.client.split_once(' ').map_or(&self.client, |(a, _)| a)
    }

    /// The program, as it has named itself.
    pub(crate) fn program(&self) -> &str {
        self.client
            .split_once(' ')
            .map_or("", |(_, program)| program)
    }
}
