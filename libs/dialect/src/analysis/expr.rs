//! Expressions: each kind by its own rule.

use pgtypes::{SqlState, SqlValue};

use crate::analysis::Analyzer;
use crate::analysis::coerce::common_of;
use crate::analysis::scope::Clause;
use crate::analysis::tree::{Expr, ExprKind};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::{self, IsTest, Literal, NormalForm, Position, ValueFunction};

impl Expr {
    /// An expression without a place.
    pub(crate) fn new(ty: Type, kind: ExprKind, at: Position) -> Self {
        Self { ty, kind, at }
    }

    /// A truth value.
    pub(crate) fn boolean(kind: ExprKind, at: Position) -> Self {
        Self::new(Type::new(TypeId::BOOL), kind, at)
    }

    /// A whole number.
    pub(crate) fn integer(value: i64, ty: TypeId, at: Position) -> Self {
        Self::new(
            Type::new(ty),
            ExprKind::Constant(SqlValue::Integer(value)),
            at,
        )
    }

    /// A text.
    pub(crate) fn text(value: impl Into<String>, at: Position) -> Self {
        Self::new(
            Type::new(TypeId::TEXT),
            ExprKind::Constant(SqlValue::Text(value.into())),
            at,
        )
    }

    /// Whether it is a literal or a parameter whose type nothing has told yet.
    pub(crate) fn is_unknown(&self) -> bool {
        self.ty.id == TypeId::UNKNOWN
    }
}

