//! The tree of a text in a compact form, for tests: every operation in parentheses.

use super::ast::{
    Expr, ExprKind, FromItem, JoinCondition, Literal, Query, QueryBody, Statement, Subscript,
    TypeName,
};
use super::parse;
use crate::DialectError;

fn names(path: &super::ast::Path) -> String {
    let names: Vec<&str> = path.0.iter().map(|name| name.text.as_str()).collect();
    names.join(".")
}

fn ty(ty: &TypeName) -> String {
    let modifiers = if ty.modifiers.is_empty() {
        String::new()
    } else {
        format!("({})", list(&ty.modifiers))
    };
    let fields = ty
        .interval
        .map_or_else(String::new, |fields| format!(" {fields:?}"));
    let name = names(&ty.name);
    format!(
        "{}{modifiers}{fields}{}",
        name.strip_prefix("pg_catalog.").unwrap_or(&name),
        "[]".repeat(ty.dimensions as usize)
    )
}

fn list(values: &[Expr]) -> String {
    let values: Vec<String> = values.iter().map(show).collect();
    values.join(", ")
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

fn show(value: &Expr) -> String {
    match &value.kind {
        ExprKind::Literal(Literal::Null) => "NULL".to_owned(),
        ExprKind::Literal(Literal::Boolean(value)) => value.to_string(),
        ExprKind::Literal(Literal::Integer(text) | Literal::Numeric(text)) => text.clone(),
        ExprKind::Literal(Literal::String(text)) => format!("'{text}'"),
        ExprKind::Literal(Literal::Bits(text)) => format!("B'{text}'"),
        ExprKind::Parameter(number) => format!("${number}"),
        ExprKind::Column(path) => names(path),
        ExprKind::Cast { operand, to } => format!("{}::{}", show(operand), ty(to)),
        ExprKind::Prefix { operator, operand } => format!("({} {})", operator.sign, show(operand)),
        ExprKind::Infix { operator, operands } => {
            let [left, right] = operands.as_ref();
            format!("({} {} {})", show(left), operator.sign, show(right))
        }
        ExprKind::And(terms) => format!("AND({})", list(terms)),
        ExprKind::Or(terms) => format!("OR({})", list(terms)),
        ExprKind::Not(operand) => format!("NOT({})", show(operand)),
        ExprKind::Is {
            operand,
            test,
            negated,
        } => {
            format!("({} IS {}{test:?})", show(operand), not(*negated))
        }
        ExprKind::Distinct { operands, negated } => {
            let [left, right] = operands.as_ref();
            format!(
                "({} IS {}DISTINCT {})",
                show(left),
                not(*negated),
                show(right)
            )
        }
        ExprKind::Like {
            kind,
            operands,
            escape,
            negated,
        } => {
            let [left, right] = operands.as_ref();
            let escape = escape
                .as_ref()
                .map_or_else(String::new, |escape| format!(" ESCAPE {}", show(escape)));
            format!(
                "({} {}{kind:?} {}{escape})",
                show(left),
                not(*negated),
                show(right)
            )
        }
        ExprKind::Between {
            operands,
            symmetric,
            negated,
        } => {
            let [value, low, high] = operands.as_ref();
            let symmetric = if *symmetric { "SYMMETRIC " } else { "" };
            format!(
                "({} {}BETWEEN {symmetric}{} AND {})",
                show(value),
                not(*negated),
                show(low),
                show(high)
            )
        }
        _ => show_more(value),
    }
}

fn show_more(value: &Expr) -> String {
    match &value.kind {
        ExprKind::InList {
            operand,
            list: values,
            negated,
        } => {
            format!("({} {}IN ({}))", show(operand), not(*negated), list(values))
        }
        ExprKind::QuantifiedArray {
            operands,
            operator,
            all,
        } => {
            let [left, right] = operands.as_ref();
            let word = if *all { "ALL" } else { "ANY" };
            format!("({} {} {word} {})", show(left), operator.sign, show(right))
        }
        ExprKind::Array(values) => format!("ARRAY[{}]", list(values)),
        ExprKind::Row { fields, .. } => format!("ROW({})", list(fields)),
        ExprKind::Call(call) => {
            let arguments: Vec<String> = call
                .arguments
                .iter()
                .map(|argument| show(&argument.value))
                .collect();
            format!("{}({})", names(&call.name), arguments.join(", "))
        }
        ExprKind::Collate { operand, collation } => {
            format!("({} COLLATE {})", show(operand), names(collation))
        }
        ExprKind::Subscript {
            operand,
            index: Subscript::Index(index),
        } => {
            format!("{}[{}]", show(operand), show(index))
        }
        ExprKind::Field { operand, field } => format!(
            "({}).{}",
            show(operand),
            field.as_ref().map_or("*", |field| field.text.as_str())
        ),
        other => format!("{other:?}"),
    }
}

/// The query that a text is.
pub(super) fn query(sql: &str) -> Result<Query, DialectError> {
    match parse(sql)? {
        Some(Statement::Query(query)) => Ok(*query),
        other => panic!("no query: {other:?}"),
    }
}

/// The first value of a select list.
pub(super) fn value(text: &str) -> String {
    match query(&format!("SELECT {text}")) {
        Ok(Query {
            body: QueryBody::Select(select),
            ..
        }) => select
            .targets
            .first()
            .map_or_else(String::new, |target| show(&target.value)),
        Ok(other) => panic!("no SELECT: {other:?}"),
        Err(error) => error.message,
    }
}

fn from(item: &FromItem) -> String {
    match item {
        FromItem::Relation { name, .. } => names(name),
        FromItem::Join(join) => {
            let [left, right] = &join.sides;
            let on = match &join.on {
                JoinCondition::None => "cross",
                JoinCondition::On(_) => "on",
                JoinCondition::Using(..) => "using",
                JoinCondition::Natural => "natural",
            };
            format!("({} {on} {})", from(left), from(right))
        }
        other => format!("{other:?}"),
    }
}

/// The first item of FROM.
pub(super) fn joins(text: &str) -> String {
    match query(&format!("SELECT FROM {text}")) {
        Ok(Query {
            body: QueryBody::Select(select),
            ..
        }) => select.from.first().map(from).unwrap_or_default(),
        Ok(other) => panic!("no SELECT: {other:?}"),
        Err(error) => error.message,
    }
}
