//! ANY, SOME and ALL over arrays and queries; IN over queries.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::tree::{Expr, ExprKind, QuantifiedArray, QuantifiedQuery};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::{self, Position};

impl Analyzer<'_> {
    /// `x op ANY (array)`
    pub(crate) fn quantified_array(
        &mut self,
        operands: &[ast::Expr; 2],
        operator: &ast::Operator,
        all: bool,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let [operand, array] = operands;
        let operand = self.expr(operand)?;
        let array = self.expr(array)?;
        // An array of unknown type has elements of the operand's.
        let element = if array.is_unknown() {
            if operand.is_unknown() {
                TypeId::TEXT
            } else {
                operand.ty.id
            }
        } else {
            array.ty.id.element().ok_or_else(|| {
                self.error(
                    at,
                    SqlState::WRONG_OBJECT_TYPE,
                    "op ANY/ALL (array) requires array on right side",
                )
            })?
        };
        let found = self.find(&operator.sign, Some(operand.ty.id), element, at)?;
        if found.result != TypeId::BOOL {
            return Err(self.error(
                at,
                SqlState::WRONG_OBJECT_TYPE,
                "op ANY/ALL (array) requires operator to yield boolean",
            ));
        }
        let left = found.left.unwrap_or(operand.ty.id);
        let wanted = found
            .right
            .array()
            .ok_or_else(|| self.unsupported(at, format!("an array of {}", found.right.name())))?;
        if found.right.is_polymorphic() {
            return Err(self.unsupported(at, "ANY over an array of arrays"));
        }
        let operand = Box::new(self.coerce(operand, left)?);
        let array = Box::new(self.array_as(array, wanted)?);
        let test = QuantifiedArray {
            operand,
            array,
            operator: found,
            all,
        };
        Ok(Expr::boolean(ExprKind::QuantifiedArray(test), at))
    }

    /// An array whose elements become those of another type.
    fn array_as(&mut self, array: Expr, wanted: TypeId) -> Result<Expr, DialectError> {
        let at = array.at;
        match (array.kind, wanted.element()) {
            (ExprKind::Array(elements), Some(element)) => {
                let elements = elements
                    .into_iter()
                    .map(|value| match value.ty.id.element() {
                        Some(_) => self.array_as(value, wanted),
                        None => self.coerce(value, element),
                    })
                    .collect::<Result<Vec<Expr>, DialectError>>()?;
                Ok(Expr::new(Type::new(wanted), ExprKind::Array(elements), at))
            }
            (kind, _) => self.coerce(Expr::new(array.ty, kind, at), wanted),
        }
    }

    /// ARRAY […]
    pub(crate) fn array(
        &mut self,
        elements: &[ast::Expr],
        at: Position,
    ) -> Result<Expr, DialectError> {
        if elements.is_empty() {
            return Err(self
                .error(
                    at,
                    SqlState::INDETERMINATE_DATATYPE,
                    "cannot determine type of empty array",
                )
                .hint("Explicitly cast to the desired type, for example ARRAY[]::integer[]."));
        }
        let elements = self.exprs(elements)?;
        let element = self.common(&elements, "ARRAY")?;
        let elements = self.unify(elements, "ARRAY")?;
        self.array_from(elements, element, at)
    }

    /// `ARRAY […]::type[]`
    pub(crate) fn array_of(
        &mut self,
        elements: &[ast::Expr],
        element: TypeId,
        at: Position,
    ) -> Result<Expr, DialectError> {
        // An array among the elements makes all of them arrays.
        let nested = elements
            .iter()
            .any(|value| matches!(value.kind, ast::ExprKind::Array(_)));
        let inner = element.array().filter(|_| nested).unwrap_or(element);
        let elements = elements
            .iter()
            .map(|value| {
                if let ast::ExprKind::Array(elements) = &value.kind {
                    return self.array_of(elements, element, value.at);
                }
                let value = self.expr(value)?;
                let place = value.at;
                self.cast_to(value, Type::new(inner), place)
            })
            .collect::<Result<Vec<Expr>, DialectError>>()?;
        self.array_from(elements, inner, at)
    }

    fn array_from(
        &mut self,
        elements: Vec<Expr>,
        element: TypeId,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let elements = elements
            .into_iter()
            .map(|value| self.coerce(value, element))
            .collect::<Result<Vec<Expr>, DialectError>>()?;
        // An array of arrays has more dimensions, not another type.
        let ty = if element.is_array() {
            element
        } else {
            element.array().ok_or_else(|| {
                self.error(
                    at,
                    SqlState::UNDEFINED_OBJECT,
                    format!("could not find array type for data type {}", element.name()),
                )
            })?
        };
        Ok(Expr::new(Type::new(ty), ExprKind::Array(elements), at))
    }

    /// `x IN (SELECT …)`, `x op ANY (SELECT …)`, `x op ALL (SELECT …)`
    pub(crate) fn quantified_query(
        &mut self,
        test: &ast::QuantifiedQuery,
        at: Position,
    ) -> Result<Expr, DialectError> {
        // What is wrong with the query is told before what is wrong with the operand.
        let query = self.subquery(&test.query)?;
        let left = match &test.operand.kind {
            ast::ExprKind::Row { fields, .. } => self.exprs(fields)?,
            _ => vec![self.expr(&test.operand)?],
        };
        let operators = self.row_operators(&test.operator.sign, &left, &query.columns, at)?;
        let test = QuantifiedQuery {
            left,
            operators,
            query: Box::new(query),
            all: test.all,
            negated: test.negated,
        };
        self.quantified(test, at)
    }

    /// The test with both sides as its operators take them.
    pub(crate) fn quantified(
        &mut self,
        mut test: QuantifiedQuery,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let mut converted = Vec::with_capacity(test.left.len());
        let mut wanted = Vec::with_capacity(test.left.len());
        for (left, operator) in test.left.into_iter().zip(&test.operators) {
            if operator.result != TypeId::BOOL {
                return Err(self.error(
                    at,
                    SqlState::DATATYPE_MISMATCH,
                    format!(
                        "operator {} must return type boolean, not type {}",
                        operator.sign,
                        operator.result.name()
                    ),
                ));
            }
            let target = operator.left.unwrap_or(left.ty.id);
            if target.is_polymorphic() || operator.right.is_polymorphic() {
                return Err(self.unsupported(at, "a subquery of arrays"));
            }
            converted.push(self.coerce(left, target)?);
            wanted.push(Type::new(operator.right));
        }
        self.coerce_columns(&mut test.query, &wanted)?;
        test.left = converted;
        Ok(Expr::boolean(ExprKind::QuantifiedQuery(test), at))
    }
}
