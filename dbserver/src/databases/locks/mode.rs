//! Strengths of locks, and which of them exclude each other (PostgreSQL 15, sections 13.3.1 and 13.3.2).

/// A lock on a table.
pub use dialect::LockMode as TableMode;

/// A lock on a row, from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "PostgreSQL's names")]
pub enum RowMode {
    KeyShare,
    Share,
    NoKeyUpdate,
    Update,
}

/// A lock of either kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// On a table.
    Table(TableMode),
    /// On a row, or on a key of a unique index.
    Row(RowMode),
}

impl Mode {
    /// Whether two transactions may not hold both at once.
    pub fn excludes(self, other: Self) -> bool {
        match (self, other) {
            (Self::Table(one), Self::Table(other)) => excluded(one) & (1 << other as u8) != 0,
            (Self::Row(one), Self::Row(other)) => match one {
                RowMode::KeyShare => other == RowMode::Update,
                RowMode::Share => matches!(other, RowMode::NoKeyUpdate | RowMode::Update),
                RowMode::NoKeyUpdate => other != RowMode::KeyShare,
                RowMode::Update => true,
            },
            (Self::Table(_), Self::Row(_)) | (Self::Row(_), Self::Table(_)) => {
                unreachable!("a thing that is locked is a table or a row")
            }
        }
    }

    /// Whether who holds this one has the other, too.
    pub fn includes(self, other: Self) -> bool {
        match (self, other) {
            (Self::Table(one), Self::Table(other)) => {
                let (one, other) = (excluded(one), excluded(other));
                one & other == other
            }
            (Self::Row(one), Self::Row(other)) => one as u8 >= other as u8,
            (Self::Table(_), Self::Row(_)) | (Self::Row(_), Self::Table(_)) => false,
        }
    }

    /// Whether its holder may have changed the thing itself, and not only rows that are locked each.
    pub fn tells_of_changes(self) -> bool {
        match self {
            Self::Table(mode) => matches!(mode, TableMode::Exclusive | TableMode::AccessExclusive),
            Self::Row(mode) => matches!(mode, RowMode::NoKeyUpdate | RowMode::Update),
        }
    }

    /// As PostgreSQL's messages name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table(mode) => match mode {
                TableMode::AccessShare => "AccessShareLock",
                TableMode::RowShare => "RowShareLock",
                TableMode::RowExclusive => "RowExclusiveLock",
                TableMode::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
                TableMode::Share => "ShareLock",
                TableMode::ShareRowExclusive => "ShareRowExclusiveLock",
                TableMode::Exclusive => "ExclusiveLock",
                TableMode::AccessExclusive => "AccessExclusiveLock",
            },
            Self::Row(mode) => match mode {
                RowMode::KeyShare | RowMode::Share => "ShareLock",
                RowMode::NoKeyUpdate | RowMode::Update => "ExclusiveLock",
            },
        }
    }
}

/// The modes that a mode excludes, a bit each.
const fn excluded(mode: TableMode) -> u8 {
    use TableMode::{
        AccessExclusive, Exclusive, RowExclusive, RowShare, Share, ShareRowExclusive,
        ShareUpdateExclusive,
    };
    const fn from(weakest: TableMode) -> u8 {
        u8::MAX << weakest as u8
    }
    match mode {
        TableMode::AccessShare => from(AccessExclusive),
        RowShare => from(Exclusive),
        RowExclusive => from(Share),
        ShareUpdateExclusive => from(ShareUpdateExclusive),
        // Not itself, which is why the modes are no plain order.
        Share => (1 << RowExclusive as u8) | (from(ShareUpdateExclusive) & !(1 << Share as u8)),
        ShareRowExclusive => from(RowExclusive),
        Exclusive => from(RowShare),
        AccessExclusive => u8::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [TableMode; 8] = [
        TableMode::AccessShare,
        TableMode::RowShare,
        TableMode::RowExclusive,
        TableMode::ShareUpdateExclusive,
        TableMode::Share,
        TableMode::ShareRowExclusive,
        TableMode::Exclusive,
        TableMode::AccessExclusive,
    ];

    /// The table of the manual, a line for each mode.
    #[test]
    fn tables_are_locked_as_the_manual_says() {
        let lines = TABLE.map(|one| {
            TABLE
                .map(|other| {
                    if Mode::Table(one).excludes(Mode::Table(other)) {
                        'X'
                    } else {
                        '.'
                    }
                })
                .iter()
                .collect::<String>()
        });
        let expected = [
            ".......X", "......XX", "....XXXX", "...XXXXX", "..XX.XXX", "..XXXXXX", ".XXXXXXX",
            "XXXXXXXX",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn rows_are_locked_as_the_manual_says() {
        let modes = [
            RowMode::KeyShare,
            RowMode::Share,
            RowMode::NoKeyUpdate,
            RowMode::Update,
        ];
        let lines = modes.map(|one| {
            modes
                .map(|other| {
                    if Mode::Row(one).excludes(Mode::Row(other)) {
                        'X'
                    } else {
                        '.'
                    }
                })
                .iter()
                .collect::<String>()
        });
        assert_eq!(lines, ["...X", "..XX", ".XXX", "XXXX"]);
    }

    #[test]
    fn a_lock_includes_those_that_exclude_less() {
        let table = Mode::Table;
        assert!(table(TableMode::AccessExclusive).includes(table(TableMode::Share)));
        assert!(table(TableMode::ShareRowExclusive).includes(table(TableMode::Share)));
        assert!(!table(TableMode::Share).includes(table(TableMode::RowExclusive)));
        assert!(!table(TableMode::RowExclusive).includes(table(TableMode::Share)));
        assert!(Mode::Row(RowMode::Update).includes(Mode::Row(RowMode::Share)));
    }
}
