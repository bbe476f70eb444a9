//! PostgreSQL's SQL from an analysed expression: what `pg_get_expr` and its kin show.

mod coercion;
mod constant;
mod expr;
mod parentheses;

use crate::analysis::Standalone;
use crate::analysis::tree::{Expr, Relations};

/// An expression as PostgreSQL shows it: with all parentheses, or with those that it needs.
pub(crate) fn expression(standalone: &Standalone, pretty: bool) -> String {
    let mut writer = Writer {
        relations: &standalone.relations,
        pretty,
        out: String::new(),
    };
    writer.expr(&standalone.value, false);
    writer.out
}

/// Whether an expression looks like a call, which an index shows without parentheses.
pub(crate) fn looks_like_call(value: &Expr) -> bool {
    use crate::analysis::tree::ExprKind;
    match &value.kind {
        ExprKind::Call(call) => {
            parentheses::operator_of(call).is_none() && coercion::Coercion::of(value).is_none()
        }
        ExprKind::Coalesce(_)
        | ExprKind::Extreme { .. }
        | ExprKind::NullIf(_)
        | ExprKind::ValueFunction { .. } => true,
        _ => false,
    }
}

/// The state of one text.
struct Writer<'a> {
    relations: &'a Relations,
    pretty: bool,
    out: String,
}

impl Writer<'_> {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn list(&mut self, items: &[Expr], implicit: bool) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.expr(item, implicit);
        }
    }
}
