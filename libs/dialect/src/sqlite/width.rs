//! The blanks of `char(n)`, which the stored form leaves out: a client sees them also where the type of a result does
//! not tell a width any more, because its values have several, or a function gives what was put in.

use crate::analysis::tree::{Body, Call, Distinct, Expr, ExprKind, Query};
use crate::catalog::{Type, TypeId};

/// Compares texts without the blanks at their ends: SQLite's own.
pub(crate) const WITHOUT_BLANKS: &str = "RTRIM";

/// Whether values of this type have widths of their own.
pub(crate) fn has_no_width(ty: Type) -> bool {
    ty.id == TypeId::BPCHAR && ty.typmod < 0
}

/// Whether a value is the text with its blanks, which are no part of it where it is compared.
pub(crate) fn is_padded(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::ViaText(inner) => value.ty.id == TypeId::BPCHAR && inner.ty.id == TypeId::BPCHAR,
        ExprKind::Coalesce(list) => list.iter().any(is_padded),
        ExprKind::Case { arms, otherwise } => {
            arms.iter().any(|(_, result)| is_padded(result))
                || otherwise.as_deref().is_some_and(is_padded)
        }
        _ => false,
    }
}

/// A value of a type without a width, with the blanks that it has.
pub(crate) fn padded(value: &Expr) -> Expr {
    let kind = match &value.kind {
        _ if value.ty.id != TypeId::BPCHAR => return value.clone(),
        _ if value.ty.typmod >= 0 => return at_width(value, value.ty),
        ExprKind::Coalesce(list) => ExprKind::Coalesce(list.iter().map(padded).collect()),
        ExprKind::Case { arms, otherwise } => ExprKind::Case {
            arms: arms
                .iter()
                .map(|(condition, result)| (condition.clone(), padded(result)))
                .collect(),
            otherwise: otherwise.as_deref().map(|value| Box::new(padded(value))),
        },
        kind => {
            let width = width_of(kind).filter(|ty| ty.typmod >= 0);
            return width.map_or_else(|| value.clone(), |ty| at_width(value, ty));
        }
    };
    Expr {
        kind,
        ..value.clone()
    }
}

fn at_width(value: &Expr, width: Type) -> Expr {
    let told = Expr {
        ty: width,
        ..value.clone()
    };
    Expr {
        ty: Type::new(TypeId::BPCHAR),
        kind: ExprKind::ViaText(Box::new(told)),
        at: value.at,
    }
}

/// The width of what a function gives of its arguments as it is.
fn width_of(kind: &ExprKind) -> Option<Type> {
    let of_call = |call: &Call| {
        let picks = matches!(
            call.function.name,
            "min" | "max" | "first_value" | "last_value" | "nth_value" | "lag" | "lead" | "mode"
        );
        let mut widths = call
            .arguments
            .iter()
            .map(|argument| argument.ty)
            .filter(|ty| ty.id == TypeId::BPCHAR);
        let first = widths.next().filter(|_| picks)?;
        widths.all(|other| other == first).then_some(first)
    };
    match kind {
        ExprKind::Aggregate(aggregate) => of_call(&aggregate.call),
        ExprKind::Window(window) => of_call(&window.call),
        ExprKind::NullIf(equality) => equality
            .arguments
            .first()
            .map(|first| first.without_relabel().ty)
            .filter(|ty| ty.id == TypeId::BPCHAR),
        _ => None,
    }
}

/// A query whose rows a client sees, with all blanks; `None` where nothing is to be changed.
pub(crate) fn with_blanks(query: &Query) -> Option<Query> {
    let columns: Vec<bool> = query
        .columns
        .iter()
        .map(|column| has_no_width(column.ty))
        .collect();
    if !columns.contains(&true) {
        return None;
    }
    let mut query = query.clone();
    pad_columns(&mut query, &columns);
    Some(query)
}

fn pad_columns(query: &mut Query, columns: &[bool]) {
    let pad = |values: &mut Vec<Expr>| {
        for (value, _) in values
            .iter_mut()
            .zip(columns)
            .filter(|(_, wanted)| **wanted)
        {
            *value = padded(value);
        }
    };
    match &mut query.body {
        Body::Select(select) if matches!(select.distinct, Distinct::On(_)) => {}
        Body::Select(select) => pad(&mut select.targets),
        Body::Values(rows) => rows.iter_mut().for_each(pad),
        Body::SetOperation { sides, .. } => {
            for side in sides.iter_mut() {
                pad_columns(side, columns);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::NoSchema;

    fn printed(sql: &str) -> String {
        crate::analyze(sql, &NoSchema).unwrap().sqlite.concat()
    }

    #[test]
    fn what_a_function_gives_has_the_width_of_its_argument() {
        assert_eq!(
            printed("SELECT max(x) FROM (VALUES ('a'::char(3))) AS v(x)"),
            "SELECT pg_out(max(\"v\".\"column1\"), 1042, 7) AS \"max\" FROM (VALUES ('a')) AS \"v\""
        );
    }

    #[test]
    fn values_of_several_widths_keep_their_own() {
        assert_eq!(
            printed("SELECT coalesce('a'::char(3), 'b'::char(4))"),
            "SELECT coalesce(pg_out('a', 1042, 7), pg_out('b', 1042, 8)) AS \"coalesce\""
        );
        assert_eq!(
            printed("SELECT 'a'::char(3) AS x UNION SELECT 'b'::char(4) ORDER BY 1"),
            "SELECT pg_out('a', 1042, 7) COLLATE RTRIM AS \"x\" UNION SELECT pg_out('b', 1042, 8) COLLATE RTRIM AS \"bpchar\" \
             ORDER BY 1 COLLATE RTRIM NULLS LAST"
        );
    }
}
