//! Records as lines of text, for `dbctl fwlog dump`.

use std::fmt::{self, Write as _};

use crate::numbers::DatabaseId;
use crate::record::{Commit, DatabaseAccess, PageBody, Pages, Record};

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generation(start) => write!(
                f,
                "generation {} by {} at {}, parent {}",
                start.reason,
                Plain(start.origin),
                start.time,
                start.parent
            ),
            Self::Checkpoint { redo } => write!(f, "checkpoint, redo from {redo}"),
            Self::Commit(commit) => commit.fmt(f),
            Self::Part(part) => {
                write!(
                    f,
                    "part of transaction {}, database {}",
                    part.transaction, part.database
                )?;
                show_pages(f, part.pages)
            }
            Self::CreateDatabase { id, name, options } => {
                show_database(f, "create", *id, name, options)
            }
            Self::DropDatabase { id, name } => write!(f, "drop database {id} {name:?}"),
            Self::RenameDatabase { id, old_name, name } => {
                write!(f, "rename database {id} {old_name:?} to {name:?}")
            }
            Self::RestoreDatabase { id, name, options } => {
                show_database(f, "restore", *id, name, options)
            }
            Self::Access { id, access } => match access {
                DatabaseAccess::Shared => write!(f, "database {id} left to others"),
                DatabaseAccess::OthersRead => write!(f, "database {id} taken, others read"),
                DatabaseAccess::Alone => write!(f, "database {id} taken alone"),
            },
            Self::Copied { up_to } => write!(f, "copied up to {up_to} of the journal"),
            Self::Audit(audit) => write!(
                f,
                "audit {} user {:?} from {:?} database {}: {}",
                audit.time,
                audit.user,
                audit.client,
                audit.database,
                Plain(audit.statement)
            ),
        }
    }
}

impl fmt::Display for Commit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "commit {} at {}, database {}, {} pages afterwards",
            self.number, self.time, self.database, self.page_count
        )?;
        if self.exclusive {
            f.write_str(", exclusive")?;
        }
        if let Some(transaction) = self.transaction {
            write!(f, ", ends transaction {transaction}")?;
        }
        show_pages(f, self.pages)
    }
}

fn show_database(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    id: DatabaseId,
    name: &str,
    options: &str,
) -> fmt::Result {
    write!(f, "{what} database {id} {name:?}")?;
    if options.is_empty() {
        Ok(())
    } else {
        write!(f, " {}", Plain(options))
    }
}

/// A text on one line, with nothing in it that a terminal would obey.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| {
            if c.is_control() {
                write!(f, "{}", c.escape_default())
            } else {
                f.write_char(c)
            }
        })
    }
}

/// Each page with the bytes that it takes: `7 full`, `8 delta 31`.
fn show_pages(f: &mut fmt::Formatter<'_>, pages: Pages<'_>) -> fmt::Result {
    f.write_str("; pages:")?;
    for change in pages {
        match change {
            Ok(change) => match change.body {
                PageBody::Full(_) => write!(f, " {} full", change.page)?,
                PageBody::Delta(delta) => write!(f, " {} delta {}", change.page, delta.size())?,
            },
            Err(error) => write!(f, " ({error})")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Audit;
    use crate::timestamp::Timestamp;

    #[test]
    fn a_record_is_one_line_whatever_its_texts_hold() {
        let record = Record::Audit(Audit {
            time: Timestamp::ZERO,
            database: DatabaseId::new(1),
            user: "a\nb",
            client: "\u{1b}[2J",
            statement: "SELECT 'ä'\n\u{1b}[31m--",
        });
        let shown = record.to_string();
        assert!(!shown.contains(char::is_control), "{shown:?}");
        assert!(shown.ends_with("SELECT 'ä'\\n\\u{1b}[31m--"), "{shown}");
    }
}
