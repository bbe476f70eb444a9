//! The tables in each database that hold what the server itself knows: no client sees or makes one.

use crate::{Comment, Domain, SequenceInfo, StoredRight, UserType};

/// Which lost transactions were done again in a database, and what came of the others: written by the transaction that does
/// one again, so that it is there exactly when its rows are.
pub const LOST_TABLE: &str = "eloqdb_lost";

/// All of them.
pub const OWN_TABLES: [&str; 6] = [
    SequenceInfo::TABLE,
    Comment::TABLE,
    StoredRight::TABLE,
    UserType::TABLE,
    Domain::TABLE,
    LOST_TABLE,
];
