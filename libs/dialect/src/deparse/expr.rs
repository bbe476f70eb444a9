//! Expressions.

use crate::analysis::tree::{Call, Expr, ExprKind, InList, QuantifiedArray};
use crate::catalog::TypeId;
use crate::deparse::Writer;
use crate::deparse::coercion::Coercion;
use crate::deparse::parentheses::operator_of;
use crate::literal::quote;
use crate::pg_catalog::identifier;
use crate::syntax::ast::ValueFunction;

impl Writer<'_> {
    /// An expression; `implicit`: conversions that were not written are shown.
    pub(super) fn expr(&mut self, value: &Expr, implicit: bool) {
        if let Some((join, column)) = self.joined_column(value) {
            let text = format!("{}.{}", identifier(&join.name), identifier(column));
            self.push(&text);
            return;
        }
        if let Some(name) = self.merged_column(value) {
            let name = identifier(name);
            self.push(&name);
            return;
        }
        if let Some(coercion) = Coercion::of(value) {
            self.coercion(&coercion, implicit);
            return;
        }
        match &value.kind {
            ExprKind::Constant(constant) => self.constant(constant, value.ty, true),
            ExprKind::Column(column) => self.column(*column),
            ExprKind::Call(call) => self.call(call, value),
            ExprKind::And(list) => self.joined(list, " AND ", value),
            ExprKind::Or(list) => self.joined(list, " OR ", value),
            ExprKind::Not(inner) => self.enclosed(|writer| {
                writer.push("NOT ");
                writer.wrapped(inner, Some(value));
            }),
            ExprKind::IsNull { operand, negated } => {
                let test = if *negated { " IS NOT NULL" } else { " IS NULL" };
                self.test(operand, test, value);
            }
            ExprKind::IsTruth {
                operand,
                truth,
                negated,
            } => {
                let test = match (truth, negated) {
                    (true, false) => " IS TRUE",
                    (true, true) => " IS NOT TRUE",
                    (false, false) => " IS FALSE",
                    (false, true) => " IS NOT FALSE",
                };
                self.test(operand, test, value);
            }
            _ => self.compound(value),
        }
    }

    fn compound(&mut self, value: &Expr) {
        match &value.kind {
            ExprKind::Distinct { equality, negated } => {
                let sign = if *negated {
                    "IS NOT DISTINCT FROM"
                } else {
                    "IS DISTINCT FROM"
                };
                self.enclosed(|writer| writer.between(&equality.arguments, sign, value));
            }
            ExprKind::NullIf(call) => self.named("NULLIF", &call.arguments),
            ExprKind::Coalesce(list) => self.named("COALESCE", list),
            ExprKind::Extreme { greatest, operands } => {
                self.named(if *greatest { "GREATEST" } else { "LEAST" }, operands);
            }
            ExprKind::Case { arms, otherwise } => self.case(arms, otherwise.as_deref()),
            ExprKind::InList(test) => self.in_list(test, value),
            ExprKind::QuantifiedArray(test) => self.quantified(test, value),
            ExprKind::Label { text, .. } => {
                self.push(&quote(text));
                self.label(value.ty);
            }
            ExprKind::Array(elements) => {
                self.push("ARRAY[");
                self.list(elements, true);
                self.push("]");
            }
            ExprKind::Row { fields, names } => match self.whole_row(fields, names) {
                Some((alias, _)) => self.push(&format!("{alias}.*")),
                None => self.named("ROW", fields),
            },
            ExprKind::Element { array, indexes } => {
                self.push("(");
                self.expr(array, false);
                self.push(")");
                for index in indexes {
                    self.push("[");
                    self.expr(index, false);
                    self.push("]");
                }
            }
            ExprKind::Collate { operand, collation } => self.enclosed(|writer| {
                writer.wrapped(operand, Some(value));
                writer.push(" COLLATE ");
                writer.push(&identifier(collation));
            }),
            ExprKind::ValueFunction {
                function,
                precision,
            } => self.value_function(*function, *precision),
            ExprKind::CompareRows { sign, fields } => self.row_comparison(sign, fields, value),
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate),
            ExprKind::Window(call) => self.window_call(call),
            ExprKind::Exists(query) => {
                self.push("(EXISTS (");
                self.subquery(query);
                self.push("))");
            }
            ExprKind::Subquery { query, .. } => {
                self.push("(");
                self.subquery(query);
                self.push(")");
            }
            ExprKind::ArrayQuery(query) => {
                self.push("ARRAY(");
                self.subquery(query);
                self.push(")");
            }
            ExprKind::QuantifiedQuery(test) => self.quantified_query(test),
            // A definition holds no parameter.
            _ => self.complete = false,
        }
    }

    /// Rows that are equal, or not, are shown field by field; those that are less or greater as rows.
    fn row_comparison(&mut self, sign: &str, fields: &[Call], value: &Expr) {
        let tests = fields.iter().map(|call| ExprKind::Call(call.clone()));
        let tests = tests.map(|kind| Expr::boolean(kind, value.at)).collect();
        match sign {
            "=" => return self.expr(&Expr::boolean(ExprKind::And(tests), value.at), false),
            "<>" => return self.expr(&Expr::boolean(ExprKind::Or(tests), value.at), false),
            _ => {}
        }
        let side = |at: usize| -> Vec<Expr> {
            let sides = fields.iter().filter_map(|call| call.arguments.get(at));
            sides.cloned().collect()
        };
        self.push("(");
        self.named("ROW", &side(0));
        self.push(&format!(" {sign} "));
        self.named("ROW", &side(1));
        self.push(")");
    }

    /// In parentheses, where all are shown.
    fn enclosed(&mut self, write: impl FnOnce(&mut Self)) {
        if !self.pretty {
            self.push("(");
        }
        write(self);
        if !self.pretty {
            self.push(")");
        }
    }

    fn joined(&mut self, list: &[Expr], word: &str, value: &Expr) {
        self.enclosed(|writer| {
            for (index, term) in list.iter().enumerate() {
                if index > 0 {
                    writer.push(word);
                }
                writer.wrapped(term, Some(value));
            }
        });
    }

    fn test(&mut self, operand: &Expr, test: &str, value: &Expr) {
        self.enclosed(|writer| {
            writer.wrapped(operand, Some(value));
            writer.push(test);
        });
    }

    fn between(&mut self, operands: &[Expr], sign: &str, value: &Expr) {
        for (index, operand) in operands.iter().enumerate() {
            if index > 0 || operands.len() == 1 {
                self.push(&if index > 0 {
                    format!(" {sign} ")
                } else {
                    format!("{sign} ")
                });
            }
            self.part(operand, Some(value), index == 0);
        }
    }

    fn named(&mut self, name: &str, arguments: &[Expr]) {
        self.push(name);
        self.push("(");
        self.list(arguments, true);
        self.push(")");
    }

    fn call(&mut self, call: &Call, value: &Expr) {
        if let Some(operator) = operator_of(call) {
            self.enclosed(|writer| writer.between(&call.arguments, operator.sign, value));
            return;
        }
        match (call.function.name, call.arguments.as_slice()) {
            // A call of the function has its arguments in this order.
            ("timezone", [zone, time]) if zone.start() > time.start() => {
                self.push("(");
                self.wrapped(time, Some(value));
                self.push(" AT TIME ZONE ");
                self.wrapped(zone, Some(value));
                self.push(")");
            }
            ("position", [text, part]) => {
                self.push("POSITION((");
                self.expr(part, false);
                self.push(") IN (");
                self.expr(text, false);
                self.push("))");
            }
            ("pg_collation_for", [of]) => {
                self.push("COLLATION FOR (");
                self.expr(of, false);
                self.push(")");
            }
            ("extract", [field, source]) => {
                self.push("EXTRACT(");
                let mut inner = String::new();
                std::mem::swap(&mut inner, &mut self.out);
                self.expr(field, false);
                std::mem::swap(&mut inner, &mut self.out);
                let word = inner.split('\'').nth(1).unwrap_or(&inner);
                self.push(word);
                self.push(" FROM ");
                self.expr(source, false);
                self.push(")");
            }
            (name, arguments) => {
                // Defaults of parameters stand where the call does.
                let given = arguments
                    .iter()
                    .rposition(|argument| argument.at != value.at);
                let given = match call.function.default_values.len() {
                    0 => arguments,
                    _ => arguments
                        .get(..given.map_or(0, |last| last + 1))
                        .unwrap_or(arguments),
                };
                self.named(&identifier(name), given);
            }
        }
    }

    fn case(&mut self, arms: &[(Expr, Expr)], otherwise: Option<&Expr>) {
        if self.pretty || self.qualified {
            self.line("CASE", 0);
        } else {
            self.push("CASE");
        }
        for (condition, result) in arms {
            self.line("WHEN ", 1);
            self.expr(condition, false);
            self.push(" THEN ");
            self.expr(result, true);
        }
        if let Some(otherwise) = otherwise {
            self.line("ELSE ", 1);
            self.expr(otherwise, true);
        } else {
            self.line("ELSE NULL", 1);
            if let Some((_, result)) = arms.first() {
                self.label(result.ty);
            }
        }
        self.line("END", 0);
    }

    /// A word on a line of its own, where the text is to be read.
    fn line(&mut self, word: &str, depth: usize) {
        if self.pretty || self.qualified {
            self.out.truncate(self.out.trim_end_matches(' ').len());
            if !self.out.ends_with('\n') {
                self.push("\n");
            }
            self.push(&" ".repeat(self.indent + depth * 4));
        } else {
            self.push(" ");
        }
        self.push(word);
    }

    /// `x IN (a, b)` is `x = ANY (ARRAY[a, b])`, and `x IN (a)` is `x = a`.
    fn in_list(&mut self, test: &InList, value: &Expr) {
        if let [only] = test.list.as_slice() {
            let sides = [(*test.operand).clone(), only.clone()];
            self.enclosed(|writer| writer.between(&sides, test.operator.sign, value));
            return;
        }
        let all = test.negated;
        self.enclosed(|writer| {
            writer.wrapped(&test.operand, Some(value));
            let sign = test.operator.sign;
            writer.push(&format!(" {sign} {} (", if all { "ALL" } else { "ANY" }));
            // Elements of a varchar's list are of its type; the array of them is compared as one of texts.
            let operand = Coercion::of(&test.operand);
            let varchar = operand.is_some_and(|operand| {
                operand.implicit && operand.operand.ty.id == TypeId::VARCHAR
            });
            if varchar {
                writer.push(if writer.pretty { "ARRAY[" } else { "(ARRAY[" });
                for (index, element) in test.list.iter().enumerate() {
                    if index > 0 {
                        writer.push(", ");
                    }
                    let mut element = element.without_relabel().clone();
                    element.ty.id = TypeId::VARCHAR;
                    writer.expr(&element, true);
                }
                writer.push(if writer.pretty { "]" } else { "])" });
                writer.push("::text[]");
            } else {
                writer.push("ARRAY[");
                writer.list(&test.list, true);
                writer.push("]");
            }
            writer.push(")");
        });
    }

    fn quantified(&mut self, test: &QuantifiedArray, value: &Expr) {
        self.enclosed(|writer| {
            writer.wrapped(&test.operand, Some(value));
            let word = if test.all { "ALL" } else { "ANY" };
            writer.push(&format!(" {} {word} (", test.operator.sign));
            // Without its type it would be the rows of the query that are compared.
            let is_query = matches!(test.array.kind, ExprKind::Subquery { .. });
            let wrap = is_query && writer.pretty;
            writer.push(if wrap { "(" } else { "" });
            writer.wrapped(&test.array, Some(value));
            writer.push(if wrap { ")" } else { "" });
            if is_query {
                writer.label(test.array.ty);
            }
            writer.push(")");
        });
    }

    fn value_function(&mut self, function: ValueFunction, precision: Option<i32>) {
        use ValueFunction as F;
        self.push(match function {
            F::CurrentDate => "CURRENT_DATE",
            F::CurrentTime => "CURRENT_TIME",
            F::CurrentTimestamp => "CURRENT_TIMESTAMP",
            F::LocalTime => "LOCALTIME",
            F::LocalTimestamp => "LOCALTIMESTAMP",
            F::CurrentRole => "CURRENT_ROLE",
            F::CurrentUser => "CURRENT_USER",
            F::User => "USER",
            F::SessionUser => "SESSION_USER",
            F::CurrentCatalog => "CURRENT_CATALOG",
            F::CurrentSchema => "CURRENT_SCHEMA",
        });
        if let Some(digits) = precision {
            self.push(&format!("({digits})"));
        }
    }
}
