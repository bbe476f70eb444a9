//! Calls of functions.

use pgtypes::SqlValue;

use crate::analysis::tree::{Call, Expr, ExprKind};
use crate::catalog::{Function, TypeId};
use crate::sqlite::any::{Wanted, wanted};
use crate::sqlite::form::{Form, form, is_registered, registered_name};
use crate::sqlite::never;
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::Position;

/// SQLite's own operator where a whole number is divided by a constant that gives a result for each: with zero it
/// gives NULL, and with -1 the least number has no opposite.
fn divided_safely(call: &Call) -> Option<&'static str> {
    let sign = match call.function.source {
        "int2div" | "int4div" | "int8div" => "/",
        "int2mod" | "int4mod" | "int8mod" => "%",
        _ => return None,
    };
    let divisor = &call.arguments.get(1)?.kind;
    matches!(divisor, ExprKind::Constant(SqlValue::Integer(divisor)) if !matches!(divisor, 0 | -1))
        .then_some(sign)
}

impl Printer<'_> {
    /// A call in the way that SQLite has for it.
    pub(crate) fn call(&mut self, call: &Call, at: Position) -> Result {
        if never::is_null(call) {
            self.push("NULL");
            return Ok(());
        }
        let arguments = call.arguments.as_slice();
        if let (Some(sign), [left, right]) = (divided_safely(call), arguments) {
            return self.between(left, sign, right, false);
        }
        match (form(call.function), arguments) {
            (Form::Infix(sign), [left, right]) => self.between(left, sign, right, false),
            (Form::Compare(sign), [left, right]) => {
                self.must_be_ordered(left)?;
                self.between(left, sign, right, true)
            }
            (Form::Same, [value, ..]) => self.expr(value),
            (Form::Cast(ty), [value, ..]) => {
                self.push("CAST(");
                self.expr(value)?;
                self.push(" AS ");
                self.push(ty);
                self.push(")");
                Ok(())
            }
            (Form::NotZero, [value]) => {
                self.push("(");
                self.expr(value)?;
                self.push(" <> 0)");
                Ok(())
            }
            (Form::Like(word), [text, pattern]) => self.like(text, word, pattern),
            (Form::ConcatAny, [left, right]) => {
                self.push("(");
                self.joined_text(left)?;
                self.push(" || ");
                self.joined_text(right)?;
                self.push(")");
                Ok(())
            }
            _ => self.registered(call, at),
        }
    }

    /// A side of `||` as a cast to text gives it, which for a truth is not what a client sees.
    pub(crate) fn joined_text(&mut self, value: &Expr) -> Result {
        self.push(match value.ty.id {
            TypeId::BOOL => "pg_booltext(",
            TypeId::INET | TypeId::CIDR => "pg_network_show(",
            TypeId::BPCHAR => return self.expr(value),
            _ => return self.as_text(value),
        });
        self.expr(value)?;
        self.push(")");
        Ok(())
    }

    fn between(&mut self, left: &Expr, sign: &str, right: &Expr, under: bool) -> Result {
        self.push("(");
        let start = self.out.len();
        // A network compares as an address does, and an index may serve.
        let compared = match &left.kind {
            ExprKind::Relabel(inner) if under && inner.ty.id == TypeId::CIDR => inner,
            _ => left,
        };
        if under {
            self.collated(compared)?;
        } else {
            self.expr(left)?;
        }
        let end = self.out.len();
        self.push(" ");
        self.push(sign);
        self.push(" ");
        self.expr(right)?;
        if sign != "||" {
            self.shield(left, start, end);
        }
        self.push(")");
        Ok(())
    }

    /// A function that the server registers under PostgreSQL's own name of its code.
    fn registered(&mut self, call: &Call, at: Position) -> Result {
        if self.special(call)? {
            return Ok(());
        }
        let Some(mut name) = registered_name(call.function) else {
            return Err(self.missing(call.function, at));
        };
        self.note_look_up(&name);
        if let Some(by_type) = by_elements(&name, call) {
            name = by_type;
        }
        self.push(&name);
        self.push("(");
        let collected = match call.variadic {
            Some(element)
                if call.function.variadic != Some(TypeId::ANY) && !element.is_pseudo() =>
            {
                call.function.arguments.len().saturating_sub(1)
            }
            _ => call.arguments.len(),
        };
        let (single, rest) = call.arguments.split_at(collected.min(call.arguments.len()));
        let mut index = 0;
        // A pattern sees the blanks that the stored form leaves out.
        let name = call.function.name;
        let padded =
            name.starts_with("bpchar") && (name.contains("regex") || name.contains("like"));
        self.list(single, ", ", |printer, argument| {
            let form = match index {
                0 if padded => Wanted::Text,
                index => wanted(call.function, index),
            };
            index += 1;
            printer.argument_as(argument, form)
        })?;
        if collected < call.arguments.len() {
            // A variadic parameter of a type takes an array of it.
            self.push(", ");
            self.array_value(rest)?;
        }
        self.push(")");
        Ok(())
    }

    /// 0A000 for a function that PostgreSQL has.
    pub(crate) fn missing(&self, function: &Function, at: Position) -> crate::error::DialectError {
        let types: Vec<String> = function.arguments.iter().map(|ty| ty.name()).collect();
        self.unsupported(
            at,
            format!("function {}({})", function.name, types.join(", ")),
        )
    }

    /// LIKE: PostgreSQL's escape is a backslash where none was said.
    fn like(&mut self, text: &Expr, word: &str, pattern: &Expr) -> Result {
        // A pattern that ends with its escape is an error, of which SQLite knows nothing.
        let is_whole = text_of(pattern).is_some_and(|pattern| !pattern.ends_with('\\'));
        let native = !self.kept && (is_whole || matches!(pattern.kind, ExprKind::Parameter(_)));
        self.push(match (native, word) {
            (true, _) => "(",
            (false, "LIKE") => "pg_textlike(",
            (false, _) => "pg_textnlike(",
        });
        if text.ty.id == TypeId::BPCHAR {
            // Its trailing blanks count here.
            self.as_text(text)?;
        } else {
            self.expr(text)?;
        }
        if native {
            self.push(" ");
            self.push(word);
            self.push(" ");
        } else {
            self.push(", ");
        }
        self.expr(pattern)?;
        // Without a backslash in it there is nothing to escape, and an index may serve.
        if native && text_of(pattern).is_none_or(|pattern| pattern.contains('\\')) {
            self.push(" ESCAPE '\\'");
        }
        self.push(")");
        Ok(())
    }
}

/// The name of a function that compares elements of arrays, where their texts do not tell whether they are equal.
fn by_elements(name: &str, call: &Call) -> Option<String> {
    let mut elements = call.arguments.iter().filter_map(|a| a.ty.id.element());
    let ending = match elements.next()? {
        TypeId::NUMERIC => "numeric",
        TypeId::BPCHAR => "bpchar",
        TypeId::INTERVAL => "interval",
        TypeId::TIMETZ => "timetz",
        TypeId::JSONB => "jsonb",
        _ => return None,
    };
    Some(format!("{name}_{ending}")).filter(|name| is_registered(name))
}

fn text_of(expr: &Expr) -> Option<&str> {
    match &expr.without_relabel().kind {
        ExprKind::Constant(SqlValue::Text(text)) => Some(text),
        _ => None,
    }
}
