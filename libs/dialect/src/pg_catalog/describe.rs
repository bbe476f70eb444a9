//! Definitions as `pg_get_constraintdef` and `pg_get_indexdef` print them.

pub use functions::identifier;

use crate::literal::quote;
use crate::sequence::default_literal;
use crate::table_info::{Constraint, ConstraintKind};

fn list(names: &[String]) -> String {
    names
        .iter()
        .map(|name| identifier(name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A default that counts, as PostgreSQL would print it, from SQLite's text.
pub(crate) fn counting_default(text: &str) -> Option<String> {
    default_literal(text).map(|name| format!("nextval({}::regclass)", quote(&identifier(&name))))
}

/// `PRIMARY KEY (id)`, `FOREIGN KEY (a) REFERENCES t(id) ON DELETE CASCADE`, …
pub(crate) fn constraint(constraint: &Constraint, referenced: &[String], check: &str) -> String {
    match &constraint.kind {
        ConstraintKind::PrimaryKey => format!("PRIMARY KEY ({})", list(&constraint.columns)),
        ConstraintKind::Unique => format!("UNIQUE ({})", list(&constraint.columns)),
        ConstraintKind::Check { .. } => format!("CHECK ({check})"),
        ConstraintKind::ForeignKey {
            table,
            columns,
            on_delete,
            on_update,
            deferrable,
            deferred,
        } => {
            let columns = if columns.is_empty() {
                referenced
            } else {
                columns
            };
            let mut text = format!(
                "FOREIGN KEY ({}) REFERENCES {}({})",
                list(&constraint.columns),
                identifier(table),
                list(columns)
            );
            for (event, action) in [("UPDATE", on_update), ("DELETE", on_delete)] {
                if action != "NO ACTION" {
                    text.extend([" ON ", event, " ", action]);
                }
            }
            if *deferrable {
                text.push_str(" DEFERRABLE");
            }
            if *deferred {
                text.push_str(" INITIALLY DEFERRED");
            }
            text
        }
    }
}
