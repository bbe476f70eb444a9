//! ANY and ALL.

use crate::analysis::tree::{Expr, ExprKind, QuantifiedArray, QuantifiedQuery, Query};
use crate::catalog::{Operator, TypeId};
use crate::sqlite::compare::{is_native, pair};
use crate::sqlite::names::output_names;
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::Position;

impl Printer<'_> {
    /// `x op ANY (array)`, `x op ALL (array)`
    pub(crate) fn quantified_array(&mut self, test: &QuantifiedArray, at: Position) -> Result {
        let QuantifiedArray {
            operand,
            array,
            operator,
            all,
        } = test;
        let nested = |elements: &[Expr]| elements.iter().any(|one| one.ty.id.element().is_some());
        if let ExprKind::Array(elements) = &array.kind
            && !nested(elements)
        {
            return self.quantified_elements(test, elements, at);
        }
        if is_member(operator, *all) {
            self.push("(");
            self.collated(operand)?;
            self.push(if *all { " NOT IN" } else { " IN" });
            let value = element_of_json(operator.right, "value");
            self.push(&format!(" (SELECT {value} FROM json_each("));
            self.elements_or_null(array)?;
            self.push(")))");
            return Ok(());
        }
        self.push("(SELECT ");
        self.verdict(*all);
        self.push(" FROM (SELECT ");
        let element = Expr {
            ty: crate::catalog::Type::new(operator.right),
            // The name of json_each's column, which SQLite finds in the innermost FROM.
            kind: ExprKind::ColumnDefault(element_of_json(operator.right, "value")),
            at,
        };
        self.call(&pair(operator, operand, &element), at)?;
        self.push(" AS t FROM json_each(");
        self.elements_or_null(array)?;
        self.push(")))");
        Ok(())
    }

    fn quantified_elements(
        &mut self,
        test: &QuantifiedArray,
        elements: &[Expr],
        at: Position,
    ) -> Result {
        if is_member(test.operator, test.all) {
            return self.member(&test.operand, elements, test.all);
        }
        self.push("(");
        self.push(if test.all { "1" } else { "0" });
        for element in elements {
            self.push(if test.all { " AND " } else { " OR " });
            self.call(&pair(test.operator, &test.operand, element), at)?;
        }
        self.push(")");
        Ok(())
    }

    /// `x IN (query)` and its kin.
    pub(crate) fn quantified_query(&mut self, test: &QuantifiedQuery, at: Position) -> Result {
        let QuantifiedQuery {
            left,
            operators,
            query,
            all,
            negated,
        } = test;
        let (all, negated) = (*all, *negated);
        let sign = operators.first().map_or("", |operator| operator.sign);
        let native = operators.iter().all(|operator| is_native(operator));
        if native && matches!((sign, all), ("=", false) | ("<>", true)) {
            let not = all || negated;
            self.push("(");
            self.row_of(left)?;
            self.push(if not { " NOT IN (" } else { " IN (" });
            self.query(query, false)?;
            self.push("))");
            return Ok(());
        }
        let ([left], [operator]) = (left.as_slice(), operators.as_slice()) else {
            return Err(self.unsupported(at, "this comparison of a row with a query"));
        };
        self.push(if negated {
            "(NOT (SELECT "
        } else {
            "((SELECT "
        });
        self.verdict(all);
        self.push(" FROM (SELECT ");
        let element = Expr {
            ty: crate::catalog::Type::new(operator.right),
            kind: ExprKind::ColumnDefault("q.v".to_owned()),
            at,
        };
        self.call(&pair(operator, left, &element), at)?;
        self.push(" AS t FROM (SELECT ");
        self.name(&output_names(query).concat());
        self.push(" AS v FROM (");
        self.query(query, false)?;
        self.push(")) AS q)))");
        Ok(())
    }

    fn row_of(&mut self, left: &[Expr]) -> Result {
        if let [only] = left {
            return self.collated(only);
        }
        self.push("(");
        self.list(left, ", ", Self::collated)?;
        self.push(")");
        Ok(())
    }

    /// What all tests together say: NULL where none decides and one is NULL.
    fn verdict(&mut self, all: bool) {
        self.push(if all {
            "CASE WHEN min(t) = 0 THEN 0 WHEN count(*) > count(t) THEN NULL ELSE 1 END"
        } else {
            "CASE WHEN max(t) = 1 THEN 1 WHEN count(*) > count(t) THEN NULL ELSE 0 END"
        });
    }

    /// The elements of an array, a NULL for one that is NULL: then nothing is known.
    fn elements_or_null(&mut self, array: &Expr) -> Result {
        if matches!(&array.kind, ExprKind::Constant(value) if *value != pgtypes::SqlValue::Null) {
            return self.elements(array);
        }
        self.push("coalesce(");
        self.elements(array)?;
        self.push(", '[null]')");
        Ok(())
    }

    /// The stored forms of an array's elements as a JSON array.
    pub(crate) fn elements(&mut self, array: &Expr) -> Result {
        let element = array.ty.id.element().unwrap_or(TypeId::TEXT);
        self.push("pg_elements(");
        self.expr(array)?;
        self.push(&format!(", {})", element.get()));
        Ok(())
    }

    /// A query as a value, or as a row of them: 21000 for a second row.
    pub(crate) fn row_subquery(&mut self, query: &Query, single: bool) -> Result {
        if single {
            self.push("(");
            self.query(query, false)?;
            self.push(")");
            return Ok(());
        }
        self.push("(SELECT ");
        self.list(&output_names(query), ", ", |printer, name| {
            printer.push("pg_one_row(");
            printer.name(name);
            printer.push(")");
            Ok(())
        })?;
        self.push(" FROM (");
        self.query(query, false)?;
        self.push("))");
        Ok(())
    }
}

/// An element's stored form, of what the JSON array of the elements has for it: bytes are their digits there.
pub(crate) fn element_of_json(element: TypeId, value: &str) -> String {
    if element == TypeId::BYTEA {
        format!("unhex({value})")
    } else {
        value.to_owned()
    }
}

/// Whether ANY or ALL of elements says the same as IN or NOT IN, which SQLite has.
fn is_member(operator: &Operator, all: bool) -> bool {
    is_native(operator) && matches!((operator.sign, all), ("=", false) | ("<>", true))
}
