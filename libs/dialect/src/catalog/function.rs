//! The functions of the catalog.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use super::TypeId;
use super::row::{Row, optional, read};

const DATA: &str = include_str!("data/functions.tsv");

/// What sort of function it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FunctionKind {
    /// A value for each row.
    Scalar,
    /// A value for a group of rows.
    Aggregate {
        /// Called with `WITHIN GROUP`.
        ordered_set: bool,
        /// Of a row that is not in the group.
        hypothetical: bool,
        /// How many arguments stand before `WITHIN GROUP`.
        direct: u8,
    },
    /// Called with `OVER` only.
    Window,
    /// Called by `CALL` only.
    Procedure,
}

/// What a function's result depends on beside its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Volatility {
    /// Nothing.
    Immutable,
    /// What does not change within a statement.
    Stable,
    /// It may differ with every call.
    Volatile,
}

/// A function and the types of its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The number.
    pub oid: u32,
    /// The name in SQL.
    pub name: &'static str,
    /// The types of the arguments; the last of a variadic function is the array, or `"any"`.
    pub arguments: Box<[TypeId]>,
    /// The names of the arguments, which may be empty; none when no argument has one.
    pub argument_names: Box<[&'static str]>,
    /// How many of the last arguments may be left out.
    pub defaults: u8,
    /// What stands for those, in SQL.
    pub default_values: Box<[&'static str]>,
    /// The type of each argument that the last parameter collects.
    pub variadic: Option<TypeId>,
    /// The type of the result; `record` when there are several columns.
    pub result: TypeId,
    /// There are several rows.
    pub returns_set: bool,
    /// What sort of function it is.
    pub kind: FunctionKind,
    /// NULL for any argument makes NULL of the result.
    pub strict: bool,
    /// What the result depends on beside the arguments.
    pub volatility: Volatility,
    /// The name of the implementation, which functions of several names share.
    pub source: &'static str,
    /// The columns of the result, where they have names.
    pub out: Box<[(TypeId, &'static str)]>,
}

struct Functions {
    /// Those of a name stand together.
    entries: Vec<Function>,
    by_name: HashMap<&'static str, Range<usize>>,
    by_oid: HashMap<u32, usize>,
}

fn entry(row: &mut Row) -> Option<Function> {
    let oid = row.number()?;
    let name = row.text()?;
    let arguments = row.type_list()?;
    let argument_names = row.list(',')?;
    let default_values = row.list(';')?;
    Some(Function {
        oid,
        name,
        arguments,
        argument_names,
        defaults: u8::try_from(default_values.len()).ok()?,
        default_values,
        variadic: optional(row.type_id()?),
        result: row.type_id()?,
        returns_set: row.boolean()?,
        kind: kind(row.text()?)?,
        strict: row.boolean()?,
        volatility: match row.text()? {
            "i" => Volatility::Immutable,
            "s" => Volatility::Stable,
            "v" => Volatility::Volatile,
            _ => return None,
        },
        source: row.text()?,
        out: row
            .list(',')?
            .iter()
            .map(|c| column(c))
            .collect::<Option<_>>()?,
    })
}

fn kind(code: &str) -> Option<FunctionKind> {
    let aggregate = |ordered_set, hypothetical, direct| FunctionKind::Aggregate {
        ordered_set,
        hypothetical,
        direct,
    };
    let direct = |code: &str| code.get(1..)?.parse().ok();
    Some(match code.as_bytes() {
        b"f" => FunctionKind::Scalar,
        b"w" => FunctionKind::Window,
        b"p" => FunctionKind::Procedure,
        b"a" => aggregate(false, false, 0),
        [b'o', ..] => aggregate(true, false, direct(code)?),
        [b'h', ..] => aggregate(true, true, direct(code)?),
        _ => return None,
    })
}

fn column(text: &'static str) -> Option<(TypeId, &'static str)> {
    let (number, name) = text.split_once(' ')?;
    Some((TypeId::new(number.parse().ok()?), name))
}

fn functions() -> &'static Functions {
    static FUNCTIONS: OnceLock<Functions> = OnceLock::new();
    FUNCTIONS.get_or_init(|| {
        let mut entries = read(DATA, entry);
        entries.sort_by_key(|function| function.name);
        let mut by_name: HashMap<_, Range<usize>> = HashMap::new();
        let mut by_oid = HashMap::with_capacity(entries.len());
        for (at, function) in entries.iter().enumerate() {
            by_name.entry(function.name).or_insert(at..at).end = at + 1;
            by_oid.insert(function.oid, at);
        }
        Functions {
            entries,
            by_name,
            by_oid,
        }
    })
}

/// All functions of a name.
pub fn functions_named(name: &str) -> &'static [Function] {
    let functions = functions();
    functions
        .by_name
        .get(name)
        .and_then(|range| functions.entries.get(range.clone()))
        .unwrap_or_default()
}

/// All functions, by name.
pub fn all_functions() -> &'static [Function] {
    &functions().entries
}

/// The function of a number.
pub fn function_by_oid(oid: u32) -> Option<&'static Function> {
    let functions = functions();
    functions.entries.get(*functions.by_oid.get(&oid)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        assert_eq!(functions().entries.len(), DATA.lines().count());
        assert_eq!(functions().by_oid.len(), DATA.lines().count());
    }

    #[test]
    fn functions_of_a_name_are_found_together() {
        assert_eq!(functions_named("abs").len(), 6);
        assert!(functions_named("no_such_function").is_empty());
    }

    #[test]
    fn every_type_of_a_function_is_known() {
        for function in &functions().entries {
            let out = function.out.iter().map(|(ty, _)| ty);
            let used = function.arguments.iter().chain(&function.variadic);
            for ty in used.chain(out).chain([&function.result]) {
                assert!(ty.info().is_some(), "{} {ty:?}", function.name);
            }
            let names = function.argument_names.len();
            assert!(names == 0 || names == function.arguments.len());
        }
    }

    #[test]
    fn a_function_is_read_with_all_that_is_said_of_it() {
        let [function] = functions_named("jsonb_set") else {
            panic!("one function");
        };
        assert_eq!(function.defaults, 1);
        assert_eq!(*function.default_values, ["true"]);
        assert_eq!(function.argument_names[3], "create_if_missing");
        assert!(function.strict);
        assert_eq!(function.volatility, Volatility::Immutable);
        let [function] = functions_named("json_each") else {
            panic!("one function");
        };
        assert!(function.returns_set);
        assert_eq!(function.result, TypeId::RECORD);
        let columns = [(TypeId::TEXT, "key"), (TypeId::JSON, "value")];
        assert_eq!(*function.out, columns);
    }

    #[test]
    fn sources_of_aggregates_and_functions_in_sql_are_their_own() {
        assert!(
            functions_named("lpad")
                .iter()
                .any(|f| f.source == "lpad_text_int4")
        );
        assert!(
            functions_named("sum")
                .iter()
                .any(|f| f.source == "sum_int4")
        );
    }

    #[test]
    fn aggregates_say_their_sort() {
        let kinds: Vec<_> = functions_named("rank").iter().map(|f| f.kind).collect();
        let hypothetical = FunctionKind::Aggregate {
            ordered_set: true,
            hypothetical: true,
            direct: 1,
        };
        assert_eq!(kinds, [FunctionKind::Window, hypothetical]);
    }
}
