//! ON CONFLICT of INSERT.

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::literal::quote_name;
use crate::table_info::{ConstraintKind, parse_create_table};
use crate::translator::{ScopeTable, Translator};

impl Translator<'_> {
    /// ON CONFLICT [(columns) [WHERE …] | ON CONSTRAINT name] DO NOTHING | DO UPDATE SET … [WHERE …]
    pub(super) fn on_conflict(
        &mut self,
        at: usize,
        end: usize,
        table: &str,
    ) -> Result<usize, DialectError> {
        let mut at = at + 2;
        if self.src.are(at, &["ON", "CONSTRAINT"]) {
            let name = self
                .src
                .name(at + 2)
                .ok_or_else(|| self.src.syntax(at + 2))?;
            let columns = self.constraint_columns(table, &name);
            let Some(columns) = columns else {
                let message = format!("constraint \"{name}\" for table \"{table}\" does not exist");
                return Err(self.src.error(at + 2, SqlState::UNDEFINED_OBJECT, message));
            };
            self.replace(at, at + 3, format!("({columns})"));
            at += 3;
        } else if self.src.sign(at, "(") {
            let close = self.src.partner(at);
            self.list(at + 1, close)?;
            at = close + 1;
            if self.src.is(at, "WHERE") {
                at = self.expr(at + 1, end)?.to;
            }
        }
        if self.src.are(at, &["DO", "NOTHING"]) {
            return Ok(at + 2);
        }
        if !self.src.are(at, &["DO", "UPDATE", "SET"]) {
            return Err(self.src.syntax(at));
        }
        let columns = self.table_columns(table);
        if let Some(scope) = self.scopes.last_mut() {
            scope.tables.push(ScopeTable {
                alias: "excluded".to_owned(),
                columns,
            });
        }
        at = self.assignments(at + 3, end, table)?;
        if self.src.is(at, "WHERE") && at < end {
            at = self.expr(at + 1, end)?.to;
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.tables.pop();
        }
        Ok(at)
    }

    /// The columns of a unique constraint, or of a unique index of that name, as text.
    fn constraint_columns(&self, table: &str, name: &str) -> Option<String> {
        let list = |columns: &[String]| {
            columns
                .iter()
                .map(|column| quote_name(column))
                .collect::<Vec<_>>()
                .join(",")
        };
        let info = self
            .schema
            .create_sql(table)
            .and_then(|sql| parse_create_table(&sql));
        let unique = |kind: &ConstraintKind| {
            matches!(kind, ConstraintKind::PrimaryKey | ConstraintKind::Unique)
        };
        let found = info.and_then(|info| {
            info.constraints
                .into_iter()
                .find(|constraint| constraint.name == name && unique(&constraint.kind))
        });
        if let Some(constraint) = found {
            return Some(list(&constraint.columns));
        }
        self.schema.dependents(table).iter().find_map(|sql| {
            let (index, columns) = crate::ddl::index_columns(sql)?;
            (index == name).then_some(columns)
        })
    }
}
