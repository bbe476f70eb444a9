//! Statements of the simple protocol that were translated before.

use std::collections::HashMap;
use std::rc::Rc;

use dialect::{StatementKind, Template, stands_for};
use pgtypes::{PgType, SqlValue};

use crate::failure::Failure;
use crate::session::Session;
use crate::session::prepared::Prepared;

/// More of them are not kept.
const MAX_TEXTS: usize = 256;

/// Translated statements, by the text of their template.
#[derive(Default)]
pub struct KnownTexts(HashMap<String, Rc<Prepared>>);

impl KnownTexts {
    /// The statement of a template, if it was translated with this generation of the schema.
    pub fn get(&self, template: &str, generation: u64) -> Option<Rc<Prepared>> {
        let found = self.0.get(template)?;
        (found.generation == generation).then(|| Rc::clone(found))
    }

    /// Keeps a statement; where there are too many, the others are forgotten.
    pub fn insert(&mut self, template: String, prepared: Rc<Prepared>) {
        if self.0.len() >= MAX_TEXTS {
            self.0.clear();
        }
        self.0.insert(template, prepared);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Translates a statement of the simple protocol, or knows it by a text that differs in numbers only; gives these as the
/// statement's parameters.
///
/// Errors: those of [`Session::prepare`], for the whole text.
pub fn prepare(session: &mut Session, sql: &str) -> Result<(Rc<Prepared>, Vec<SqlValue>), Failure> {
    let template = if session.transaction.is_failed() {
        None
    } else {
        Template::of(sql)
    };
    let Some(Template { text, values }) = template else {
        return Ok((session.prepare(sql, &[])?, Vec::new()));
    };
    session.check_epoch()?;
    session.wait_for_defined()?;
    let sqlite = session.backend.sqlite();
    sqlite.refresh_schema()?;
    let generation = sqlite.schema().generation();
    let prepared = match session.known_texts.get(&text, generation) {
        Some(known) => known,
        None if values.is_empty() => {
            let prepared = session.prepare(sql, &[])?;
            keep(session, text, &prepared);
            prepared
        }
        None => match learn(session, text, values.len()) {
            Ok(Some(prepared)) => prepared,
            // Only the whole text tells what is wrong with it, and where.
            Ok(None) | Err(_) => return Ok((session.prepare(sql, &[])?, Vec::new())),
        },
    };
    if !stands_for(&prepared.statement, &values) {
        return Ok((session.prepare(sql, &[])?, Vec::new()));
    }
    let numbers = values
        .into_iter()
        .map(|value| SqlValue::Integer(value.into()));
    Ok((prepared, numbers.collect()))
}

/// Translates a template with numbers and keeps it; `None` where it can't stand for its texts.
fn learn(
    session: &mut Session,
    template: String,
    numbers: usize,
) -> Result<Option<Rc<Prepared>>, Failure> {
    if session.backend.sqlite().has_partial_indexes()? {
        // SQLite uses them for the numbers that they name, and does not see those of a parameter.
        return Ok(None);
    }
    let oids = vec![PgType::Int4.oid().get(); numbers];
    let prepared = session.prepare(&template, &oids)?;
    let stands = prepared.parameters.len() == numbers && keep(session, template, &prepared);
    Ok(stands.then_some(prepared))
}

/// Keeps what can be run again as it is; whether it can.
fn keep(session: &mut Session, template: String, prepared: &Rc<Prepared>) -> bool {
    let statement = &prepared.statement;
    let runs_again = matches!(statement.kind, StatementKind::Query | StatementKind::Dml);
    let kept = runs_again && !statement.catalog;
    if kept {
        session.known_texts.insert(template, Rc::clone(prepared));
    }
    kept
}
