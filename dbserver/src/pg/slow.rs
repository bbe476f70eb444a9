//! Statements that take long (`LogSlow`), how many statements there are, and what they cost by their texts
//! (`pg_stat_statements`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dialect::StatementKind;

use crate::failure::Failure;
use crate::pg::perform::Ending;
use crate::process::SLOW;
use crate::process::statement_counts::{Counted, StatementKey};
use crate::session::Session;
use crate::session::prepared::Prepared;

/// Bytes that are told of a statement.
const MAX_TEXT: usize = 1024;

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Rows(u64),
    Failed(&'static str),
}

/// A statement that is over; the commit of an implicit transaction may still belong to it.
#[derive(Debug)]
struct Over {
    /// What is told of it, where slow statements are told.
    text: Option<String>,
    counted: Arc<Counted>,
    spent: Duration,
    outcome: Outcome,
}

/// What a connection keeps of its last statement until it is known how long it took.
#[derive(Debug, Default)]
pub(super) struct SlowLog {
    over: Option<Over>,
    /// The counts of texts that were run of late, by the text that the client has sent.
    known: HashMap<String, Arc<Counted>>,
}

/// Texts that a connection knows again; all are forgotten where one more comes.
const KNOWN: usize = 100;

impl SlowLog {
    /// A statement begins: the one before is complete. Gives the time, where it is measured.
    pub(super) fn begin(&mut self, session: &Session) -> Instant {
        let core = session.backend().env().core();
        core.counters().statements.add(1);
        self.tell(session);
        Instant::now()
    }

    /// It has ended. `text`: what the client has sent of it.
    pub(super) fn end(
        &mut self,
        session: &Session,
        began: Instant,
        (prepared, text): (&Prepared, &str),
        ending: &Result<Ending, Failure>,
    ) {
        let core = session.backend().env().core();
        let is_told = core.slow_limit().get().is_some();
        self.over = Some(Over {
            counted: self.counted(session, prepared, text),
            text: is_told.then(|| shown(prepared, text)),
            spent: began.elapsed(),
            outcome: match ending {
                Ok(ending) => Outcome::Rows(ending.rows()),
                Err(failure) => Outcome::Failed(failure.sqlstate().as_str()),
            },
        });
    }

    /// The counts of a statement. What may have a password is counted by its command.
    fn counted(&mut self, session: &Session, prepared: &Prepared, text: &str) -> Arc<Counted> {
        let command = command_alone(prepared);
        let source = command.unwrap_or(text);
        let known = self.known.get(source).filter(|counted| counted.is_kept());
        if let Some(counted) = known {
            return Arc::clone(counted);
        }
        let text = command.map_or_else(|| dialect::normalised(text), str::to_owned);
        let key = StatementKey {
            user: session.backend().user().to_owned(),
            database: session.backend().entry().database.clone(),
            text,
        };
        let counted = session.backend().env().core().counters().texts.of(key);
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        self.known.insert(source.to_owned(), Arc::clone(&counted));
        counted
    }

    /// Whether there is a statement whose commit is measured.
    pub(super) fn is_measured(&self) -> bool {
        self.over.is_some()
    }

    /// The commit behind it took so long, well or not.
    pub(super) fn committed(
        &mut self,
        session: &Session,
        spent: Duration,
        failure: Option<&Failure>,
    ) {
        if let Some(over) = &mut self.over {
            over.spent += spent;
            if let (Outcome::Rows(_), Some(failure)) = (over.outcome, failure) {
                over.outcome = Outcome::Failed(failure.sqlstate().as_str());
            }
        }
        self.tell(session);
    }

    /// One line, if it took long.
    fn tell(&mut self, session: &Session) {
        let Some(over) = self.over.take() else { return };
        if let Outcome::Rows(rows) = over.outcome {
            over.counted.add(over.spent, rows);
        }
        let core = session.backend().env().core();
        let (Some(limit), Some(text)) = (core.slow_limit().get(), over.text) else {
            return;
        };
        if over.spent < limit {
            return;
        }
        core.counters().slow_statements.add(1);
        let entry = session.backend().entry();
        let (session, user, database) = (entry.pid, &entry.user, &entry.database);
        let (address, application) = (entry.address, entry.application());
        let duration_seconds = whole_micros(over.spent).as_secs_f64();
        let (rows, failed) = match over.outcome {
            Outcome::Rows(rows) => (Some(rows), None),
            Outcome::Failed(sqlstate) => (None, Some(sqlstate)),
        };
        tracing::info!(
            target: SLOW,
            duration_seconds,
            session,
            user,
            database,
            %address,
            application,
            rows,
            failed,
            statement = text,
            "slow statement"
        );
    }
}

/// Nanoseconds say nothing of a statement.
fn whole_micros(spent: Duration) -> Duration {
    spent.saturating_sub(Duration::from_nanos(u64::from(spent.subsec_nanos() % 1000)))
}

/// A statement on one line, cut. Where it may have a password, only the command is shown.
fn shown(prepared: &Prepared, text: &str) -> String {
    match command_alone(prepared) {
        Some(command) => format!("{command} (its text may have a password)"),
        None => one_line(text),
    }
}

/// The command of a statement whose text may have a password.
fn command_alone(prepared: &Prepared) -> Option<&str> {
    match prepared.statement.kind {
        // SET of ALTER USER sets no password, but who errs may have written one.
        StatementKind::CreateRole { .. }
        | StatementKind::AlterRole { .. }
        | StatementKind::AlterDefaults { .. } => Some(prepared.command()),
        StatementKind::Dbctl { .. } => Some("DBCTL"),
        _ => None,
    }
}

/// Runs of blanks and line breaks are one blank.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_ascii_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > MAX_TEXT {
            line.truncate(line.floor_char_boundary(MAX_TEXT));
            line.push('…');
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_a_password_is_not_shown() {
        let told = |sql: &str| {
            let statement = dialect::analyze(sql, &dialect::NoSchema).unwrap();
            shown(&Prepared::new(sql, statement, &[]), sql)
        };
        for (sql, command) in [
            ("CREATE USER u PASSWORD 'sesame'", "CREATE ROLE"),
            ("ALTER ROLE u WITH PASSWORD 'sesame'", "ALTER ROLE"),
            ("ALTER USER u SET password = 'sesame'", "ALTER ROLE"),
            ("DBCTL 'user password u sesame'", "DBCTL"),
        ] {
            let text = told(sql);
            assert!(
                text.starts_with(command) && !text.contains("sesame"),
                "{text}"
            );
        }
        assert_eq!(told("SELECT 'sesame'"), "SELECT 'sesame'");
    }

    #[test]
    fn nanoseconds_are_left_out() {
        let spent = Duration::new(1, 234_567_891);
        assert_eq!(whole_micros(spent), Duration::new(1, 234_567_000));
    }

    #[test]
    fn a_statement_is_one_line_of_bounded_length() {
        assert_eq!(one_line(" SELECT\n\t1,\r\n  2 "), "SELECT 1, 2");
        let long = one_line(&format!("SELECT '{}'", "ü".repeat(100_000)));
        assert!(long.len() <= MAX_TEXT + '…'.len_utf8() && long.ends_with('…'));
    }
}
