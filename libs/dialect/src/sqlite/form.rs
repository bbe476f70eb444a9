//! How a function of PostgreSQL is written in SQLite.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::catalog::{Function, TypeId};
use crate::pg_catalog;
use crate::sqlite::session_functions::SESSION_FUNCTIONS;

/// The way to write a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// An operator of SQLite's that does the same between stored values.
    Infix(&'static str),
    /// The same, under the collation of the operands' type.
    Compare(&'static str),
    /// The argument as it is: both types have the same stored form.
    Same,
    /// A cast of SQLite's.
    Cast(&'static str),
    /// `pg_` and the function's name in the source, registered by the server.
    Registered,
    /// [NOT] LIKE.
    Like(&'static str),
    /// `<> 0`
    NotZero,
    /// A text beside a value of any type: both as text.
    ConcatAny,
}

/// The collation under which a type's stored form has the type's order.
pub(crate) fn collation(id: TypeId) -> Option<&'static str> {
    match id {
        TypeId::NUMERIC => Some("pg_numeric"),
        TypeId::INTERVAL => Some("pg_interval"),
        TypeId::TIMETZ => Some("pg_timetz"),
        TypeId::JSONB => Some("pg_jsonb"),
        TypeId::INET | TypeId::CIDR => Some("pg_inet"),
        TypeId::CHAR => Some("pg_char"),
        _ => pgtypes::array_collation(pgtypes::Oid::new(id.get())),
    }
}

/// Comparison functions by the beginnings of their names: those of types whose stored forms SQLite compares right.
const COMPARED: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "int2", "int4", "int8", "int24", "int28", "int42", "int48", "int82", "int84", "float4",
            "float8", "float48", "float84", "text", "name", "nametext", "textname", "bpchar",
            "bool", "oid", "bytea",
        ],
    ),
    (
        "_",
        &["date", "timestamp", "timestamptz", "time", "uuid", "enum"],
    ),
    (
        "_",
        &["array", "numeric", "interval", "timetz", "jsonb", "network"],
    ),
    ("", &["char"]),
];

const SIGNS: &[(&str, &str)] = &[
    ("eq", "="),
    ("ne", "<>"),
    ("lt", "<"),
    ("le", "<="),
    ("gt", ">"),
    ("ge", ">="),
];

/// Comparisons that PostgreSQL names otherwise.
const IRREGULAR: &[(&str, &str)] = &[
    ("nameeqtext", "="),
    ("namenetext", "<>"),
    ("namelttext", "<"),
    ("nameletext", "<="),
    ("namegttext", ">"),
    ("namegetext", ">="),
    ("texteqname", "="),
    ("textnename", "<>"),
    ("textltname", "<"),
    ("textlename", "<="),
    ("textgtname", ">"),
    ("textgename", ">="),
    ("text_lt", "<"),
    ("text_le", "<="),
    ("text_gt", ">"),
    ("text_ge", ">="),
];

/// Functions with a form of their own.
const FORMS: &[(&str, Form)] = &[
    ("textcat", Form::Infix("||")),
    ("anytextcat_anynonarray_text", Form::ConcatAny),
    ("textanycat_text_anynonarray", Form::ConcatAny),
    ("textlike", Form::Like("LIKE")),
    ("textnlike", Form::Like("NOT LIKE")),
    ("namelike", Form::Like("LIKE")),
    ("namenlike", Form::Like("NOT LIKE")),
    // Widening casts, and those between types of one stored form.
    ("int48", Form::Same),
    ("int28", Form::Same),
    ("i2toi4", Form::Same),
    ("ftod", Form::Same),
    ("bool_int4", Form::Same),
    ("name_text", Form::Same),
    ("char_text", Form::Same),
    ("oidtoi8", Form::Same),
    ("i2tod", Form::Cast("REAL")),
    ("i4tod", Form::Cast("REAL")),
    ("i8tod", Form::Cast("REAL")),
    ("int2_numeric", Form::Cast("TEXT")),
    ("int4_numeric", Form::Cast("TEXT")),
    ("int8_numeric", Form::Cast("TEXT")),
    ("int4_bool", Form::NotZero),
];

/// How the function is written.
pub(crate) fn form(function: &Function) -> Form {
    let source = function.source;
    // One function in PostgreSQL; a stored char(n) has no blanks at its end already.
    if source == "rtrim1" && function.name != "rtrim" {
        return Form::Same;
    }
    if let Some((_, form)) = FORMS.iter().find(|(name, _)| *name == source) {
        // It trims a text, too, which has more to trim than a stored `char(n)`.
        let trims = source == "rtrim1" && function.arguments.first() != Some(&TypeId::BPCHAR);
        return if trims { Form::Registered } else { *form };
    }
    if let Some((_, sign)) = IRREGULAR.iter().find(|(name, _)| *name == source) {
        return Form::Infix(sign);
    }
    comparison(source).unwrap_or(Form::Registered)
}

fn comparison(source: &str) -> Option<Form> {
    let (ending, sign) = SIGNS.iter().find(|(ending, _)| source.ends_with(ending))?;
    let stem = source.strip_suffix(ending)?;
    for (index, (joint, types)) in COMPARED.iter().enumerate() {
        if let Some(stem) = stem.strip_suffix(joint)
            && types.contains(&stem)
        {
            // What is equal among single bytes needs no collation.
            let by_order = index == 3 && !matches!(*sign, "=" | "<>");
            return Some(if index == 2 || by_order {
                Form::Compare(sign)
            } else {
                Form::Infix(sign)
            });
        }
    }
    None
}

/// Percentiles and modes by the type of what is sorted.
const ORDERED_SETS: &[(&str, &str)] = &[
    ("percentile_cont_float8_float8", "pg_percentile_cont_float8"),
    (
        "percentile_cont_float8_interval",
        "pg_percentile_cont_interval",
    ),
];

/// Functions of the catalog whose variants differ only in how they name what they are about.
fn of_any_object(function: &Function) -> Option<String> {
    let name = function.name;
    let privilege = name.starts_with("has_") && name.ends_with("_privilege");
    let variants = privilege
        || matches!(
            name,
            "pg_has_role" | "obj_description" | "col_description" | "shobj_description"
        );
    variants.then(|| format!("pg_{name}"))
}

/// The name under which the server has a function. What PostgreSQL defines in SQL, and aggregates, have the types of
/// their arguments in their names, which may be left out here.
pub(crate) fn registered_name(function: &Function) -> Option<String> {
    let source = function.source;
    if let Some((_, name)) = ORDERED_SETS.iter().find(|(known, _)| *known == source) {
        return Some((*name).to_owned());
    }
    if let Some(name) = of_any_object(function).filter(|name| is_registered(name)) {
        return Some(name);
    }
    let mut name = format!("pg_{source}");
    let least = function.name.len() + "pg_".len();
    let is_derived = source
        .strip_prefix(function.name)
        .is_some_and(|types| types.starts_with('_'));
    while !is_registered(&name) {
        let shorter = name.rfind('_').filter(|at| is_derived && *at >= least)?;
        name.truncate(shorter);
    }
    Some(name)
}

/// Whether the server has a function of this name.
pub(crate) fn is_registered(name: &str) -> bool {
    static NAMES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
        let scalars = functions::scalars().iter().map(|function| function.name);
        let aggregates = functions::aggregates().iter().map(|function| function.name);
        let session = SESSION_FUNCTIONS.iter().map(|(name, ..)| *name);
        let catalog = pg_catalog::functions().iter().map(|function| function.name);
        scalars
            .chain(aggregates)
            .chain(session)
            .chain(catalog)
            .collect()
    });
    NAMES.contains(name)
}
