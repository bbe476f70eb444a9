//! How functions of the server are called: `pg_get_function_arguments` and its kin.

use pgtypes::SqlValue;

use super::{Answer, CatalogFunction, of_all, oid, text};
use crate::catalog::{Function, FunctionKind, function_by_oid};

pub(super) const FUNCTIONS: &[CatalogFunction] = &[
    of_all("pg_pg_get_function_arguments", 1, |_, a| {
        of(a, |function| arguments(function, true))
    }),
    of_all("pg_pg_get_function_identity_arguments", 1, |_, a| {
        of(a, |function| arguments(function, false))
    }),
    of_all("pg_pg_get_function_result", 1, |_, a| of(a, result)),
];

/// NULL for what is no function that a client can call.
fn of(given: &[SqlValue], shown: impl Fn(&Function) -> String) -> Answer {
    match function_by_oid(oid(given, 0)) {
        Some(function) => text(shown(function)),
        None => Ok(SqlValue::Null),
    }
}

/// The arguments, with those of the result where it has several.
fn arguments(function: &Function, with_defaults: bool) -> String {
    let count = function.arguments.len();
    let first_default = count.saturating_sub(function.default_values.len());
    let direct = match function.kind {
        FunctionKind::Aggregate {
            ordered_set: true,
            direct,
            ..
        } => Some(usize::from(direct)),
        _ => None,
    };
    let mut out = String::new();
    for (at, ty) in function.arguments.iter().enumerate() {
        if direct == Some(at) {
            out.push_str(if at == 0 { "ORDER BY " } else { " ORDER BY " });
        } else if at > 0 {
            out.push_str(", ");
        }
        if at + 1 == count && function.variadic.is_some() {
            out.push_str("VARIADIC ");
        }
        if let Some(name) = function
            .argument_names
            .get(at)
            .filter(|name| !name.is_empty())
        {
            out.push_str(name);
            out.push(' ');
        }
        out.push_str(&ty.name());
        let default = at.checked_sub(first_default);
        let default = default.and_then(|at| function.default_values.get(at));
        if let Some(default) = default.filter(|_| with_defaults) {
            out.push_str(" DEFAULT ");
            out.push_str(default);
        }
    }
    if let FunctionKind::Aggregate {
        hypothetical: true, ..
    } = function.kind
    {
        out.push_str(" ORDER BY VARIADIC \"any\"");
    }
    for (ty, name) in &function.out {
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str("OUT ");
        out.push_str(name);
        out.push(' ');
        out.push_str(&ty.name());
    }
    out
}

fn result(function: &Function) -> String {
    let set = if function.returns_set { "SETOF " } else { "" };
    format!("{set}{}", function.result.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::functions_named;

    #[test]
    fn functions_are_shown_as_they_are_declared() {
        let shown = |name: &str| {
            let function = &functions_named(name)[0];
            (arguments(function, true), result(function))
        };
        assert_eq!(
            shown("json_each"),
            (
                "from_json json, OUT key text, OUT value json".to_owned(),
                "SETOF record".to_owned()
            )
        );
        assert_eq!(
            shown("concat"),
            ("VARIADIC \"any\"".to_owned(), "text".to_owned())
        );
        assert!(
            shown("make_interval")
                .0
                .starts_with("years integer DEFAULT 0, months")
        );
    }
}
