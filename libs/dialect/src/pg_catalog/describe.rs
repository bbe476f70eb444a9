//! Definitions as `pg_get_constraintdef` and `pg_get_indexdef` print them.

pub use functions::identifier;

use crate::literal::quote;
use crate::pg_catalog::visible::Visible;
use crate::sequence::default_name;
use crate::table_info::{Constraint, ConstraintKind};

fn list(names: &[String]) -> String {
    names
        .iter()
        .map(|name| identifier(name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A default that counts, as PostgreSQL would print it, from SQLite's text.
pub(crate) fn counting_default(text: &str, visible: &Visible) -> Option<String> {
    let name = default_name(text)?;
    Some(format!(
        "nextval({}::regclass)",
        quote(&visible.lasting(&name))
    ))
}

/// `PRIMARY KEY (id)`, `FOREIGN KEY (a) REFERENCES t(id) ON DELETE CASCADE`, …
///
/// `target`: the table of a foreign key as it is shown.
pub(crate) fn constraint(
    constraint: &Constraint,
    (target, referenced): (&str, &[String]),
    check: &str,
) -> String {
    match &constraint.kind {
        ConstraintKind::PrimaryKey => format!("PRIMARY KEY ({})", list(&constraint.columns)),
        ConstraintKind::Unique => format!("UNIQUE ({})", list(&constraint.columns)),
        ConstraintKind::Check { .. } => format!("CHECK ({check})"),
        ConstraintKind::ForeignKey {
            table: _,
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
                target,
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
