//! What can be called: every function, operator and cast of the catalog that is not refused.

use std::collections::BTreeMap;

use dialect::catalog::{self, Function, FunctionKind, TypeId, Volatility};
use dialect::{NoSchema, analyze};

use crate::forms::{FIELDS, FORMS};
use crate::values::{ARRAYS, TYPES};

/// A call with its types.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    /// The function's name, or the operator's sign.
    pub(crate) name: &'static str,
    /// The call with `{}` for each argument.
    pub(crate) template: String,
    /// The types of the arguments.
    pub(crate) arguments: Vec<TypeId>,
    /// The type of the result.
    pub(crate) result: TypeId,
    /// What sort of function it is.
    pub(crate) kind: FunctionKind,
}

/// All that can be called.
#[derive(Debug, Default)]
pub(crate) struct Signatures {
    /// Functions of values, operators and casts.
    pub(crate) calls: Vec<Signature>,
    /// Those of `calls` by the type of their result.
    by_result: BTreeMap<TypeId, Vec<usize>>,
    /// Aggregates.
    pub(crate) aggregates: Vec<Signature>,
    /// Functions that take a window.
    pub(crate) windows: Vec<Signature>,
    /// Functions that give rows.
    pub(crate) sets: Vec<Signature>,
    /// What PostgreSQL can call with these types, and is refused here.
    pub(crate) refused: Vec<String>,
}

/// What polymorphic parameters stand for: an element, and an array of it.
const MEANINGS: &[(TypeId, TypeId)] = &[
    (TypeId::INT4, TypeId::INT4_ARRAY),
    (TypeId::TEXT, TypeId::TEXT_ARRAY),
    (TypeId::NUMERIC, TypeId::NUMERIC_ARRAY),
    (TypeId::BOOL, TypeId::BOOL_ARRAY),
    (TypeId::DATE, TypeId::DATE_ARRAY),
    (TypeId::TIMESTAMP, TypeId::TIMESTAMP_ARRAY),
    (TypeId::JSONB, TypeId::JSONB_ARRAY),
    (TypeId::FLOAT8, TypeId::FLOAT8_ARRAY),
    (TypeId::INET, TypeId::INET_ARRAY),
    (TypeId::INTERVAL, TypeId::INTERVAL_ARRAY),
];

/// Functions whose results are the server's, the session's or the moment's own.
const OWN: &[&str] = &[
    "now",
    "version",
    "row_security_active",
    "getdatabaseencoding",
    "format_type",
    "to_regtype",
    "to_regclass",
    "obj_description",
    "col_description",
    "shobj_description",
    "set_config",
    "current_setting",
    "transaction_timestamp",
    "statement_timestamp",
    "current_user",
    "session_user",
    "current_database",
    "current_schema",
    "current_schemas",
    "get_current_ts_config",
    "inet_client_addr",
    "inet_client_port",
    "inet_server_addr",
    "inet_server_port",
    "query_to_xml",
    "txid_current",
    "currtid2",
    "array_recv",
    "enum_recv",
    "getpgusername",
    "satisfies_hash_partition",
];

/// Types with modifiers, as a cast names them.
const MODIFIED: &[&str] = &[
    "numeric(5,2)",
    "varchar(3)",
    "char(4)",
    "timestamp(0)",
    "time(2)",
    "timestamptz(3)",
    "interval(1)",
    "interval day to minute",
];

impl Signatures {
    /// Asks the front end about each.
    pub(crate) fn load() -> Self {
        let mut all = Self::default();
        for function in catalog::all_functions() {
            all.function(function);
        }
        all.operators();
        all.casts();
        all.forms();
        for (at, signature) in all.calls.iter().enumerate() {
            // Only where it is shown at once does such a value have its blanks.
            if signature.result == TypeId::BPCHAR {
                continue;
            }
            all.by_result.entry(signature.result).or_default().push(at);
        }
        all
    }

    fn operators(&mut self) {
        for operator in catalog::operators() {
            if operator.sign == "||/" {
                continue;
            }
            let template = match operator.left {
                Some(_) => format!("({{}} {} {{}})", operator.sign),
                None => format!("({} {{}})", operator.sign),
            };
            let declared: Vec<_> = operator.left.into_iter().chain([operator.right]).collect();
            for arguments in instances(&declared) {
                self.add(
                    operator.sign,
                    template.clone(),
                    arguments,
                    FunctionKind::Scalar,
                );
            }
        }
    }

    fn casts(&mut self) {
        for (source, ..) in TYPES.iter().chain(ARRAYS) {
            for (target, name, _) in TYPES.iter().chain(ARRAYS) {
                // A value of no said width keeps its blanks there.
                let of_characters = |ty| ty == TypeId::BPCHAR || ty == TypeId::CHAR;
                if !of_characters(*target)
                    || !of_characters(*source)
                    || target == source && *target != TypeId::BPCHAR
                {
                    self.add(
                        "cast",
                        format!("{{}}::{name}"),
                        vec![*source],
                        FunctionKind::Scalar,
                    );
                }
            }
            if *source == TypeId::CHAR {
                continue;
            }
            for modified in MODIFIED {
                self.add(
                    "cast",
                    format!("CAST({{}} AS {modified})"),
                    vec![*source],
                    FunctionKind::Scalar,
                );
            }
        }
    }

    fn forms(&mut self) {
        for (name, template, arguments) in FORMS {
            self.add(
                name,
                (*template).to_owned(),
                arguments.to_vec(),
                FunctionKind::Scalar,
            );
        }
        for field in FIELDS {
            for ty in [
                TypeId::DATE,
                TypeId::TIME,
                TypeId::TIMETZ,
                TypeId::TIMESTAMP,
                TypeId::TIMESTAMPTZ,
                TypeId::INTERVAL,
            ] {
                self.add(
                    "field",
                    format!("extract({field} FROM {{}})"),
                    vec![ty],
                    FunctionKind::Scalar,
                );
            }
        }
    }

