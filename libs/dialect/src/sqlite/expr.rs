//! Expressions.

use crate::analysis::deeper;
use crate::analysis::tree::{Expr, ExprKind, Source};
use crate::catalog::TypeId;
use crate::pg_catalog;
use crate::sqlite::fold::folded;
use crate::sqlite::form::collation;
use crate::sqlite::width::{WITHOUT_BLANKS, has_no_width, is_padded, padded};
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::ValueFunction;

/// SQLite nests each AND or OR one deeper than the one before, and goes only so deep: longer lists are halved.
const LONG_LIST: usize = 64;

impl Printer<'_> {
    /// An expression; everything that binds less than a call is in parentheses.
    pub(crate) fn expr(&mut self, expr: &Expr) -> Result {
        deeper(|| self.expr_of(expr))
    }

    fn expr_of(&mut self, expr: &Expr) -> Result {
        match &expr.kind {
            ExprKind::Constant(value) | ExprKind::Label { value, .. } => self.constant(value),
            ExprKind::Unknown(text) => self.text(text),
            ExprKind::Parameter(number) => self.parameter(*number, expr)?,
            ExprKind::Column(column) => self.column(*column),
            ExprKind::Relabel(inner) => self.relabel(inner, expr)?,
            ExprKind::Call(call) => match folded(call) {
                Some(text) => self.text(&text),
                None => self.call(call, expr.at)?,
            },
            ExprKind::ViaText(inner) => self.via_text(inner, expr.ty, expr.at)?,
            ExprKind::And(list) => self.joined(list, " AND ", "1")?,
            ExprKind::Or(list) => self.joined(list, " OR ", "0")?,
            ExprKind::Not(inner) => {
                self.push("(NOT ");
                self.expr(inner)?;
                self.push(")");
            }
            ExprKind::IsNull { operand, negated } => {
                self.push("(");
                self.expr(operand)?;
                self.push(if *negated {
                    " IS NOT NULL)"
                } else {
                    " IS NULL)"
                });
            }
            ExprKind::IsTruth {
                operand,
                truth,
                negated,
            } => {
                self.push("(");
                self.expr(operand)?;
                self.push(match (truth, negated) {
                    (true, false) => " IS TRUE)",
                    (true, true) => " IS NOT TRUE)",
                    (false, false) => " IS FALSE)",
                    (false, true) => " IS NOT FALSE)",
                });
            }
            _ => self.compound(expr)?,
        }
        Ok(())
    }

    /// A parameter; what names an object may come as its number or as its name.
    fn parameter(&mut self, number: u32, expr: &Expr) -> Result {
        let plain = |printer: &mut Self, _: &Expr| {
            printer.push(&format!("?{number}"));
            Ok(())
        };
        if is_named(expr.ty.id) {
            return self.number_of_name(expr.ty.id, |printer| plain(printer, expr));
        }
        plain(self, expr)
    }

    fn compound(&mut self, expr: &Expr) -> Result {
        match &expr.kind {
            ExprKind::Coalesce(list) => self.coalesce(list),
            ExprKind::Extreme { greatest, operands } => self.extreme(*greatest, operands),
            ExprKind::Case { arms, otherwise } => self.case(arms, otherwise.as_deref()),
            ExprKind::Distinct { equality, negated } => self.distinct(equality, *negated, expr.at),
            ExprKind::NullIf(equality) => self.null_if(equality, expr.at),
            ExprKind::InList(test) => self.in_list(test, expr.at),
            ExprKind::CompareRows { sign, fields } => self.compare_rows(sign, fields, expr.at),
            ExprKind::QuantifiedArray(test) => self.quantified_array(test, expr.at),
            ExprKind::QuantifiedQuery(test) => self.quantified_query(test, expr.at),
            ExprKind::Exists(query) => {
                self.push("EXISTS (");
                self.query(query, false)?;
                self.push(")");
                Ok(())
            }
            ExprKind::Subquery { query, single } => self.row_subquery(query, *single),
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate, expr.at),
            ExprKind::Window(call) => self.window_call(call, expr.at),
            ExprKind::ValueFunction {
                function,
                precision,
            } => {
                self.value_function(*function, *precision);
                Ok(())
            }
            ExprKind::Collate { operand, .. } => {
                self.push("(");
                self.expr(operand)?;
                self.push(" COLLATE BINARY)");
                Ok(())
            }
            ExprKind::NotNull {
                operand,
                column,
                table,
            } => {
                if self.is_not_null(operand) {
                    return self.expr(operand);
                }
                // Only where it is NULL is a function called, which refuses it.
                self.push("coalesce(");
                self.expr(operand)?;
                self.push(", pg_not_null(");
                self.text(column);
                self.push(", ");
                self.text(table);
                self.push("))");
                Ok(())
            }
            ExprKind::ColumnDefault(text) => {
                self.push("(");
                self.push(text);
                self.push(")");
                Ok(())
            }
            ExprKind::ArrayQuery(query) => self.array_query(query, expr),
            ExprKind::Element { array, indexes } => self.element(array, indexes, expr.ty.id),
            ExprKind::Field { record, index } => self.field(record, *index, expr.ty.id),
            ExprKind::WithMember { .. }
            | ExprKind::WithElements { .. }
            | ExprKind::Limited { .. }
            | ExprKind::Slice { .. } => self.part(expr),
            ExprKind::Array(elements) => self.array_value(elements),
            ExprKind::Row { fields, .. } if expr.ty.id.is_composite() => self.row_stored(fields),
            ExprKind::Row { .. } => Err(self.unsupported(expr.at, "a row as a value")),
            _ => Err(self.unsupported(expr.at, "this expression")),
        }
    }

    /// A column by its relation's alias.
    pub(crate) fn column(&mut self, column: crate::analysis::tree::ColumnRef) {
        if self.lateral_column(column) {
            return;
        }
        let Some(relation) = self.relations.get(column.relation.0) else {
            return;
        };
        let name = self.names.column(relation, column.column);
        if self.unqualified != Some(column.relation) {
            let alias = self.names.alias(column.relation).to_owned();
            self.name(&alias);
            self.push(".");
        } else if self.nested > 0
            && let Source::Table { name, .. } = &relation.source
        {
            // A query in RETURNING may have columns of that name of its own.
            let name = name.clone();
            self.name(&name);
            self.push(".");
        }
        self.name(&name);
    }

    /// A text is compared by its bytes, whatever collation stands somewhere inside of it: SQLite would take that one.
    /// The text begins at `start` and ends at `end`; what it is compared with may follow.
    pub(crate) fn shield(&mut self, text: &Expr, start: usize, end: usize) {
        let id = text.ty.id;
        let by_bytes = collation(id).is_none()
            && (is_text(id)
                || id.is_array()
                || matches!(id, TypeId::BPCHAR | TypeId::UUID | TypeId::JSON));
        let written = self.out.get(start..).unwrap_or_default();
        let shielded = self
            .out
            .get(..end)
            .is_some_and(|head| head.ends_with(" COLLATE BINARY"));
        if by_bytes && !shielded && !is_padded(text) && written.contains(" COLLATE ") {
            self.out.insert_str(end, " COLLATE BINARY");
        }
    }

    /// An expression that is compared, sorted or grouped: under the collation of its type.
    pub(crate) fn collated(&mut self, expr: &Expr) -> Result {
        let start = self.out.len();
        self.expr(expr)?;
        let blanks = is_padded(expr).then_some(WITHOUT_BLANKS);
        if let Some(collation) = collation(expr.ty.id).or(blanks) {
            self.push(" COLLATE ");
            self.push(collation);
        }
        self.shield(expr, start, self.out.len());
        Ok(())
    }

    fn joined(&mut self, list: &[Expr], word: &str, empty: &str) -> Result {
        if list.is_empty() {
            self.push(empty);
            return Ok(());
        }
        self.push("(");
        if list.len() > LONG_LIST {
            let (first, second) = list.split_at(list.len() / 2);
            self.joined(first, word, empty)?;
            self.push(word);
            self.joined(second, word, empty)?;
        } else {
            self.list(list, word, Self::expr)?;
        }
        self.push(")");
        Ok(())
    }

    fn coalesce(&mut self, list: &[Expr]) -> Result {
        if let [only] = list {
            return self.expr(only);
        }
        self.push("coalesce(");
        self.list(list, ", ", Self::expr)?;
        self.push(")");
        Ok(())
    }

    /// GREATEST and LEAST leave NULLs out, SQLite's max and min do not: each NULL is replaced by another operand.
    fn extreme(&mut self, greatest: bool, operands: &[Expr]) -> Result {
        if let [only] = operands {
            return self.expr(only);
        }
        for operand in operands {
            self.must_be_ordered(operand)?;
        }
        self.push(if greatest { "max(" } else { "min(" });
        // Of equal ones PostgreSQL takes the first; SQLite's min takes the last.
        let count = operands.len();
        let start = self.out.len();
        let mut end = start;
        for place in 0..count {
            if place > 0 {
                self.push(", ");
            }
            let index = if greatest { place } else { count - 1 - place };
            self.push("coalesce(");
            let turned = operands.iter().cycle().skip(index).take(operands.len());
            self.list(turned, ", ", Self::expr)?;
            self.push(")");
            if let (0, Some(collation)) = (place, operands.first().and_then(|o| collation(o.ty.id)))
            {
                self.push(" COLLATE ");
                self.push(collation);
            }
            if place == 0 {
                end = self.out.len();
            }
        }
        if let Some(first) = operands.first() {
            self.shield(first, start, end);
        }
        self.push(")");
        Ok(())
    }

    /// 0A000 for arrays of types whose texts have no order.
    pub(crate) fn must_be_ordered(&self, value: &Expr) -> Result {
        let id = value.ty.id;
        if id.is_array() && collation(id).is_none() {
            return Err(self.unsupported(value.at, format!("an order of type {}", id.name())));
        }
        Ok(())
    }

    fn case(&mut self, arms: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Result {
        self.push("CASE");
        for (condition, result) in arms {
            self.push(" WHEN ");
            self.expr(condition)?;
            self.push(" THEN ");
            self.expr(result)?;
        }
        if let Some(otherwise) = otherwise {
            self.push(" ELSE ");
            self.expr(otherwise)?;
        }
        self.push(" END");
        Ok(())
    }

    fn value_function(&mut self, function: ValueFunction, precision: Option<i32>) {
        use ValueFunction as F;
        let name = match function {
            F::CurrentDate => "pg_current_date",
            F::CurrentTime => "pg_current_time",
            F::CurrentTimestamp => "pg_now",
            F::LocalTime => "pg_localtime",
            F::LocalTimestamp => "pg_localtimestamp",
            F::CurrentRole | F::CurrentUser | F::User => "pg_current_user",
            F::SessionUser => "pg_session_user",
            F::CurrentCatalog => "pg_current_database",
            F::CurrentSchema => "pg_current_schema",
        };
        let scale = match function {
            F::CurrentTime => "pg_timetz_scale",
            F::CurrentTimestamp => "pg_timestamptz_scale",
            F::LocalTime => "pg_time_scale",
            _ => "pg_timestamp_scale",
        };
        if let Some(digits) = precision {
            self.push(&format!("{scale}({name}(), {digits})"));
        } else {
            self.push(name);
            self.push("()");
        }
    }

    /// A value under another type.
    fn relabel(&mut self, inner: &Expr, outer: &Expr) -> Result {
        match (inner.ty.id, outer.ty.id) {
            // A network of one host is written with its width, an address without.
            (TypeId::CIDR, TypeId::INET) => self.wrapped("pg_cidr_inet(", inner, ")"),
            // A number of four bytes with or without a sign.
            (TypeId::INT4, TypeId::OID) => self.wrapped("(", inner, " & 4294967295)"),
            (TypeId::OID, TypeId::INT4) => self.wrapped("((", inner, " << 32) >> 32)"),
            _ => self.expr(inner),
        }
    }

    pub(super) fn wrapped(&mut self, before: &str, inner: &Expr, behind: &str) -> Result {
        self.push(before);
        self.expr(inner)?;
        self.push(behind);
        Ok(())
    }

    /// A conversion by a text: the output of one type is the input of the other.
    fn via_text(
        &mut self,
        inner: &Expr,
        to: crate::catalog::Type,
        at: crate::syntax::ast::Position,
    ) -> Result {
        if to.id == TypeId::BPCHAR && inner.ty.id == to.id {
            return self.as_text(inner);
        }
        // What becomes a name or a character is cut.
        let is_cut = matches!(to.id, TypeId::CHAR | TypeId::NAME) && inner.ty.id != to.id;
        if is_text(to.id) && !is_cut {
            if collation(inner.ty.id).is_none() || !is_stored_as_shown(inner.ty.id) {
                return self.as_text(inner);
            }
            // The text is compared as one, not as the column that it comes from.
            return self.wrapped("(", inner, " COLLATE BINARY)");
        }
        if to.id.is_array() {
            return self.as_array(inner, to);
        }
        if is_named(to.id) {
            return self.number_of_name(to.id, |printer| printer.as_text(inner));
        }
        if !to.id.is_supported() {
            return Err(self.unsupported(at, format!("type {}", to.id.name())));
        }
        self.push("pg_in(");
        self.as_text(inner)?;
        self.push(&format!(", {}, {})", to.id.get(), to.typmod));
        Ok(())
    }

    /// A call of a function of the catalog.
    pub(crate) fn look_up(
        &mut self,
        name: &str,
        value: &Expr,
        print: impl FnOnce(&mut Self, &Expr) -> Result,
    ) -> Result {
        self.note_look_up(name);
        self.push(name);
        self.push("(");
        print(self, value)?;
        self.push(")");
        Ok(())
    }

    /// Remembers that the objects must be known, if a function reads them.
    pub(crate) fn note_look_up(&mut self, name: &str) {
        self.looks_up |= pg_catalog::find_function(name).is_some_and(|function| function.reads);
    }

    /// A value as the text that a client sees.
    pub(crate) fn as_text(&mut self, value: &Expr) -> Result {
        let id = value.ty.id;
        if let ExprKind::Row { fields, .. } = &value.kind {
            return self.row_text(fields);
        }
        if is_text(id) || is_stored_as_shown(id) {
            return self.expr(value);
        }
        if matches!(id, TypeId::INT2 | TypeId::INT4 | TypeId::INT8 | TypeId::OID) {
            self.push("CAST(");
            self.expr(value)?;
            self.push(" AS TEXT)");
            return Ok(());
        }
        if is_named(id) {
            return self.name_of_number(id, value, Self::expr);
        }
        if has_no_width(value.ty) && !is_padded(value) {
            return self.expr(&padded(value));
        }
        self.push("pg_out(");
        self.expr(value)?;
        self.push(&format!(", {}, {})", id.get(), value.ty.typmod));
        Ok(())
    }
}

