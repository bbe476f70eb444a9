//! The functions, operators and casts that every database has, as rows of the catalog. They are many and few ask for them,
//! so they are in no table of a session: a statement that reads them has them computed.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use pgtypes::SqlValue as Value;
use pgtypes::json::quoted;

use crate::catalog::{
    CastContext, CastMethod, Function, FunctionKind, TypeId, Volatility, all_casts, all_functions,
    operators,
};
use crate::pg_catalog::fill::{OWNER, count, int, text, truth, vector};
use crate::pg_catalog::fill_fixed::{INFORMATION_SCHEMA, PG_CATALOG};
use crate::pg_catalog::support;
use crate::pg_catalog::tables::{self, CatalogTable};

/// The language of functions that are part of the server.
const INTERNAL: u32 = 12;

/// The rows of a relation that is the same in every database, and is in no table: a JSON array of arrays whose values have
/// their stored forms.
pub fn built_in_rows(name: &str) -> Option<&'static str> {
    static KNOWN: LazyLock<Mutex<HashMap<&'static str, &'static str>>> =
        LazyLock::new(Mutex::default);
    let (name, make): (&'static str, fn(&mut Rows)) = match name {
        "pg_proc" => ("pg_proc", functions),
        "pg_operator" => ("pg_operator", all_operators),
        "pg_cast" => ("pg_cast", casts),
        "pg_aggregate" => ("pg_aggregate", aggregates),
        "pg_opclass" => ("pg_opclass", operator_classes),
        "pg_opfamily" => ("pg_opfamily", operator_families),
        _ => return None,
    };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(rows) = known.get(name) {
        return Some(rows);
    }
    let mut rows = Rows::of(tables::by_name(name)?);
    make(&mut rows);
    // There are few such relations, and each is made once.
    let rows: &'static str = Box::leak(rows.end().into_boxed_str());
    known.insert(name, rows);
    Some(rows)
}

/// Rows as a JSON array of arrays, by the columns of their relation.
pub struct Rows {
    table: &'static CatalogTable,
    out: String,
}

impl Rows {
    /// No rows yet of the relation of that name.
    pub fn named(name: &str) -> Option<Self> {
        tables::by_name(name).map(Self::of)
    }

    fn of(table: &'static CatalogTable) -> Self {
        Self {
            table,
            out: "[".to_owned(),
        }
    }

    /// Whether the relation has a column of that name.
    pub fn has(&self, column: &str) -> bool {
        self.table.position(column).is_some()
    }

    /// A row by the names of its columns; what is not named is NULL.
    pub fn push(&mut self, values: &[(&str, Value)]) {
        let mut row = vec!["null".to_owned(); self.table.columns.len()];
        for (column, value) in values {
            let place = self.table.position(column);
            if let Some(slot) = place.and_then(|at| row.get_mut(at)) {
                *slot = written(value);
            }
        }
        if self.out.len() > 1 {
            self.out.push(',');
        }
        self.out.push('[');
        self.out.push_str(&row.join(","));
        self.out.push(']');
    }

    /// All of them.
    pub fn end(mut self) -> String {
        self.out.push(']');
        self.out
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Real(number) if number.is_finite() => format!("{number:?}"),
        Value::Text(text) => quoted(text),
        Value::Null | Value::Real(_) | Value::Blob(_) => "null".to_owned(),
    }
}

fn numbers(types: &[TypeId]) -> Vec<String> {
    types.iter().map(|id| id.get().to_string()).collect()
}

/// An array, or NULL for none.
fn array(elements: &[String]) -> Value {
    if elements.is_empty() {
        return Value::Null;
    }
    let elements = elements.iter().map(|element| Some(element.as_str()));
    text(&pgtypes::array::text_of(elements))
}