    /// The calls that give a type.
    pub(crate) fn giving(&self, ty: TypeId) -> &[usize] {
        self.by_result.get(&ty).map_or(&[], Vec::as_slice)
    }

    fn function(&mut self, function: &'static Function) {
        let name = function.name;
        let is_own = OWN.contains(&name)
            || ["pg_", "has_", "txid_", "inet_", "to_reg", "unknown"]
                .iter()
                .any(|start| name.starts_with(start))
            || name == "age" && function.arguments.len() == 1;
        // How a cast function sees a modifier is no client's matter.
        let with_modifier = [
            "bpchar",
            "varchar",
            "numeric",
            "interval",
            "time",
            "timetz",
            "timestamp",
            "timestamptz",
        ]
        .contains(&name)
            && function.arguments.get(1) == Some(&TypeId::INT4);
        // PostgreSQL has the C library's cube root, which some versions round otherwise.
        let inexact = ["cbrt", "dcbrt", "||/"].contains(&name);
        // These show by how much bytes differ.
        let inexact = inexact
            || name.ends_with("cmp")
                && [
                    "name", "text", "bpchar", "bytea", "network", "uuid", "jsonb",
                ]
                .iter()
                .any(|ty| name.contains(ty));
        let is_own = is_own || with_modifier || inexact || function.oid >= 16_384;
        if is_own && !["inet_merge", "inet_same_family"].contains(&name)
            || function.volatility == Volatility::Volatile && function.kind == FunctionKind::Scalar
        {
            return;
        }
        let mut shapes = Vec::new();
        let declared = function.arguments.to_vec();
        for left_out in 0..=usize::from(function.defaults) {
            shapes.push(declared[..declared.len() - left_out].to_vec());
        }
        if let Some(element) = function.variadic {
            shapes.clear();
            let fixed = &declared[..declared.len() - 1];
            for count in 1..=3 {
                shapes.push(
                    fixed
                        .iter()
                        .copied()
                        .chain(std::iter::repeat_n(element, count))
                        .collect(),
                );
            }
        }
        for shape in shapes {
            for arguments in instances(&shape) {
                let template = call(function, arguments.len());
                self.add(name, template, arguments, function.kind);
            }
        }
    }

    fn add(
        &mut self,
        name: &'static str,
        template: String,
        arguments: Vec<TypeId>,
        kind: FunctionKind,
    ) {
        let mut sql = String::from("SELECT ");
        let mut places = template.split("{}");
        sql.push_str(places.next().unwrap_or_default());
        for (argument, text) in arguments.iter().zip(places) {
            sql.push_str(&["(NULL::", &argument.name(), ")", text].concat());
        }
        if matches!(kind, FunctionKind::Window) {
            sql.push_str(" OVER ()");
        }
        let is_set = catalog::functions_named(name)
            .iter()
            .any(|function| function.returns_set);
        if is_set && kind == FunctionKind::Scalar {
            sql = sql.replacen("SELECT ", "SELECT * FROM ", 1);
        }
        let statement = match analyze(&sql, &NoSchema) {
            Ok(statement) => statement,
            Err(error) => {
                if error.sqlstate.as_str() == "0A000" {
                    self.refused.push(error.message);
                }
                return;
            }
        };
        let Some(result) = statement.columns.first().copied().flatten() else {
            return;
        };
        let signature = Signature {
            name,
            template,
            arguments,
            result: TypeId::new(result.oid().get()),
            kind,
        };
        match kind {
            FunctionKind::Scalar if is_set => self.sets.push(signature),
            FunctionKind::Scalar => self.calls.push(signature),
            FunctionKind::Aggregate { .. } => self.aggregates.push(signature),
            FunctionKind::Window => self.windows.push(signature),
            FunctionKind::Procedure => {}
        }
    }
}

/// The call of a function with so many arguments.
fn call(function: &Function, count: usize) -> String {
    let places = |count: usize| vec!["{}"; count].join(", ");
    match function.kind {
        FunctionKind::Aggregate {
            ordered_set: true,
            direct,
            ..
        } => {
            let direct = usize::from(direct).min(count);
            format!(
                "\"{}\"({}) WITHIN GROUP (ORDER BY {})",
                function.name,
                places(direct),
                places(count - direct)
            )
        }
        FunctionKind::Aggregate { .. } if count == 0 => format!("\"{}\"(*)", function.name),
        _ => format!("\"{}\"({})", function.name, places(count)),
    }
}

/// The types with which parameters can be called: several where they are polymorphic, none where a type has no values here.
fn instances(declared: &[TypeId]) -> Vec<Vec<TypeId>> {
    let known = |ty: &TypeId| TYPES.iter().chain(ARRAYS).any(|(id, ..)| id == ty);
    if !declared
        .iter()
        .any(|ty| ty.is_pseudo() || ty.is_polymorphic())
    {
        return if declared.iter().all(known) {
            vec![declared.to_vec()]
        } else {
            Vec::new()
        };
    }
    let mut all = Vec::new();
    for (element, array) in MEANINGS {
        let meant: Option<Vec<TypeId>> = declared
            .iter()
            .map(|ty| match ty.info().map_or("", |info| info.catalog_name) {
                "any"
                | "anyelement"
                | "anynonarray"
                | "anycompatible"
                | "anycompatiblenonarray" => Some(*element),
                "anyarray" | "anycompatiblearray" => Some(*array),
                _ => known(ty).then_some(*ty),
            })
            .collect();
        all.extend(meant);
    }
    all
}
