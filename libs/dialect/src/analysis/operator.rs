//! Operators: which function stands behind a sign between operands of these types.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::tree::{Call, Expr, ExprKind};
use crate::catalog::polymorphism::consistent_polymorphism;
use crate::catalog::resolve::{self, OperatorMatch};
use crate::catalog::{Operator, Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::{self, LikeKind, Literal, Position};

/// What PostgreSQL says beside an operator or a function that does not fit its arguments.
const CASTS: &str = "You might need to add explicit type casts.";

impl Analyzer<'_> {
    /// A prefix operator.
    pub(crate) fn prefix(
        &mut self,
        operator: &ast::Operator,
        operand: &ast::Expr,
        at: Position,
    ) -> Result<Expr, DialectError> {
        self.check_schema(operator)?;
        // A minus before a number belongs to the number: -2147483648 is an integer.
        if operator.sign == "-"
            && let ast::ExprKind::Literal(literal) = &operand.kind
        {
            match literal {
                Literal::Integer(digits) => return self.number(&format!("-{digits}"), at),
                Literal::Numeric(digits) => return self.numeric(&format!("-{digits}"), at),
                _ => {}
            }
        }
        let operand = self.expr(operand)?;
        let found = self.find(&operator.sign, None, operand.ty.id, at)?;
        self.apply(found, vec![operand], at)
    }

    /// A binary operator.
    pub(crate) fn infix(
        &mut self,
        operator: &ast::Operator,
        left: &ast::Expr,
        right: &ast::Expr,
        at: Position,
    ) -> Result<Expr, DialectError> {
        self.check_schema(operator)?;
        if let (ast::ExprKind::Row { .. }, ast::ExprKind::Row { .. }) = (&left.kind, &right.kind) {
            return self.compare_rows(&operator.sign, left, right, at);
        }
        if let (ast::ExprKind::Row { fields, .. }, ast::ExprKind::Subquery(query)) =
            (&left.kind, &right.kind)
        {
            return self.compare_row_with_query(&operator.sign, fields, query, at);
        }
        let left = self.expr(left)?;
        let right = self.expr(right)?;
        self.compare(&operator.sign, left, right, at)
    }

    /// An operator between two values.
    pub(crate) fn compare(
        &mut self,
        sign: &str,
        left: Expr,
        right: Expr,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let found = self.find(sign, Some(left.ty.id), right.ty.id, at)?;
        self.apply(found, vec![left, right], at)
    }

    fn check_schema(&self, operator: &ast::Operator) -> Result<(), DialectError> {
        match &operator.schema {
            Some(schema)
                if !matches!(
                    schema.text.as_str(),
                    "pg_catalog" | "public" | "information_schema"
                ) && !self.schema.has_schema(&schema.text) =>
            {
                Err(self.error(
                    operator.at,
                    SqlState::INVALID_SCHEMA_NAME,
                    format!("schema \"{}\" does not exist", schema.text),
                ))
            }
            Some(schema) if schema.text != "pg_catalog" => Err(self.error(
                operator.at,
                SqlState::UNDEFINED_FUNCTION,
                format!("operator does not exist: {}.{}", schema.text, operator.sign),
            )),
            _ => Ok(()),
        }
    }

    /// The operator of that sign for these types.
    pub(crate) fn find(
        &self,
        sign: &str,
        left: Option<TypeId>,
        right: TypeId,
        at: Position,
    ) -> Result<&'static Operator, DialectError> {
        let shown = || match left {
            Some(left) => format!("{} {sign} {}", left.name(), right.name()),
            None => format!("{sign} {}", right.name()),
        };
        let argument = if left.is_some() { "s" } else { "" };
        match resolve::operator(sign, left, right) {
            OperatorMatch::Found(operator) => Ok(operator),
            OperatorMatch::None => Err(self
                .error(
                    at,
                    SqlState::UNDEFINED_FUNCTION,
                    format!("operator does not exist: {}", shown()),
                )
                .hint(format!(
                    "No operator matches the given name and argument type{argument}. {}",
                    if left.is_some() {
                        CASTS
                    } else {
                        "You might need to add an explicit type cast."
                    }
                ))),
            OperatorMatch::Ambiguous => Err(self
                .error(
                    at,
                    SqlState::AMBIGUOUS_FUNCTION,
                    format!("operator is not unique: {}", shown()),
                )
                .hint(format!(
                    "Could not choose a best candidate operator. {CASTS}"
                ))),
        }
    }

    /// The call of an operator's function with its operands converted.
    pub(crate) fn apply(
        &mut self,
        operator: &'static Operator,
        operands: Vec<Expr>,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let declared: Vec<TypeId> = operator.left.into_iter().chain([operator.right]).collect();
        let actual: Vec<TypeId> = operands.iter().map(|operand| operand.ty.id).collect();
        let (wanted, result) = self.polymorphic(&declared, operator.result, &actual, at)?;
        let arguments = operands
            .into_iter()
            .zip(wanted)
            .map(|(operand, wanted)| self.coerce(operand, wanted))
            .collect::<Result<Vec<Expr>, DialectError>>()?;
        let call = Call {
            function: operator.function,
            arguments,
            variadic: None,
        };
        Ok(Expr::new(Type::new(result), ExprKind::Call(call), at))
    }

    /// The types that polymorphic parameters and results stand for.
    pub(crate) fn polymorphic(
        &self,
        declared: &[TypeId],
        result: TypeId,
        actual: &[TypeId],
        at: Position,
    ) -> Result<(Vec<TypeId>, TypeId), DialectError> {
        if !result.is_polymorphic() && !declared.iter().any(|ty| ty.is_polymorphic()) {
            return Ok((declared.to_vec(), result));
        }
        consistent_polymorphism(declared, actual, result)
            .map_err(|error| error.at(self.sql, at.0 as usize))
    }

    /// LIKE, ILIKE, SIMILAR TO, as PostgreSQL's grammar maps them to operators.
    pub(crate) fn like(
        &mut self,
        (kind, negated): (LikeKind, bool),
        operands: &[ast::Expr; 2],
        escape: Option<&ast::Expr>,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let [text, pattern] = operands;
        let text = self.expr(text)?;
        let pattern = self.expr(pattern)?;
        let escape = escape.map(|escape| self.expr(escape)).transpose()?;
        let pattern = match (kind, escape) {
            (LikeKind::Like | LikeKind::Ilike, None) => pattern,
            (LikeKind::Like | LikeKind::Ilike, Some(escape)) => {
                self.call_named("like_escape", vec![pattern, escape], at)?
            }
            (LikeKind::Similar, None) => self.call_named("similar_to_escape", vec![pattern], at)?,
            (LikeKind::Similar, Some(escape)) => {
                self.call_named("similar_to_escape", vec![pattern, escape], at)?
            }
        };
        let sign = match (kind, negated) {
            (LikeKind::Like, false) => "~~",
            (LikeKind::Like, true) => "!~~",
            (LikeKind::Ilike, false) => "~~*",
            (LikeKind::Ilike, true) => "!~~*",
            (LikeKind::Similar, false) => "~",
            (LikeKind::Similar, true) => "!~",
        };
        self.compare(sign, text, pattern, at)
    }
}