fn functions(rows: &mut Rows) {
    for function in all_functions() {
        rows.push(&function_row(function));
    }
    for function in support::functions() {
        let arguments: Vec<&str> = function.arguments.split_whitespace().collect();
        rows.push(&[
            ("oid", int(function.oid)),
            ("proname", text(function.name)),
            ("pronamespace", int(PG_CATALOG)),
            ("proowner", int(OWNER)),
            ("prolang", int(INTERNAL)),
            ("procost", int(1)),
            ("prorows", int(0)),
            ("provariadic", int(0)),
            ("prosupport", int(0)),
            ("prokind", text("f")),
            ("prosecdef", truth(false)),
            ("proleakproof", truth(false)),
            ("proisstrict", truth(function.strict)),
            ("proretset", truth(false)),
            ("provolatile", text(function.volatility)),
            ("proparallel", text("s")),
            ("pronargs", count(arguments.len())),
            ("pronargdefaults", int(0)),
            ("prorettype", int(function.result)),
            ("proargtypes", vector(&arguments)),
            ("prosrc", text(function.name)),
        ]);
    }
}

fn function_row(function: &Function) -> Vec<(&'static str, Value)> {
    let namespace = if function.name.starts_with("_pg_") {
        INFORMATION_SCHEMA
    } else {
        PG_CATALOG
    };
    let mut names: Vec<String> = function
        .argument_names
        .iter()
        .map(|&n| n.to_owned())
        .collect();
    let mut all = numbers(&function.arguments);
    let mut modes = vec!["i".to_owned(); all.len()];
    if function.variadic.is_some()
        && let Some(last) = modes.last_mut()
    {
        "v".clone_into(last);
    }
    if !function.out.is_empty() {
        names.resize(all.len(), String::new());
        for (ty, name) in &function.out {
            names.push((*name).to_owned());
            all.push(ty.get().to_string());
            modes.push("o".to_owned());
        }
    }
    let plain = function.out.is_empty() && function.variadic.is_none();
    let defaults = function.default_values.join(", ");
    vec![
        ("oid", int(function.oid)),
        ("proname", text(function.name)),
        ("pronamespace", int(namespace)),
        ("proowner", int(OWNER)),
        ("prolang", int(INTERNAL)),
        ("procost", int(1)),
        ("prorows", int(if function.returns_set { 100 } else { 0 })),
        ("provariadic", int(function.variadic.map_or(0, TypeId::get))),
        ("prosupport", int(0)),
        ("prokind", text(kind(function.kind))),
        ("prosecdef", truth(false)),
        ("proleakproof", truth(false)),
        ("proisstrict", truth(function.strict)),
        ("proretset", truth(function.returns_set)),
        ("provolatile", text(volatility(function.volatility))),
        ("proparallel", text("s")),
        ("pronargs", count(function.arguments.len())),
        ("pronargdefaults", int(function.defaults)),
        ("prorettype", int(function.result.get())),
        ("proargtypes", vector(&numbers(&function.arguments))),
        (
            "proallargtypes",
            if plain { Value::Null } else { array(&all) },
        ),
        (
            "proargmodes",
            if plain { Value::Null } else { array(&modes) },
        ),
        ("proargnames", array(&names)),
        (
            "proargdefaults",
            if defaults.is_empty() {
                Value::Null
            } else {
                text(&defaults)
            },
        ),
        ("prosrc", text(function.source)),
    ]
}

fn kind(kind: FunctionKind) -> &'static str {
    match kind {
        FunctionKind::Scalar => "f",
        FunctionKind::Aggregate { .. } => "a",
        FunctionKind::Window => "w",
        FunctionKind::Procedure => "p",
    }
}

fn volatility(volatility: Volatility) -> &'static str {
    match volatility {
        Volatility::Immutable => "i",
        Volatility::Stable => "s",
        Volatility::Volatile => "v",
    }
}