impl Analyzer<'_> {
    /// An expression; its type may be `unknown` still.
    pub(crate) fn expr(&mut self, expr: &ast::Expr) -> Result<Expr, DialectError> {
        self.nested(expr.at, |analyzer| analyzer.expr_of(expr))
    }

    /// An expression whose type is known: what nothing has told the type of is text.
    pub(crate) fn resolved(&mut self, expr: &ast::Expr) -> Result<Expr, DialectError> {
        let expr = self.expr(expr)?;
        self.known(expr)
    }

    /// A condition, as WHERE wants one; `place` is named where it is none.
    pub(crate) fn condition(
        &mut self,
        expr: &ast::Expr,
        place: &str,
    ) -> Result<Expr, DialectError> {
        let value = self.expr(expr)?;
        self.as_condition(value, place)
    }

    /// The condition of a clause, where there is one.
    pub(crate) fn condition_of(
        &mut self,
        clause: Clause,
        condition: Option<&ast::Expr>,
        place: &str,
    ) -> Result<Option<Expr>, DialectError> {
        condition
            .map(|condition| {
                self.in_clause(clause, |analyzer| analyzer.condition(condition, place))
            })
            .transpose()
    }

    /// A value that must be boolean.
    pub(crate) fn as_condition(&mut self, value: Expr, place: &str) -> Result<Expr, DialectError> {
        let at = value.start();
        if value.ty.id == TypeId::BOOL {
            return Ok(value);
        }
        if !value.is_unknown() {
            return Err(self.error(
                at,
                SqlState::DATATYPE_MISMATCH,
                format!(
                    "argument of {place} must be type boolean, not type {}",
                    value.ty.id.name()
                ),
            ));
        }
        self.coerce(value, TypeId::BOOL)
    }

    pub(crate) fn exprs(&mut self, exprs: &[ast::Expr]) -> Result<Vec<Expr>, DialectError> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn expr_of(&mut self, expr: &ast::Expr) -> Result<Expr, DialectError> {
        use ast::ExprKind as Kind;
        let at = expr.at;
        match &expr.kind {
            Kind::Literal(literal) => self.literal(literal, at),
            Kind::Parameter(number) => self.parameter(*number, at),
            Kind::Column(path) => self.column(path, at),
            Kind::Star(_) => Err(self.error(
                at,
                SqlState::FEATURE_NOT_SUPPORTED,
                "row expansion via \"*\" is not supported here",
            )),
            Kind::Cast { operand, to } => self.cast(operand, to, at),
            Kind::Prefix { operator, operand } => self.prefix(operator, operand, at),
            Kind::Infix { operator, operands } => {
                let [left, right] = operands.as_ref();
                self.infix(operator, left, right, at)
            }
            Kind::And(list) => Ok(Expr::boolean(
                ExprKind::And(self.conditions(list, "AND")?),
                at,
            )),
            Kind::Or(list) => Ok(Expr::boolean(
                ExprKind::Or(self.conditions(list, "OR")?),
                at,
            )),
            Kind::Not(operand) => {
                let operand = self.condition(operand, "NOT")?;
                Ok(Expr::boolean(ExprKind::Not(Box::new(operand)), at))
            }
            Kind::Is {
                operand,
                test,
                negated,
            } => self.is(operand, *test, *negated, at),
            Kind::Distinct { operands, negated } => self.distinct(operands, *negated, at),
            Kind::Like {
                kind,
                operands,
                escape,
                negated,
            } => self.like((*kind, *negated), operands, escape.as_deref(), at),
            Kind::Between {
                operands,
                symmetric,
                negated,
            } => self.between(operands, *symmetric, *negated, at),
            Kind::InList {
                operand,
                list,
                negated,
            } => self.in_list(operand, list, *negated, at),
            Kind::QuantifiedQuery(test) => self.quantified_query(test, at),
            Kind::QuantifiedArray {
                operands,
                operator,
                all,
            } => self.quantified_array(operands, operator, *all, at),
            Kind::Exists(query) => self.exists(query, at),
            Kind::Subquery(query) => self.scalar_subquery(query, at),
            Kind::ArrayQuery(query) => self.array_query(query, at),
            Kind::Array(elements) => self.array(elements, at),
            Kind::Row { fields, .. } => self.row(fields, at),
            _ => self.other(expr),
        }
    }

    /// What is a form of SQL's own, or refused.
    fn other(&mut self, expr: &ast::Expr) -> Result<Expr, DialectError> {
        use ast::ExprKind as Kind;
        let at = expr.at;
        match &expr.kind {
            Kind::Case {
                operand,
                arms,
                otherwise,
            } => self.case(operand.as_deref(), arms, otherwise.as_deref(), at),
            Kind::Call(call) => self.call(call, at),
            Kind::Coalesce(list) => {
                let list = self.of_one_type(list, "COALESCE")?;
                let ty = common_of(&list);
                Ok(Expr::new(ty, ExprKind::Coalesce(list), at))
            }
            Kind::NullIf(operands) => self.null_if(operands, at),
            Kind::Greatest(list) => self.extreme(list, true, at),
            Kind::Least(list) => self.extreme(list, false, at),
            Kind::Grouping(arguments) => self.grouping(arguments, at),
            Kind::ValueFunction {
                function,
                precision,
            } => Ok(value_function(*function, *precision, at)),
            Kind::Collate { operand, collation } => self.collate(operand, collation, at),
            Kind::Subscript { operand, index } => self.subscript(operand, index, at),
            Kind::Field { operand, field } => self.field(operand, field.as_ref(), at),
            Kind::Default => Err(self.error(
                at,
                SqlState::SYNTAX_ERROR,
                "DEFAULT is not allowed in this context",
            )),
            Kind::Unsupported(name) => Err(self.unsupported(at, name)),
            // Every other kind has its arm in `expr_of`.
            _ => Err(self.unsupported(at, "this expression")),
        }
    }

    fn conditions(&mut self, list: &[ast::Expr], place: &str) -> Result<Vec<Expr>, DialectError> {
        list.iter()
            .map(|expr| self.condition(expr, place))
            .collect()
    }

    fn literal(&mut self, literal: &Literal, at: Position) -> Result<Expr, DialectError> {
        Ok(match literal {
            Literal::Null => Expr::new(
                Type::new(TypeId::UNKNOWN),
                ExprKind::Constant(SqlValue::Null),
                at,
            ),
            Literal::Boolean(value) => {
                Expr::boolean(ExprKind::Constant(SqlValue::Integer(i64::from(*value))), at)
            }
            Literal::Integer(digits) => self.number(digits, at)?,
            Literal::Numeric(digits) => self.numeric(digits, at)?,
            Literal::String(text) => Expr::new(
                Type::new(TypeId::UNKNOWN),
                ExprKind::Unknown(text.clone()),
                at,
            ),
            Literal::Bits(_) => return Err(self.unsupported(at, "type bit")),
        })
    }

    /// Digits, perhaps with a minus before them: the smallest of integer, bigint and numeric that holds them.
    pub(crate) fn number(&mut self, digits: &str, at: Position) -> Result<Expr, DialectError> {
        if let Ok(value) = digits.parse::<i32>() {
            return Ok(Expr::integer(i64::from(value), TypeId::INT4, at));
        }
        match digits.parse::<i64>() {
            Ok(value) => Ok(Expr::integer(value, TypeId::INT8, at)),
            Err(_) => self.numeric(digits, at),
        }
    }

    pub(crate) fn numeric(&mut self, digits: &str, at: Position) -> Result<Expr, DialectError> {
        self.input(digits, Type::new(TypeId::NUMERIC), at)
    }

    fn case(
        &mut self,
        operand: Option<&ast::Expr>,
        arms: &[ast::Arm],
        otherwise: Option<&ast::Expr>,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let operand = operand.map(|operand| self.resolved(operand)).transpose()?;
        let mut conditions = Vec::with_capacity(arms.len());
        let mut results = Vec::with_capacity(arms.len() + 1);
        for arm in arms {
            conditions.push(match &operand {
                None => self.condition(&arm.condition, "CASE/WHEN")?,
                Some(operand) => {
                    let value = self.expr(&arm.condition)?;
                    self.compare("=", operand.clone(), value, arm.at)?
                }
            });
            results.push(self.expr(&arm.result)?);
        }
        // PostgreSQL looks at ELSE first when it chooses the type.
        if let Some(otherwise) = otherwise {
            let otherwise = self.expr(otherwise)?;
            results.insert(0, otherwise);
        }
        let mut results = self.unify(results, "CASE")?;
        let ty = match otherwise {
            Some(_) => common_of(&results),
            // The NULL that stands for ELSE has no modifier.
            None => Type::new(common_of(&results).id),
        };
        let otherwise = otherwise.is_some().then(|| Box::new(results.remove(0)));
        let arms = conditions.into_iter().zip(results).collect();
        Ok(Expr::new(ty, ExprKind::Case { arms, otherwise }, at))
    }

    fn extreme(
        &mut self,
        list: &[ast::Expr],
        greatest: bool,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let name = if greatest { "GREATEST" } else { "LEAST" };
        let operands = self.of_one_type(list, name)?;
        let ty = common_of(&operands);
        if let [first, ..] = operands.as_slice() {
            // There must be an order.
            self.compare("<", first.clone(), first.clone(), at)?;
        }
        Ok(Expr::new(ty, ExprKind::Extreme { greatest, operands }, at))
    }

    fn of_one_type(&mut self, list: &[ast::Expr], name: &str) -> Result<Vec<Expr>, DialectError> {
        let list = self.exprs(list)?;
        self.unify(list, name)
    }

    fn is(
        &mut self,
        operand: &ast::Expr,
        test: IsTest,
        negated: bool,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let operand = self.expr(operand)?;
        let kind = match test {
            IsTest::Null => {
                if let ExprKind::Row { fields, .. } = operand.kind {
                    return Ok(row_is_null(fields, negated, at));
                }
                ExprKind::IsNull {
                    operand: Box::new(self.of_any_type(operand)?),
                    negated,
                }
            }
            IsTest::Unknown => {
                let place = if negated {
                    "IS NOT UNKNOWN"
                } else {
                    "IS UNKNOWN"
                };
                let operand = self.as_condition(operand, place)?;
                ExprKind::IsNull {
                    operand: Box::new(operand),
                    negated,
                }
            }
            IsTest::True | IsTest::False => {
                let truth = test == IsTest::True;
                let place = match (truth, negated) {
                    (true, false) => "IS TRUE",
                    (true, true) => "IS NOT TRUE",
                    (false, false) => "IS FALSE",
                    (false, true) => "IS NOT FALSE",
                };
                ExprKind::IsTruth {
                    operand: Box::new(self.as_condition(operand, place)?),
                    truth,
                    negated,
                }
            }
            IsTest::Normalized(form) => {
                let form = form.map(|form| match form {
                    NormalForm::Nfc => "NFC",
                    NormalForm::Nfd => "NFD",
                    NormalForm::Nfkc => "NFKC",
                    NormalForm::Nfkd => "NFKD",
                });
                let form = form.map(|form| Expr::text(form, at));
                let arguments = std::iter::once(operand).chain(form).collect();
                let test = self.call_named("is_normalized", arguments, at)?;
                if !negated {
                    return Ok(test);
                }
                ExprKind::Not(Box::new(test))
            }
            IsTest::Document => return Err(self.unsupported(at, "IS DOCUMENT")),
            IsTest::Json => return Err(self.unsupported(at, "IS JSON")),
        };
        Ok(Expr::boolean(kind, at))
    }

    fn collate(
        &mut self,
        operand: &ast::Expr,
        collation: &ast::Path,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let operand = self.resolved(operand)?;
        if !operand.ty.id.is_collatable() {
            return Err(self.error(
                at,
                SqlState::DATATYPE_MISMATCH,
                format!(
                    "collations are not supported by type {}",
                    operand.ty.id.name()
                ),
            ));
        }
        let name = collation.0.last().map_or("", |name| name.text.as_str());
        match name {
            "C" | "POSIX" | "default" | "ucs_basic" | "C.UTF-8" | "C.utf8" => Ok(Expr::new(
                operand.ty,
                ExprKind::Collate {
                    operand: Box::new(operand),
                    collation: name.to_owned(),
                },
                at,
            )),
            _ if name.contains("-x-icu") || name.contains('_') || name == "unicode" => {
                Err(self.unsupported(at, format!("collation \"{name}\"")))
            }
            _ => Err(self.error(
                at,
                SqlState::UNDEFINED_OBJECT,
                format!("collation \"{name}\" for encoding \"UTF8\" does not exist"),
            )),
        }
    }
}

/// A row is NULL if all its fields are, and not NULL if none is.
fn row_is_null(fields: Vec<Expr>, negated: bool, at: Position) -> Expr {
    let tests = fields
        .into_iter()
        .map(|field| {
            let at = field.at;
            let operand = Box::new(field);
            Expr::boolean(ExprKind::IsNull { operand, negated }, at)
        })
        .collect();
    Expr::boolean(ExprKind::And(tests), at)
}

fn value_function(function: ValueFunction, precision: Option<i32>, at: Position) -> Expr {
    use ValueFunction as F;
    let id = match function {
        F::CurrentDate => TypeId::DATE,
        F::CurrentTime => TypeId::TIMETZ,
        F::CurrentTimestamp => TypeId::TIMESTAMPTZ,
        F::LocalTime => TypeId::TIME,
        F::LocalTimestamp => TypeId::TIMESTAMP,
        F::CurrentRole
        | F::CurrentUser
        | F::User
        | F::SessionUser
        | F::CurrentCatalog
        | F::CurrentSchema => TypeId::NAME,
    };
    let ty = Type {
        id,
        typmod: precision.unwrap_or(-1),
    };
    let kind = ExprKind::ValueFunction {
        function,
        precision,
    };
    Expr::new(ty, kind, at)
}
