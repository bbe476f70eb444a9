//! The tree of a statement as it was written: names unresolved, types unknown.
//!
//! Its shape is PostgreSQL's raw parse tree (`nodes/parsenodes.h`): what the grammar defines as another way to
//! write a function call (`EXTRACT`, `AT TIME ZONE`, `SUBSTRING … FROM`, `OVERLAPS`) is that call already, under the
//! name that PostgreSQL's grammar gives it, because the name is what resolution, errors and result columns show.
//! Every node that an error may point at has its [`Position`].

mod change;
mod expr;
mod query;

pub use change::*;
pub use expr::*;
pub use query::*;

/// A byte offset into the text of the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u32);

/// An identifier: in lower case unless it was quoted, cut to 63 bytes as PostgreSQL does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Without quotes.
    pub text: String,
    /// Where it begins.
    pub at: Position,
}

/// A name with its qualifiers, the last being the object: `schema.table`, `table.column`. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(pub Vec<Name>);

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// SELECT, VALUES, TABLE, WITH.
    Query(Box<Query>),
    /// INSERT.
    Insert(Box<Insert>),
    /// UPDATE.
    Update(Box<Update>),
    /// DELETE.
    Delete(Box<Delete>),
    /// A statement of another kind.
    Other(Other),
}

/// A statement that the token-based translation still reads; its first keywords tell which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// The kind in the grammar's words, `CREATE TABLE`.
    pub name: String,
}
