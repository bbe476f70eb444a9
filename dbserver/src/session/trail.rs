//! What a transaction has run, for the audit records of its commit (`EnableAudit`).

use fwlog::{Audit, DatabaseId, RecordBuffer, Timestamp};

use crate::clients::SessionEntry;

/// Bytes of text that are kept of the statements of one transaction. A block of the log has room for them beside the pages.
const MOST_TEXT: usize = 256 << 10;

/// What stands for the statements that there was no room for.
const OMITTED: &str = "OMITTED";

/// A statement that may have changed something.
#[derive(Clone, Debug)]
struct Noted {
    began: Timestamp,
    kind: &'static str,
    text: String,
    /// How often it came in a row.
    times: u64,
}

/// The statements of a transaction, in their order. Those that were undone by ROLLBACK TO are among them, as is the ROLLBACK
/// TO.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail {
    noted: Vec<Noted>,
    bytes: usize,
    omitted: u64,
}

impl Trail {
    pub(super) fn is_empty(&self) -> bool {
        self.noted.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// A statement begins. A text that comes again and again, as a prepared statement does, is kept once.
    pub(super) fn note(&mut self, kind: &'static str, text: &str) {
        if let Some(last) = self.noted.last_mut()
            && last.kind == kind
            && last.text == text
        {
            last.times += 1;
            return;
        }
        let text = text
            .get(..text.floor_char_boundary(fwlog::MAX_STATEMENT))
            .unwrap_or_default();
        if self.omitted > 0 || self.bytes + text.len() > MOST_TEXT {
            self.omitted += 1;
            return;
        }
        self.bytes += text.len();
        self.noted.push(Noted {
            began: Timestamp::now(),
            kind,
            text: text.to_owned(),
            times: 1,
        });
    }

    /// The records that stand before the commit.
    pub(super) fn records(&self, entry: &SessionEntry, database: DatabaseId) -> RecordBuffer {
        let mut records = RecordBuffer::new();
        if self.is_empty() {
            return records;
        }
        let client = client(entry);
        let mut put = |time, kind: &str, text: &str| {
            records.audit(&Audit {
                time,
                database,
                user: &entry.user,
                client: &client,
                statement: &statement(kind, text),
            });
        };
        for noted in &self.noted {
            match noted.times {
                1 => put(noted.began, noted.kind, &noted.text),
                times => {
                    let more = times - 1;
                    let text = format!("{}\n-- and {more} more times", noted.text);
                    put(noted.began, noted.kind, &text);
                }
            }
        }
        if self.omitted > 0 {
            let text = format!("{} more statements", self.omitted);
            put(Timestamp::now(), OMITTED, &text);
        }
        records
    }
}

/// The statement text of a record: its kind, and what the client sent.
fn statement(kind: &str, text: &str) -> String {
    format!("{kind}\n{text}")
}

/// The client text of a record: address, the program as it has named itself, and who has forwarded the transaction.
fn client(entry: &SessionEntry) -> String {
    let client = format!("{} {}", entry.address, entry.application());
    match &entry.via {
        None => client.trim_end().to_owned(),
        Some(via) => format!("{} via {via}", client.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_comes_again_is_kept_once_and_too_many_are_counted() {
        let mut trail = Trail::default();
        for _ in 0..3 {
            trail.note("INSERT", "INSERT INTO t VALUES ($1)");
        }
        assert_eq!(trail.noted.len(), 1);
        assert_eq!(trail.noted[0].times, 3);
        let large = "ü".repeat(MOST_TEXT);
        trail.note("UPDATE", &large);
        assert!(trail.noted[1].text.len() <= fwlog::MAX_STATEMENT);
        for index in 0..10 {
            trail.note("UPDATE", &format!("{index}{large}"));
        }
        assert!(trail.bytes <= MOST_TEXT);
        assert_eq!(trail.noted.len() as u64 + trail.omitted, 12);
    }
}
