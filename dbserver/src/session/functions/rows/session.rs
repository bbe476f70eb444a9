//! What the session itself has: prepared statements and cursors, as they were when its statement began.

use dialect::pg_catalog::Rows;

use crate::session::functions::facts::Facts;
use crate::session::functions::refusal::Refusal;
use crate::session::functions::rows::{text, truth};

/// What [`Facts`] are told before a statement reads the catalog.
#[derive(Debug, Clone, Default)]
pub(in crate::session) struct SessionRows {
    /// Name, text, and the names of the parameters' types.
    pub(in crate::session) statements: Vec<(String, String, Vec<String>)>,
    /// Name, text, whether it outlives its transaction, whether it scrolls.
    pub(in crate::session) cursors: Vec<(String, String, bool, bool)>,
}

#[expect(clippy::unnecessary_wraps, reason = "in a table with what can fail")]
pub(super) fn prepared_statements(facts: &Facts, rows: &mut Rows) -> Result<(), Refusal> {
    for (name, statement, types) in &facts.session_rows().statements {
        let types = types.iter().map(|name| Some(name.as_str()));
        let by_sql = statement
            .get(..7)
            .is_some_and(|word| word.eq_ignore_ascii_case("prepare"));
        rows.push(&[
            ("name", text(name)),
            ("statement", text(statement)),
            ("parameter_types", text(pgtypes::array::text_of(types))),
            ("from_sql", truth(by_sql)),
        ]);
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "in a table with what can fail")]
pub(super) fn cursors(facts: &Facts, rows: &mut Rows) -> Result<(), Refusal> {
    for (name, statement, holds, scrolls) in &facts.session_rows().cursors {
        rows.push(&[
            ("name", text(name)),
            ("statement", text(statement)),
            ("is_holdable", truth(*holds)),
            ("is_binary", truth(false)),
            ("is_scrollable", truth(*scrolls)),
        ]);
    }
    Ok(())
}