fn all_operators(rows: &mut Rows) {
    for operator in operators() {
        rows.push(&[
            ("oid", int(operator.oid)),
            ("oprname", text(operator.sign)),
            ("oprnamespace", int(PG_CATALOG)),
            ("oprowner", int(OWNER)),
            (
                "oprkind",
                text(if operator.left.is_some() { "b" } else { "l" }),
            ),
            ("oprcanmerge", truth(false)),
            ("oprcanhash", truth(false)),
            ("oprleft", int(operator.left.map_or(0, TypeId::get))),
            ("oprright", int(operator.right.get())),
            ("oprresult", int(operator.result.get())),
            ("oprcom", int(operator.commutator.unwrap_or(0))),
            ("oprnegate", int(operator.negator.unwrap_or(0))),
            ("oprcode", int(operator.function.oid)),
            ("oprrest", int(0)),
            ("oprjoin", int(0)),
        ]);
    }
}

/// A cast has no number in the data of the catalog; its place is as good.
fn casts(rows: &mut Rows) {
    const FIRST: usize = 10_035;
    for (place, cast) in all_casts().iter().enumerate() {
        let context = match cast.context {
            CastContext::Implicit => "i",
            CastContext::Assignment => "a",
            CastContext::Explicit => "e",
        };
        let method = match cast.method {
            CastMethod::Function => "f",
            CastMethod::Binary => "b",
            CastMethod::InOut => "i",
        };
        rows.push(&[
            ("oid", count(FIRST + place)),
            ("castsource", int(cast.source.get())),
            ("casttarget", int(cast.target.get())),
            (
                "castfunc",
                int(cast.function.map_or(0, |function| function.oid)),
            ),
            ("castcontext", text(context)),
            ("castmethod", text(method)),
        ]);
    }
}

fn aggregates(rows: &mut Rows) {
    for function in all_functions() {
        let FunctionKind::Aggregate {
            ordered_set,
            hypothetical,
            direct,
        } = function.kind
        else {
            continue;
        };
        let kind = match (ordered_set, hypothetical) {
            (_, true) => "h",
            (true, false) => "o",
            (false, false) => "n",
        };
        rows.push(&[
            ("aggfnoid", int(function.oid)),
            ("aggkind", text(kind)),
            ("aggnumdirectargs", int(direct)),
            ("aggtransfn", int(0)),
            ("aggfinalfn", int(0)),
            ("aggcombinefn", int(0)),
            ("aggserialfn", int(0)),
            ("aggdeserialfn", int(0)),
            ("aggmtransfn", int(0)),
            ("aggminvtransfn", int(0)),
            ("aggmfinalfn", int(0)),
            ("aggfinalextra", truth(false)),
            ("aggmfinalextra", truth(false)),
            ("aggfinalmodify", text("r")),
            ("aggmfinalmodify", text("r")),
            ("aggsortop", int(0)),
            ("aggtranstype", int(0)),
            ("aggtransspace", int(0)),
            ("aggmtranstype", int(0)),
            ("aggmtransspace", int(0)),
        ]);
    }
}

fn operator_classes(rows: &mut Rows) {
    for class in support::operator_classes() {
        rows.push(&[
            ("oid", int(class.oid)),
            ("opcmethod", int(class.method)),
            ("opcname", text(class.name)),
            ("opcnamespace", int(PG_CATALOG)),
            ("opcowner", int(OWNER)),
            ("opcfamily", int(class.family)),
            ("opcintype", int(class.input.get())),
            ("opcdefault", truth(class.default)),
            ("opckeytype", int(class.key)),
        ]);
    }
}

fn operator_families(rows: &mut Rows) {
    let mut seen = Vec::new();
    for class in support::operator_classes() {
        if seen.contains(&class.family) {
            continue;
        }
        seen.push(class.family);
        rows.push(&[
            ("oid", int(class.family)),
            ("opfmethod", int(class.method)),
            ("opfname", text(class.family_name)),
            ("opfnamespace", int(PG_CATALOG)),
            ("opfowner", int(OWNER)),
        ]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_and_operator_has_a_row() {
        let rows = built_in_rows("pg_proc").unwrap();
        assert!(rows.starts_with("[[") && rows.ends_with("]]"));
        let expected = all_functions().len() + support::functions().len();
        assert_eq!(rows.matches("],[").count() + 1, expected);
        assert!(built_in_rows("pg_operator").unwrap().contains("\"->>\""));
        assert!(built_in_rows("pg_class").is_none());
    }
}
