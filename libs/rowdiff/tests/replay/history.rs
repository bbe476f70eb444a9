//! What is done to the database.

use proptest::prelude::*;
use rowdiff::{Change, RowChange};

/// One statement, before it is known what tables there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Act {
    pub kind: Kind,
    /// Chooses the table and the rows.
    pub which: u16,
    /// How many rows, or how large.
    pub amount: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Insert,
    InsertLarge,
    Update,
    UpdateInPlace,
    UpdateKey,
    Delete,
    DeleteAll,
    AddColumn,
    DropColumn,
    RenameColumn,
    RenameTable,
    CreateIndex,
    CreateTable,
    CreateTableAs,
    DropTable,
    Recreate,
    Swap,
    Analyze,
    Vacuum,
}

pub(crate) fn acts() -> impl Strategy<Value = Act> {
    let kind = prop_oneof![
        6 => Just(Kind::Insert),
        3 => Just(Kind::InsertLarge),
        4 => Just(Kind::Update),
        2 => Just(Kind::UpdateInPlace),
        2 => Just(Kind::UpdateKey),
        4 => Just(Kind::Delete),
        1 => Just(Kind::DeleteAll),
        2 => Just(Kind::AddColumn),
        1 => Just(Kind::DropColumn),
        1 => Just(Kind::RenameColumn),
        1 => Just(Kind::RenameTable),
        1 => Just(Kind::CreateIndex),
        1 => Just(Kind::CreateTable),
        1 => Just(Kind::CreateTableAs),
        1 => Just(Kind::DropTable),
        1 => Just(Kind::Recreate),
        1 => Just(Kind::Swap),
        1 => Just(Kind::Analyze),
        1 => Just(Kind::Vacuum),
    ];
    (kind, any::<u16>(), any::<u16>()).prop_map(|(kind, which, amount)| Act {
        kind,
        which,
        amount,
    })
}

/// Whether a change tells of a row that is as it was.
pub(crate) fn says_nothing(change: &Change) -> bool {
    match change {
        Change::Row(RowChange { before, after, .. }) => before == after,
        _ => false,
    }
}