/// Types of numbers that are shown by names or labels.
pub(crate) fn is_named(id: TypeId) -> bool {
    object_kind(id).is_some() || id.is_enum()
}

/// Types of the numbers of objects that are shown by their names, as the functions for them are called.
pub(crate) fn object_kind(id: TypeId) -> Option<&'static str> {
    match id {
        TypeId::REGCLASS => Some("regclass"),
        TypeId::REGTYPE => Some("regtype"),
        TypeId::REGPROC => Some("regproc"),
        TypeId::REGNAMESPACE => Some("regnamespace"),
        TypeId::REGROLE => Some("regrole"),
        _ => None,
    }
}

/// Types whose values are texts.
pub(crate) fn is_text(id: TypeId) -> bool {
    matches!(
        id,
        TypeId::TEXT | TypeId::VARCHAR | TypeId::NAME | TypeId::CHAR | TypeId::UNKNOWN
    )
}

/// Types whose stored form is what a client sees.
pub(crate) fn is_stored_as_shown(id: TypeId) -> bool {
    // The vectors of the catalog are kept as arrays and shown without braces.
    let shown = |element: TypeId| {
        let element = crate::catalog::Type::new(element).pg_type();
        !element.is_some_and(|element| element.follows_settings())
    };
    id.is_composite()
        || (id.element().is_some_and(shown)
            && !matches!(id, TypeId::INT2VECTOR | TypeId::OIDVECTOR))
        || matches!(
            id,
            TypeId::NUMERIC
                | TypeId::UUID
                | TypeId::JSON
                | TypeId::JSONB
                | TypeId::TIMETZ
                | TypeId::INET
        )
}
