//! Comparisons that are more than one operator: BETWEEN, IN, IS DISTINCT FROM, NULLIF, rows.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::tree::{Call, Expr, ExprKind, InList, QuantifiedQuery};
use crate::catalog::coerce::common_type;
use crate::catalog::{Operator, Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::{self, Position};

impl Analyzer<'_> {
    /// IS [NOT] DISTINCT FROM.
    pub(crate) fn distinct(
        &mut self,
        operands: &[ast::Expr; 2],
        negated: bool,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let [left, right] = operands;
        if let (ast::ExprKind::Row { .. }, _) | (_, ast::ExprKind::Row { .. }) =
            (&left.kind, &right.kind)
        {
            return Err(self.unsupported(at, "IS DISTINCT FROM between rows"));
        }
        let left = self.expr(left)?;
        let right = self.expr(right)?;
        let equality = self.equality(left, right, at)?;
        Ok(Expr::boolean(ExprKind::Distinct { equality, negated }, at))
    }

    /// NULLIF.
    pub(crate) fn null_if(
        &mut self,
        operands: &[ast::Expr; 2],
        at: Position,
    ) -> Result<Expr, DialectError> {
        let [left, right] = operands;
        let left = self.expr(left)?;
        let right = self.expr(right)?;
        let before = left.ty;
        let equality = self.equality(left, right, at)?;
        // The result is the first operand as the comparison took it.
        let ty = match equality.arguments.first() {
            Some(first) if first.ty.id == before.id => before,
            Some(first) => first.ty,
            None => before,
        };
        Ok(Expr::new(ty, ExprKind::NullIf(equality), at))
    }

    fn equality(&mut self, left: Expr, right: Expr, at: Position) -> Result<Call, DialectError> {
        let compared = self.compare("=", left, right, at)?;
        match (compared.ty.id, compared.kind) {
            (TypeId::BOOL, ExprKind::Call(call)) => Ok(call),
            _ => Err(self.error(
                at,
                SqlState::DATATYPE_MISMATCH,
                "this operation requires = operator to yield boolean",
            )),
        }
    }

    /// BETWEEN, as PostgreSQL expands it.
    pub(crate) fn between(
        &mut self,
        operands: &[ast::Expr; 3],
        symmetric: bool,
        negated: bool,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let [value, low, high] = operands;
        let value = self.expr(value)?;
        let low = self.expr(low)?;
        let high = self.expr(high)?;
        let inside = self.inside(&value, [&low, &high], negated, at)?;
        if !symmetric {
            return Ok(inside);
        }
        let turned = self.inside(&value, [&high, &low], negated, at)?;
        Ok(joined(vec![inside, turned], negated, at))
    }

    fn inside(
        &mut self,
        value: &Expr,
        [low, high]: [&Expr; 2],
        negated: bool,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let (above, below) = if negated { ("<", ">") } else { (">=", "<=") };
        let above = self.compare(above, value.clone(), low.clone(), at)?;
        // The first comparison may have told the type of a parameter.
        let value = match value.kind {
            ExprKind::Parameter(number) => self.parameter(number, value.at)?,
            _ => value.clone(),
        };
        let below = self.compare(below, value, high.clone(), at)?;
        Ok(joined(vec![above, below], !negated, at))
    }

    /// `x IN (a, b)`: one operator if the elements have a type in common, else one each.
    pub(crate) fn in_list(
        &mut self,
        operand: &ast::Expr,
        list: &[ast::Expr],
        negated: bool,
        at: Position,
    ) -> Result<Expr, DialectError> {
        if matches!(operand.kind, ast::ExprKind::Row { .. }) {
            return self.row_in_list(operand, list, negated, at);
        }
        let operand = self.expr(operand)?;
        let list = self.exprs(list)?;
        // PostgreSQL makes an array of those elements that name no columns, if there are two.
        let (named, fixed): (Vec<Expr>, Vec<Expr>) = list.iter().cloned().partition(names_a_column);
        let common = if fixed.len() > 1 {
            self.in_common(&operand, &fixed, negated, at)?
        } else {
            None
        };
        let (mut tests, rest) = match common {
            Some(found) => (vec![found], named),
            None => (Vec::new(), list),
        };
        let sign = if negated { "<>" } else { "=" };
        for element in rest {
            // The comparison before may have told the type of a parameter.
            let operand = match operand.kind {
                ExprKind::Parameter(number) => self.parameter(number, operand.at)?,
                _ => operand.clone(),
            };
            tests.push(self.compare(sign, operand, element, at)?);
        }
        Ok(one_or_all(tests, negated, at))
    }

    fn in_common(
        &mut self,
        operand: &Expr,
        list: &[Expr],
        negated: bool,
        at: Position,
    ) -> Result<Option<Expr>, DialectError> {
        // PostgreSQL looks for one type of the operand and all elements together.
        let types: Vec<TypeId> = std::iter::once(operand)
            .chain(list)
            .map(|value| value.ty.id)
            .collect();
        let Ok(common) = common_type(&types) else {
            return Ok(None);
        };
        let sign = if negated { "<>" } else { "=" };
        let operator = self.find(sign, Some(operand.ty.id), common, at)?;
        let Some(left) = operator.left else {
            return Ok(None);
        };
        if left.is_polymorphic() {
            return Ok(None);
        }
        if left != operator.right {
            let tests = list
                .iter()
                .map(|element| {
                    let element = self.coerce(element.clone(), common)?;
                    self.compare(sign, operand.clone(), element, at)
                })
                .collect::<Result<Vec<Expr>, DialectError>>()?;
            return Ok(Some(one_or_all(tests, negated, at)));
        }
        let list = list
            .iter()
            .map(|element| {
                let element = self.coerce(element.clone(), common)?;
                self.coerce(element, operator.right)
            })
            .collect::<Result<Vec<Expr>, DialectError>>()?;
        let operand = Box::new(self.coerce(operand.clone(), left)?);
        let test = InList {
            operand,
            list,
            operator,
            negated,
        };
        Ok(Some(Expr::boolean(ExprKind::InList(test), at)))
    }

    fn row_in_list(
        &mut self,
        operand: &ast::Expr,
        list: &[ast::Expr],
        negated: bool,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let sign = if negated { "<>" } else { "=" };
        let tests = list
            .iter()
            .map(|element| match element.kind {
                ast::ExprKind::Row { .. } => self.compare_rows(sign, operand, element, at),
                _ => Err(self.unsupported(element.at, "a composite value beside a row")),
            })
            .collect::<Result<Vec<Expr>, DialectError>>()?;
        Ok(one_or_all(tests, negated, at))
    }

    /// Rows field by field.
    pub(crate) fn compare_rows(
        &mut self,
        sign: &str,
        left: &ast::Expr,
        right: &ast::Expr,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let (ast::ExprKind::Row { fields: left, .. }, ast::ExprKind::Row { fields: right, .. }) =
            (&left.kind, &right.kind)
        else {
            return Err(self.unsupported(at, "a composite value beside a row"));
        };
        if left.len() != right.len() {
            return Err(self.error(
                at,
                SqlState::SYNTAX_ERROR,
                "unequal number of entries in row expressions",
            ));
        }
        if left.is_empty() {
            return Err(self.error(
                at,
                SqlState::FEATURE_NOT_SUPPORTED,
                "cannot compare rows of zero length",
            ));
        }
        let left = self.exprs(left)?;
        let right = self.exprs(right)?;
        self.compare_fields(sign, left, right, at)
    }

    fn compare_fields(
        &mut self,
        sign: &str,
        left: Vec<Expr>,
        right: Vec<Expr>,
        at: Position,
    ) -> Result<Expr, DialectError> {
        if !matches!(sign, "=" | "<>" | "<" | "<=" | ">" | ">=") {
            return Err(self
                .error(
                    at,
                    SqlState::FEATURE_NOT_SUPPORTED,
                    format!("could not determine interpretation of row comparison operator {sign}"),
                )
                .hint(
                    "Row comparison operators must be associated with btree operator families.",
                ));
        }
        let mut fields = Vec::with_capacity(left.len());
        for (left, right) in left.into_iter().zip(right) {
            let compared = self.compare(sign, left, right, at)?;
            if let ExprKind::Call(call) = compared.kind {
                fields.push(call);
            }
        }
        let kind = ExprKind::CompareRows {
            sign: sign.to_owned(),
            fields,
        };
        Ok(Expr::boolean(kind, at))
    }

    /// `(a, b) = (SELECT x, y …)`
    pub(crate) fn compare_row_with_query(
        &mut self,
        sign: &str,
        fields: &[ast::Expr],
        query: &ast::Query,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let left = self.exprs(fields)?;
        let query = self.subquery(query)?;
        let operators = self.row_operators(sign, &left, &query.columns, at)?;
        let test = QuantifiedQuery {
            left,
            operators,
            query: Box::new(query),
            all: false,
            negated: false,
        };
        self.quantified(test, at)
    }

    /// ROW (…) as a value.
    pub(crate) fn row(&mut self, fields: &[ast::Expr], at: Position) -> Result<Expr, DialectError> {
        let mut values = Vec::with_capacity(fields.len());
        for field in fields {
            match &field.kind {
                ast::ExprKind::Star(table) if !table.is_empty() => {
                    let columns = self.star(table, field.at)?;
                    values.extend(columns.into_iter().map(|(_, value)| value));
                }
                _ => values.push(self.resolved(field)?),
            }
        }
        let kind = ExprKind::anonymous_row(values);
        Ok(Expr::new(Type::new(TypeId::RECORD), kind, at))
    }

    /// One operator a column for a row beside a query.
    pub(crate) fn row_operators(
        &mut self,
        sign: &str,
        left: &[Expr],
        columns: &[crate::analysis::tree::Output],
        at: Position,
    ) -> Result<Vec<&'static Operator>, DialectError> {
        if left.len() != columns.len() {
            let message = if left.len() < columns.len() {
                "subquery has too many columns"
            } else {
                "subquery has too few columns"
            };
            return Err(self.error(at, SqlState::SYNTAX_ERROR, message));
        }
        left.iter()
            .zip(columns)
            .map(|(left, column)| self.find(sign, Some(left.ty.id), column.ty.id, at))
            .collect()
    }
}

/// Any of the tests, or all of them where each is a negation.
fn one_or_all(mut tests: Vec<Expr>, negated: bool, at: Position) -> Expr {
    if tests.len() == 1
        && let Some(only) = tests.pop()
    {
        return only;
    }
    joined(tests, negated, at)
}

/// All of the tests, or any.
fn joined(tests: Vec<Expr>, all: bool, at: Position) -> Expr {
    let kind = if all {
        ExprKind::And(tests)
    } else {
        ExprKind::Or(tests)
    };
    Expr::boolean(kind, at)
}
fn names_a_column(value: &Expr) -> bool {
    let mut names = false;
    value.visit(&mut |part| names |= matches!(part.kind, ExprKind::Column(_)));
    names
}
