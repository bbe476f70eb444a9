//! The rows that a transaction has changed, so that it can be carried over to a newer commit.
//!
//! SQLite has one writer, and a client that thinks between BEGIN and COMMIT must not hold it. So a transaction first
//! runs on a snapshot of its own. What it changed is noted row by row ([`ChangedRows`], filled by SQLite's update hook),
//! and locked. Where the snapshot has to be newer — at COMMIT, for a read, or because somebody else has changed a row
//! that it wants — the rows are read ([`Changes::capture`]), SQLite's transaction is thrown away, and on the newer commit
//! each row is made what it was ([`Changes::apply`]). Since the rows are locked, nobody else has touched them meanwhile.

mod changed_rows;
mod first_change;
mod keys;
mod net;
mod plan;

pub use changed_rows::{ChangedRows, TableName, Touched};
pub use net::{Captured, Changes};
pub(super) use plan::{Plan, RowPlans};
