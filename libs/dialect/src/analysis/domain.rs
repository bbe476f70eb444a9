//! Casts to domains: a value of the base type for which the conditions of the domain hold.

use crate::analysis::schema::{Column, Generated, Relation, RelationKind};
use crate::analysis::tree::{Call, Expr, ExprKind};
use crate::analysis::{self, Analyzer, Purpose};
use crate::catalog::{Type, TypeId, Volatility, functions_named};
use crate::domain::{self, Domain};
use crate::error::DialectError;
use crate::stored_name;
use crate::syntax::ast::{Position, TypeName};
use crate::syntax::only_expression;

/// Fails where its first argument is false.
const CHECK: &str = "eloqdb_domain_check";
/// What a condition calls the value.
const VALUE: &str = "value";

impl Analyzer<'_> {
    /// The domain that a name stands for.
    pub(crate) fn domain_named(&self, name: &TypeName) -> Option<Domain> {
        let (schema, name) = match name.name.0.as_slice() {
            [one] => (None, one),
            [schema, one] => (Some(schema.text.as_str()), one),
            _ => return None,
        };
        self.schema.domain(schema, &name.text)
    }

    /// A value of the domain's base type that is one of the domain.
    pub(crate) fn as_domain(
        &self,
        value: Expr,
        domain: &Domain,
        at: Position,
    ) -> Result<Expr, DialectError> {
        if !domain.not_null && domain.checks.is_empty() {
            return Ok(value);
        }
        // It is computed for each condition.
        if is_volatile(&value) {
            let what = "a cast to a domain of what gives another value each time";
            return Err(self.unsupported(at, what));
        }
        let mut tests = Vec::new();
        if domain.not_null {
            let operand = Box::new(value.clone());
            let test = ExprKind::IsNull {
                operand,
                negated: true,
            };
            tests.push(checked(
                Expr::new(Type::new(TypeId::BOOL), test, at),
                domain,
                "",
            ));
        }
        for (name, condition) in &domain.checks {
            let test = self.condition_of_domain(domain, condition, &value)?;
            tests.push(checked(test, domain, name));
        }
        let tests: Option<Vec<Expr>> = tests.into_iter().collect();
        let Some(tests) = tests else {
            return Err(self.unsupported(at, "a cast to a domain"));
        };
        let condition = match <[Expr; 1]>::try_from(tests) {
            Ok([only]) => only,
            Err(several) => Expr::new(Type::new(TypeId::BOOL), ExprKind::And(several), at),
        };
        let ty = value.ty;
        let kind = ExprKind::Case {
            arms: vec![(condition, value)],
            otherwise: None,
        };
        Ok(Expr::new(ty, kind, at))
    }

    /// The condition of a domain about a value.
    fn condition_of_domain(
        &self,
        domain: &Domain,
        condition: &str,
        value: &Expr,
    ) -> Result<Expr, DialectError> {
        let sql = format!("SELECT {}", domain::over_column(condition, VALUE)?);
        let without_place = |error: DialectError| DialectError {
            position: None,
            ..error
        };
        let tree = only_expression(&sql)?.ok_or_else(|| DialectError::syntax(""))?;
        let column = Column {
            name: VALUE.to_owned(),
            ty: Type::from(domain.base),
            not_null: false,
            default: None,
            rowid: false,
            generated: Generated::No,
        };
        let table = Relation {
            schema: "main",
            name: domain.name.clone(),
            kind: RelationKind::Table,
            columns: vec![column],
            keys: Vec::new(),
            without_rowid: false,
        };
        let found = analysis::expression(&sql, &tree, self.schema, &table, Purpose::Check);
        let mut test = found.map_err(without_place)?.value;
        put(&mut test, value);
        Ok(test)
    }
}

/// The value in the place of each column.
fn put(part: &mut Expr, value: &Expr) {
    if matches!(part.kind, ExprKind::Column(_)) {
        part.clone_from(value);
        return;
    }
    part.each_part_mut(&mut |inner| put(inner, value));
}

/// A test that fails with the name of the check; with no name it is that of NOT NULL.
fn checked(test: Expr, domain: &Domain, name: &str) -> Option<Expr> {
    let [function] = functions_named(CHECK) else {
        return None;
    };
    let at = test.at;
    let text = |text: &str| {
        let value = pgtypes::SqlValue::Text(text.to_owned());
        Expr::new(Type::new(TypeId::TEXT), ExprKind::Constant(value), at)
    };
    let call = Call {
        function,
        arguments: vec![test, text(stored_name::base(&domain.name)), text(name)],
        variadic: None,
    };
    Some(Expr::new(Type::new(TypeId::BOOL), ExprKind::Call(call), at))
}

fn is_volatile(value: &Expr) -> bool {
    let mut found = false;
    value.visit(&mut |part| {
        found |= matches!(&part.kind, ExprKind::Call(call) if call.function.volatility == Volatility::Volatile);
    });
    found
}
