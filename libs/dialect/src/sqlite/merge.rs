//! MERGE. SQLite has none: a query says what is to be done with which rows, before any is changed, and for each of them
//! one of the changes runs.
//!
//! ```text
//! SELECT CASE WHEN target._rowid_ IS NOT NULL
//!        THEN CASE WHEN condition THEN eq_merge_row(0, target._rowid_, value, …) … END
//!        ELSE CASE WHEN condition THEN eq_merge_row(1, value, …) … END END
//! FROM source LEFT JOIN target ON …
//! ```

use crate::analysis::tree::{FromItem, Merge, MergeAction, MergeWhen, Source};
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::{JoinKind, Position};

/// What puts the number of a change and its parameters into one value: `eq_merge_row(number, parameter, …)`.
pub const MERGE_ROW: &str = "eq_merge_row";

/// The most parameters that a change may have: SQLite's functions take 1,000 arguments.
const MOST_PARAMETERS: usize = 998;

/// A change that MERGE makes with one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeChange {
    /// SQLite's text. Its parameters are the values of the query's row behind the number of the change.
    pub text: String,
    /// It changes a row that is there: its first parameter is the number of that row.
    pub changes_row: bool,
}

impl Printer<'_> {
    pub(crate) fn merge(&mut self, merge: &Merge) -> Result<Vec<MergeChange>> {
        let Some(Source::Table {
            schema,
            name,
            has_rowid: true,
        }) = self.relations.get(merge.table.0).map(|r| &r.source)
        else {
            let what = "MERGE into a table without row numbers";
            return Err(self.unsupported(Position::default(), what));
        };
        let table = format!("{schema}.{}", crate::literal::quote_name(name));
        self.with(&merge.with, false)?;
        let inserts = merge.whens.iter().any(|when| !when.matched);
        let join = FromItem::Join {
            kind: if inserts {
                JoinKind::Left
            } else {
                JoinKind::Inner
            },
            sides: Box::new([merge.source.clone(), FromItem::Relation(merge.table)]),
            on: Some(merge.on.clone()),
            using: Vec::new(),
            using_alias: None,
            alias: None,
        };
        self.find_nullable(std::slice::from_ref(&join));
        let mut changes = Vec::new();
        self.push("SELECT CASE WHEN ");
        self.row_number(merge);
        self.push(" IS NOT NULL THEN ");
        self.choice(merge, true, &table, &mut changes)?;
        self.push(" ELSE ");
        self.choice(merge, false, &table, &mut changes)?;
        self.push(" END FROM ");
        self.from(&[join])?;
        Ok(changes)
    }

    fn row_number(&mut self, merge: &Merge) {
        let alias = self.names.alias(merge.table).to_owned();
        self.name(&alias);
        self.push("._rowid_");
    }

    /// The first WHEN whose condition is true, of those for rows that have a match or of those for rows that have none.
    fn choice(
        &mut self,
        merge: &Merge,
        matched: bool,
        table: &str,
        changes: &mut Vec<MergeChange>,
    ) -> Result {
        let whens: Vec<&MergeWhen> = merge
            .whens
            .iter()
            .filter(|w| w.matched == matched)
            .collect();
        if whens.is_empty() {
            self.push("NULL");
            return Ok(());
        }
        self.push("CASE");
        for when in whens {
            match &when.condition {
                Some(condition) => self.wrapped(" WHEN ", condition, " THEN ")?,
                None => self.push(" WHEN 1 THEN "),
            }
            let Some(change) = self.change_text(merge, &when.action, table)? else {
                self.push("NULL");
                continue;
            };
            self.push(&format!("{MERGE_ROW}({}", changes.len()));
            if change.changes_row {
                self.push(", ");
                self.row_number(merge);
            }
            for (_, value) in when.action.values() {
                self.push(", ");
                self.expr(value)?;
            }
            self.push(")");
            changes.push(change);
        }
        self.push(" END");
        Ok(())
    }

    fn change_text(
        &self,
        merge: &Merge,
        action: &MergeAction,
        table: &str,
    ) -> Result<Option<MergeChange>> {
        let columns = self.relations.get(merge.table.0).map(|r| &r.columns);
        let names: Vec<String> = action
            .values()
            .iter()
            .filter_map(|(place, _)| columns?.get(*place))
            .map(|column| crate::literal::quote_name(&column.stored_name))
            .collect();
        if names.len() > MOST_PARAMETERS {
            let what = format!("MERGE with more than {MOST_PARAMETERS} columns");
            return Err(self.unsupported(Position::default(), what));
        }
        let text = match action {
            MergeAction::Nothing => return Ok(None),
            MergeAction::Delete => format!("DELETE FROM {table} WHERE _rowid_ = ?1"),
            MergeAction::Update(_) => {
                let numbered = names.iter().zip(2..);
                let set: Vec<String> = numbered.map(|(name, n)| format!("{name} = ?{n}")).collect();
                format!("UPDATE {table} SET {} WHERE _rowid_ = ?1", set.join(", "))
            }
            MergeAction::Insert(_) if names.is_empty() => {
                format!("INSERT INTO {table} DEFAULT VALUES")
            }
            MergeAction::Insert(_) => {
                let places: Vec<String> = (1..=names.len()).map(|n| format!("?{n}")).collect();
                format!(
                    "INSERT INTO {table} ({}) VALUES ({})",
                    names.join(", "),
                    places.join(", ")
                )
            }
        };
        Ok(Some(MergeChange {
            text,
            changes_row: !matches!(action, MergeAction::Insert(_)),
        }))
    }
}
