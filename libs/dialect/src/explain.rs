//! EXPLAIN: what is asked about which statement.

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::schema::SchemaView;
use crate::source::Source;
use crate::statement::{Statement, StatementKind};

/// What EXPLAIN is to tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "options that are independent of each other"
)]
pub struct Explain {
    /// The statement runs, and its rows and its time are told.
    pub analyze: bool,
    /// As JSON.
    pub json: bool,
    /// Times of parts; without it rows alone are told.
    pub timing: bool,
    /// The times of planning and of running.
    pub summary: bool,
    /// The command: `Insert`, `Update`, `Delete`; `None` for a query.
    pub change: Option<&'static str>,
    /// The table that it changes.
    pub target: Option<String>,
}

/// What is not counted, so that it can't be told.
const NOT_COUNTED: &[&str] = &["BUFFERS", "WAL", "SETTINGS"];
/// What an option of these names asks for is told, or nothing more would be told with it: a plan here has no costs.
const KNOWN: &[&str] = &[
    "ANALYZE", "ANALYSE", "VERBOSE", "COSTS", "TIMING", "SUMMARY",
];

/// EXPLAIN [ANALYZE] [VERBOSE] | (options) statement
pub(crate) fn explain(
    src: &Source<'_>,
    schema: &dyn SchemaView,
) -> Result<Statement, DialectError> {
    let mut at = 1;
    let mut said = Options::default();
    if src.sign(at, "(") && !src.is_any(at + 1, &["SELECT", "WITH", "VALUES"]) {
        said.read(src, at)?;
        at = src.partner(at) + 1;
    } else {
        said.analyze = src.is_any(at, &["ANALYZE", "ANALYSE"]);
        at += usize::from(said.analyze);
        at += usize::from(src.is(at, "VERBOSE"));
    }
    if said.timing == Some(true) && !said.analyze {
        let message = "EXPLAIN option TIMING requires ANALYZE";
        return Err(src.error(1, SqlState::INVALID_PARAMETER_VALUE, message.to_owned()));
    }
    let inner = src.slice(at, src.len());
    if inner.is_empty() {
        return Err(src.syntax(at));
    }
    let inner = crate::analyze(inner, schema)?;
    let changes = inner.kind == StatementKind::Dml;
    if !changes && inner.kind != StatementKind::Query {
        return Err(src.syntax(at));
    }
    let Some(text) = inner.sqlite.last() else {
        return Err(src.syntax(at));
    };
    if !inner.before.is_empty() {
        return Err(src.unsupported(at, "EXPLAIN of a data-modifying WITH"));
    }
    if said.analyze && (changes || inner.locks_rows || inner.writes) {
        return Err(src.unsupported(
            1,
            "EXPLAIN ANALYZE of a statement that changes or locks rows",
        ));
    }
    let change = match src.text(at).to_ascii_uppercase().as_str() {
        _ if !changes => None,
        "INSERT" => Some("Insert"),
        "UPDATE" => Some("Update"),
        "DELETE" => Some("Delete"),
        _ => Some("ModifyTable"),
    };
    let explain = Explain {
        analyze: said.analyze,
        json: said.json,
        timing: said.timing.unwrap_or(said.analyze),
        summary: said.summary.unwrap_or(said.analyze),
        change,
        target: change.and_then(|_| target(src, at)),
    };
    Ok(Statement {
        sqlite: vec![text.clone(), format!("EXPLAIN QUERY PLAN {text}")],
        parameters: inner.parameters,
        catalog: inner.catalog,
        access: inner.access,
        sequences: inner.sequences,
        ..Statement::session(StatementKind::Explain(explain), "EXPLAIN")
    })
}

/// The table of INSERT INTO, UPDATE or DELETE FROM.
fn target(src: &Source<'_>, at: usize) -> Option<String> {
    let mut at = at + 1;
    while src.is_any(at, &["INTO", "FROM", "ONLY"]) {
        at += 1;
    }
    let mut name = src.name(at)?;
    while src.sign(at + 1, ".") {
        at += 2;
        name = src.name(at)?;
    }
    Some(name)
}

#[derive(Default)]
struct Options {
    analyze: bool,
    json: bool,
    timing: Option<bool>,
    summary: Option<bool>,
}

impl Options {
    /// `(option [value], …)`
    fn read(&mut self, src: &Source<'_>, open: usize) -> Result<(), DialectError> {
        let close = src.partner(open);
        let mut at = open + 1;
        while at < close {
            let mut end = at;
            while end < close && !src.sign(end, ",") {
                end += 1;
            }
            let value =
                (end > at + 1).then(|| src.text(at + 1).trim_matches('\'').to_ascii_lowercase());
            self.one(src, at, value.as_deref())?;
            at = end + 1;
        }
        Ok(())
    }

    fn one(
        &mut self,
        src: &Source<'_>,
        at: usize,
        value: Option<&str>,
    ) -> Result<(), DialectError> {
        let name = src.name(at).ok_or_else(|| src.syntax(at))?;
        if src.is(at, "FORMAT") {
            self.json = match value {
                Some("text") => false,
                Some("json") => true,
                Some("xml" | "yaml") => {
                    return Err(src.unsupported(at, "EXPLAIN in another format than text and json"));
                }
                _ => {
                    let message = format!(
                        "unrecognized value for EXPLAIN option \"format\": \"{}\"",
                        value.unwrap_or_default()
                    );
                    return Err(src.error(at, SqlState::INVALID_PARAMETER_VALUE, message));
                }
            };
            return Ok(());
        }
        if !src.is_any(at, KNOWN) && !src.is_any(at, NOT_COUNTED) {
            let message = format!("unrecognized EXPLAIN option \"{name}\"");
            return Err(src.error(at, SqlState::SYNTAX_ERROR, message));
        }
        let on = match value {
            None | Some("true" | "on" | "1") => true,
            Some("false" | "off" | "0") => false,
            Some(_) => {
                let message = format!("{name} requires a Boolean value");
                return Err(DialectError::new(SqlState::SYNTAX_ERROR, message));
            }
        };
        if on && src.is_any(at, NOT_COUNTED) {
            let what = format!("EXPLAIN with {}", name.to_ascii_uppercase());
            return Err(src.unsupported(at, &what));
        }
        match name.to_ascii_uppercase().as_str() {
            "ANALYZE" | "ANALYSE" => self.analyze = on,
            "TIMING" => self.timing = Some(on),
            "SUMMARY" => self.summary = Some(on),
            // A plan here has no costs, and nothing that only VERBOSE would show.
            _ => {}
        }
        Ok(())
    }
}
