//! Open modes: what a session may do with its database, and what others may do meanwhile.
//!
//! They are those of Eloquence's DBOPEN, under its numbers.

use std::fmt;
use std::str::FromStr;

use fwlog::DatabaseAccess;

/// How a session has opened its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OpenMode {
    /// 1: reads and writes, beside others who do.
    Write,
    /// 2: reads and updates rows that are there.
    Update,
    /// 3: reads and writes, alone.
    WriteAlone,
    /// 4: reads and writes, while others read.
    WriteOthersRead,
    /// 5: reads, while others write.
    ReadOthersWrite,
    /// 6: reads, whatever others do but for those of 1 and 5.
    Read,
    /// 7: reads, alone.
    ReadAlone,
    /// 8: reads, and nobody writes.
    ReadNobodyWrites,
    /// 9: reads, while others read or write.
    ReadAny,
}

/// What a session may do to rows and tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// Everything.
    All,
    /// Rows that are there get other values.
    Updates,
    /// Nothing.
    Nothing,
}

use OpenMode::{
    Read, ReadAlone, ReadAny, ReadNobodyWrites, ReadOthersWrite, Update, Write, WriteAlone,
    WriteOthersRead,
};

impl OpenMode {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Write,
        Update,
        WriteAlone,
        WriteOthersRead,
        ReadOthersWrite,
        Read,
        ReadAlone,
        ReadNobodyWrites,
        ReadAny,
    ];

    /// The mode of a session. Where it has asked for none, it follows the role of the server: others tolerate
    /// both alike, so a change of role makes no conflict.
    pub fn of_session(asked: Option<Self>, is_read_only: bool) -> Self {
        let by_role = if is_read_only { ReadOthersWrite } else { Write };
        asked.unwrap_or(by_role)
    }

    /// From 1 to 9.
    pub fn number(self) -> u8 {
        match self {
            Write => 1,
            Update => 2,
            WriteAlone => 3,
            WriteOthersRead => 4,
            ReadOthersWrite => 5,
            Read => 6,
            ReadAlone => 7,
            ReadNobodyWrites => 8,
            ReadAny => 9,
        }
    }

    /// Whether a session in this mode and one in the other may have the same database open.
    pub fn goes_with(self, other: Self) -> bool {
        let others: &[Self] = match self {
            Write | ReadOthersWrite => &[Write, ReadOthersWrite, ReadAny],
            Update => &[Update, Read],
            WriteAlone | ReadAlone => &[],
            WriteOthersRead => &[Read],
            Read => &[Update, WriteOthersRead, Read, ReadNobodyWrites, ReadAny],
            ReadNobodyWrites => &[Read, ReadNobodyWrites, ReadAny],
            ReadAny => &[Write, ReadOthersWrite, Read, ReadNobodyWrites, ReadAny],
        };
        others.contains(&other)
    }

    /// What a session in this mode leaves to others, as slaves have to know it.
    pub fn access(self) -> DatabaseAccess {
        match self {
            WriteAlone => DatabaseAccess::Alone,
            WriteOthersRead => DatabaseAccess::OthersRead,
            Write | Update | ReadOthersWrite | Read | ReadAlone | ReadNobodyWrites | ReadAny => {
                DatabaseAccess::Shared
            }
        }
    }

    /// What it lets its session do.
    pub fn writes(self) -> Writes {
        match self {
            Write | WriteAlone | WriteOthersRead => Writes::All,
            Update => Writes::Updates,
            ReadOthersWrite | Read | ReadAlone | ReadNobodyWrites | ReadAny => Writes::Nothing,
        }
    }
}

impl fmt::Display for OpenMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

impl FromStr for OpenMode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number: u8 = text.trim().parse().map_err(|_| ())?;
        Self::ALL
            .into_iter()
            .find(|mode| mode.number() == number)
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who goes with whom, as the manual has it; 6 and 9 tolerate each other.
    const MATRIX: [&str; 9] = [
        "x...x...x",
        ".x...x...",
        ".........",
        ".....x...",
        "x...x...x",
        ".x.x.x.xx",
        ".........",
        ".....x.xx",
        "x...xx.xx",
    ];

    #[test]
    fn who_goes_with_whom_is_mutual_and_as_the_manual_says() {
        for one in OpenMode::ALL {
            let line: String = OpenMode::ALL
                .into_iter()
                .map(|other| if one.goes_with(other) { 'x' } else { '.' })
                .collect();
            assert_eq!(line, MATRIX[usize::from(one.number()) - 1], "mode {one}");
            for other in OpenMode::ALL {
                assert_eq!(one.goes_with(other), other.goes_with(one), "{one} {other}");
            }
        }
    }

    #[test]
    fn a_mode_is_a_number_from_1_to_9() {
        for mode in OpenMode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        for wrong in ["0", "10", "-1", "", "x", "1.0"] {
            assert!(wrong.parse::<OpenMode>().is_err(), "{wrong}");
        }
    }

    /// Who may write, and what beside it.
    #[test]
    fn nobody_writes_beside_a_mode_that_says_so() {
        for other in OpenMode::ALL {
            let writes = other.writes() != Writes::Nothing;
            assert!(!(writes && ReadNobodyWrites.goes_with(other)), "{other}");
            assert!(!(writes && WriteOthersRead.goes_with(other)), "{other}");
        }
    }
}
