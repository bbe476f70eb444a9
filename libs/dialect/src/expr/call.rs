//! Function calls: SQLite's names for PostgreSQL's functions, and the types they give.

use crate::error::DialectError;
use crate::expr::primary::is_schema;
use crate::expr::{Expr, Form};
use crate::translator::Translator;
use crate::types::TypeName;

/// PostgreSQL's name, the name to call.
const RENAMED: &[(&str, &str)] = &[
    ("char_length", "length"),
    ("character_length", "length"),
    ("strpos", "instr"),
    ("chr", "char"),
    ("ascii", "unicode"),
    ("btrim", "trim"),
    ("left", "eq_left"),
    ("right", "eq_right"),
    ("random", "eq_random"),
    ("trunc", "eq_trunc"),
    ("mod", "eq_mod"),
    ("replace", "replace"),
    ("lastval", "last_insert_rowid"),
    ("json_agg", "json_group_array"),
    ("jsonb_agg", "json_group_array"),
    ("json_object_agg", "json_group_object"),
    ("jsonb_object_agg", "json_group_object"),
    ("json_build_object", "json_object"),
    ("jsonb_build_object", "json_object"),
    ("json_build_array", "json_array"),
    ("jsonb_build_array", "json_array"),
    ("jsonb_array_length", "json_array_length"),
    ("json_typeof", "json_type"),
    ("jsonb_typeof", "json_type"),
    ("bool_and", "min"),
    ("every", "min"),
    ("bool_or", "max"),
    ("date", "eq_to_date"),
    ("uuid_generate_v4", "gen_random_uuid"),
    ("transaction_timestamp", "now"),
    ("current_schema", "\"current_schema\""),
    ("current_user", "\"current_user\""),
    ("pg_typeof", "typeof"),
    ("ceiling", "ceil"),
    ("power", "power"),
    ("pow", "power"),
];

/// What is refused by name, because it would otherwise be an unknown function with a puzzling message.
const REFUSED: &[&str] = &[
    "array_agg",
    "unnest",
    "array_length",
    "string_to_array",
    "regexp_matches",
    "regexp_match",
    "regexp_split_to_table",
    "regexp_split_to_array",
    "percentile_cont",
    "percentile_disc",
    "mode",
    "row_to_json",
    "to_json",
    "to_jsonb",
    "json_populate_record",
    "crosstab",
    "dblink",
    "lo_import",
    "lo_export",
    "pg_read_file",
    "pg_advisory_lock",
    "to_tsvector",
    "to_tsquery",
    "nextval",
    "setval",
    "currval",
];

/// Result types that do not depend on the arguments.
const RESULTS: &[(&str, &[&str])] = &[
    (
        "int8",
        &[
            "count",
            "row_number",
            "rank",
            "dense_rank",
            "lastval",
            "pg_database_size",
            "pg_relation_size",
            "pg_total_relation_size",
            "txid_current",
            "pg_table_size",
            "pg_indexes_size",
        ],
    ),
    (
        "int4",
        &[
            "length",
            "char_length",
            "character_length",
            "octet_length",
            "bit_length",
            "strpos",
            "position",
            "ascii",
            "ntile",
            "pg_backend_pid",
            "json_array_length",
            "jsonb_array_length",
            "instr",
            "unicode",
        ],
    ),
    (
        "text",
        &[
            "lower",
            "upper",
            "initcap",
            "substr",
            "substring",
            "replace",
            "ltrim",
            "rtrim",
            "btrim",
            "trim",
            "concat",
            "concat_ws",
            "left",
            "right",
            "lpad",
            "rpad",
            "repeat",
            "reverse",
            "split_part",
            "md5",
            "to_char",
            "translate",
            "chr",
            "string_agg",
            "group_concat",
            "version",
            "current_setting",
            "set_config",
            "quote_ident",
            "quote_literal",
            "quote_nullable",
            "regexp_replace",
            "encode",
            "to_hex",
            "format",
            "obj_description",
            "col_description",
            "format_type",
            "pg_get_expr",
            "pg_get_indexdef",
            "pg_get_constraintdef",
            "pg_get_viewdef",
            "pg_get_userbyid",
            "pg_encoding_to_char",
            "shobj_description",
            "json_typeof",
            "jsonb_typeof",
            "typeof",
            "sha256",
            "pg_size_pretty",
            "array_to_string",
            "pg_get_serial_sequence",
            "pg_typeof",
            "inet_server_addr",
        ],
    ),
    (
        "name",
        &[
            "current_user",
            "current_database",
            "current_schema",
            "current_catalog",
            "session_user",
        ],
    ),
    (
        "bool",
        &[
            "pg_is_in_recovery",
            "pg_table_is_visible",
            "has_table_privilege",
            "has_schema_privilege",
            "has_database_privilege",
            "pg_cancel_backend",
            "pg_terminate_backend",
            "bool_and",
            "bool_or",
            "every",
            "starts_with",
            "pg_type_is_visible",
            "pg_function_is_visible",
            "isfinite",
            "pg_try_advisory_lock",
            "pg_advisory_unlock",
            "has_column_privilege",
        ],
    ),
    (
        "timestamptz",
        &[
            "now",
            "transaction_timestamp",
            "statement_timestamp",
            "clock_timestamp",
            "to_timestamp",
            "pg_postmaster_start_time",
        ],
    ),
    ("date", &["date", "to_date", "make_date"]),
    ("timestamp", &["make_timestamp"]),
    (
        "interval",
        &["age", "make_interval", "justify_days", "justify_hours"],
    ),
    ("uuid", &["gen_random_uuid", "uuid_generate_v4"]),
    (
        "float8",
        &[
            "random",
            "sqrt",
            "exp",
            "ln",
            "sin",
            "cos",
            "tan",
            "asin",
            "acos",
            "atan",
            "atan2",
            "pi",
            "degrees",
            "radians",
            "percent_rank",
            "cume_dist",
            "cbrt",
            "date_part",
            "log10",
            "power",
            "pow",
        ],
    ),
    ("numeric", &["to_number", "div"]),
    (
        "json",
        &[
            "json_agg",
            "jsonb_agg",
            "json_object_agg",
            "jsonb_object_agg",
            "json_build_object",
            "jsonb_build_object",
            "json_build_array",
            "jsonb_build_array",
            "json_object",
            "json_array",
        ],
    ),
    ("oid", &["to_regclass", "to_regtype"]),
    ("void", &["pg_sleep", "pg_notify"]),
];

/// Functions whose result is not the same when the statement runs again.
const VOLATILE: &[&str] = &[
    "random",
    "gen_random_uuid",
    "uuid_generate_v4",
    "clock_timestamp",
    "statement_timestamp",
    "lastval",
    "randomblob",
    "last_insert_rowid",
    "changes",
    "total_changes",
    "timeofday",
];

/// Functions that take text wherever an argument's type is open.
const TEXT_ARGUMENTS: &[&str] = &[
    "lower",
    "upper",
    "length",
    "char_length",
    "initcap",
    "md5",
    "replace",
    "concat",
    "concat_ws",
    "ltrim",
    "rtrim",
    "btrim",
    "strpos",
    "split_part",
    "reverse",
    "starts_with",
    "translate",
    "to_date",
    "to_timestamp",
    "position",
];

impl Translator<'_> {
    /// The call whose name is tokens `at..=last`.
    pub(crate) fn call(
        &mut self,
        at: usize,
        last: usize,
        end: usize,
    ) -> Result<Expr, DialectError> {
        let name = self.src.name(last).ok_or_else(|| self.src.syntax(last))?;
        if last > at {
            let schema = self.src.name(at).unwrap_or_default();
            if !is_schema(&schema) && schema != "information_schema" {
                return Err(self.src.error(
                    at,
                    "3F000",
                    format!("schema \"{schema}\" does not exist"),
                ));
            }
            self.remove(at, last);
        }
        if let Some(expr) = self.special_call(last, &name)? {
            return Ok(Expr { from: at, ..expr });
        }
        if let Some(expr) = self.session_call(at, last, &name)? {
            return Ok(expr);
        }
        if name == "generate_series" {
            return self.series_call(at, last);
        }
        if REFUSED.contains(&name.as_str()) {
            return Err(self
                .src
                .unsupported(last, &format!("function {name}() here")));
        }
        let close = self.src.partner(last + 1);
        let arguments = self.arguments(last + 2, close)?;
        let to = self.call_suffix(close + 1, end)?;
        if VOLATILE.contains(&name.as_str()) {
            self.repeatable = false;
        }
        self.infer_arguments(&name, &arguments)?;
        let ty = self.result_type(&name, &arguments)?;
        self.respell(&name, last, &arguments);
        let not_null = matches!(name.as_str(), "count" | "now" | "row_number" | "rank");
        Ok(Expr {
            not_null,
            ..Expr::new(at, to).of(ty).named(&name)
        })
    }

    /// The name to call in SQLite, where it depends on the arguments or differs.
    fn respell(&mut self, name: &str, last: usize, arguments: &[Expr]) {
        let first = arguments.first().map_or("", Expr::base);
        if name == "date_trunc" || name == "date_part" {
            let interval = arguments
                .get(1)
                .is_some_and(|value| value.base() == "interval");
            if interval {
                self.replace(
                    last,
                    last + 1,
                    if name == "date_part" {
                        "eq_interval_part"
                    } else {
                        "eq_interval_trunc"
                    },
                );
            }
            return;
        }
        if name == "round" && first == "numeric" || name == "round" && arguments.len() == 2 {
            self.replace(last, last + 1, "eq_round");
        } else if let Some((_, sqlite)) = RENAMED.iter().find(|(postgres, _)| *postgres == name) {
            if *sqlite != name {
                self.replace(last, last + 1, *sqlite);
            }
        }
    }

    /// Arguments between the parentheses: `*`, DISTINCT, ORDER BY.
    fn arguments(&mut self, at: usize, close: usize) -> Result<Vec<Expr>, DialectError> {
        let mut at = at;
        if self.src.is(at, "DISTINCT") {
            at += 1;
        } else if self.src.is_any(at, &["ALL", "VARIADIC"]) {
            self.remove(at, at + 1);
            at += 1;
        }
        let mut items = Vec::new();
        while at < close {
            if self.is_query(at) {
                return Err(self.src.syntax(at));
            }
            let item = self.expr(at, close)?;
            at = item.to;
            items.push(item);
            if self.src.are(at, &["ORDER", "BY"]) {
                at = self.order_by(at + 2, close, &[])?;
            } else if self.src.is(at, "SEPARATOR") {
                return Err(self.src.syntax(at));
            }
            if at < close {
                if !self.src.sign(at, ",") || at + 1 == close {
                    return Err(self.src.syntax(at));
                }
                at += 1;
            }
        }
        Ok(items)
    }

    /// FILTER and OVER behind a call.
    fn call_suffix(&mut self, at: usize, end: usize) -> Result<usize, DialectError> {
        let mut at = at;
        if self.src.are(at, &["WITHIN", "GROUP"]) && at < end {
            return Err(self.src.unsupported(at, "WITHIN GROUP"));
        }
        if self.src.is(at, "FILTER") && self.src.sign(at + 1, "(") && at < end {
            let close = self.src.partner(at + 1);
            if !self.src.is(at + 2, "WHERE") {
                return Err(self.src.syntax(at + 2));
            }
            self.whole(at + 3, close)?;
            at = close + 1;
        }
        if self.src.is(at, "OVER") && at < end {
            if !self.src.sign(at + 1, "(") {
                return Ok(at + 2);
            }
            let close = self.src.partner(at + 1);
            self.window(at + 2, close)?;
            at = close + 1;
        }
        Ok(at)
    }

    /// PARTITION BY … ORDER BY … frame
    pub(crate) fn window(&mut self, at: usize, close: usize) -> Result<(), DialectError> {
        let mut at = at;
        if !self.src.are(at, &["PARTITION", "BY"])
            && !self.src.are(at, &["ORDER", "BY"])
            && !self.src.is_any(at, &["ROWS", "RANGE", "GROUPS"])
            && at < close
        {
            at += 1;
        }
        if self.src.are(at, &["PARTITION", "BY"]) {
            at += 2;
            loop {
                at = self.expr(at, close)?.to;
                if !self.src.sign(at, ",") {
                    break;
                }
                at += 1;
            }
        }
        if self.src.are(at, &["ORDER", "BY"]) {
            self.order_by(at + 2, close, &[])?;
        }
        Ok(())
    }

    fn infer_arguments(&mut self, name: &str, arguments: &[Expr]) -> Result<(), DialectError> {
        if TEXT_ARGUMENTS.contains(&name) {
            for argument in arguments {
                self.default_parameter(argument, "text");
            }
        }
        match name {
            "substr" | "left" | "right" | "lpad" | "rpad" | "repeat" => {
                for (index, argument) in arguments.iter().enumerate() {
                    self.default_parameter(
                        argument,
                        if index == 1 || (name == "substr" && index > 0) {
                            "int4"
                        } else {
                            "text"
                        },
                    );
                }
            }
            "date_trunc" | "date_part" | "age" | "to_char" => {
                for argument in arguments {
                    self.default_parameter(
                        argument,
                        if name == "age" { "timestamptz" } else { "text" },
                    );
                }
            }
            "pg_sleep" => arguments
                .iter()
                .for_each(|argument| self.default_parameter(argument, "float8")),
            "nullif" => {
                if let [left, right] = arguments {
                    self.unify(left, right)?;
                }
            }
            "chr" => arguments
                .iter()
                .for_each(|argument| self.default_parameter(argument, "int4")),
            _ => {}
        }
        Ok(())
    }

    /// The type of a call's result.
    fn result_type(
        &mut self,
        name: &str,
        arguments: &[Expr],
    ) -> Result<Option<TypeName>, DialectError> {
        if let Some((ty, _)) = RESULTS.iter().find(|(_, names)| names.contains(&name)) {
            return Ok(Some(TypeName::internal(ty)));
        }
        let first = arguments
            .first()
            .and_then(|argument| self.type_of(argument));
        let base = first
            .as_ref()
            .map_or(String::new(), |ty| ty.base().to_owned());
        Ok(match name {
            "coalesce" | "greatest" | "least" | "ifnull" => self.common_type(arguments)?,
            "sum" => Some(TypeName::internal(match base.as_str() {
                "int2" | "int4" => "int8",
                "int8" | "numeric" => "numeric",
                "float4" => "float4",
                "float8" => "float8",
                "interval" => "interval",
                _ => return Ok(None),
            })),
            "avg" => Some(TypeName::internal(match base.as_str() {
                "float4" | "float8" => "float8",
                "int2" | "int4" | "int8" | "numeric" => "numeric",
                _ => return Ok(None),
            })),
            "min" | "max" | "abs" | "nullif" | "first_value" | "last_value" | "nth_value"
            | "lag" | "lead" => first,
            "round" | "ceil" | "ceiling" | "floor" | "trunc" | "sign" => {
                Some(TypeName::internal(match base.as_str() {
                    "float4" | "float8" => "float8",
                    _ if base.is_empty() => return Ok(None),
                    _ => "numeric",
                }))
            }
            "mod" => first,
            "log" => Some(TypeName::internal("float8")),
            "date_trunc" => {
                let value = arguments.get(1).and_then(|argument| self.type_of(argument));
                Some(match value {
                    Some(ty) if matches!(ty.base(), "timestamp" | "interval" | "timestamptz") => ty,
                    _ => TypeName::internal("timestamptz"),
                })
            }
            "decode" => Some(TypeName::internal("bytea")),
            _ => None,
        })
    }

    /// `generate_series(…)` in a select list: the call becomes a table of the FROM clause.
    fn series_call(&mut self, at: usize, last: usize) -> Result<Expr, DialectError> {
        let close = self.src.partner(last + 1);
        if self.series.is_some() {
            return Err(self
                .src
                .unsupported(last, "a second set-returning function in one select list"));
        }
        let (table, ty) = self.series_table(last, "generate_series", "generate_series")?;
        self.series = Some(table);
        self.replace(at, close + 1, "\"generate_series\".\"generate_series\"");
        Ok(Expr::new(at, close + 1)
            .of(ty)
            .named("generate_series")
            .form(Form::Other))
    }

    /// A recursive query in place of generate_series(start, stop [, step]) at token `name`.
    pub(crate) fn series_table(
        &mut self,
        name: usize,
        alias: &str,
        column: &str,
    ) -> Result<(String, Option<TypeName>), DialectError> {
        let close = self.src.partner(name + 1);
        let mark = self.edits.mark();
        let arguments = self.list(name + 2, close)?;
        let ty = self.common_type(arguments.get(..2).unwrap_or(&arguments))?;
        let text: Vec<String> = arguments
            .iter()
            .map(|arg| self.rendered(mark, arg.from, arg.to))
            .collect();
        let (start, stop, step) = match text.as_slice() {
            [start, stop] => (start, stop, "1".to_owned()),
            [start, stop, step] => (start, stop, step.clone()),
            _ => {
                return Err(self.src.error(
                    name,
                    "42883",
                    "function generate_series takes 2 or 3 arguments",
                ));
            }
        };
        for argument in &arguments {
            self.default_parameter(argument, "int4");
        }
        let (alias, column) = (
            crate::literal::quote_name(alias),
            crate::literal::quote_name(column),
        );
        let dates = ty.as_ref().filter(|ty| ty.is_date_or_timestamp());
        let table = if let Some(ty) = dates {
            let base = if ty.base() == "date" {
                "timestamp"
            } else {
                ty.base()
            };
            format!(
                "(WITH RECURSIVE {alias}({column}) AS (SELECT eq_to_{base}({start}) WHERE eq_to_{base}({start}) <= eq_to_{base}({stop}) \
                 UNION ALL SELECT eq_timestamp_add({column},{step}) FROM {alias} \
                 WHERE eq_timestamp_add({column},{step}) <= eq_to_{base}({stop})) SELECT * FROM {alias})"
            )
        } else {
            format!(
                "(WITH RECURSIVE {alias}({column}) AS (SELECT {start} WHERE CASE WHEN ({step}) > 0 THEN ({start}) <= ({stop}) ELSE ({start}) >= ({stop}) END \
                 UNION ALL SELECT {column} + ({step}) FROM {alias} WHERE CASE WHEN ({step}) > 0 \
                 THEN {column} + ({step}) <= ({stop}) ELSE {column} + ({step}) >= ({stop}) END) SELECT * FROM {alias})"
            )
        };
        let ty = ty.map(|ty| {
            if ty.base() == "date" {
                TypeName::internal("timestamp")
            } else {
                ty
            }
        });
        Ok((format!("{table} AS {alias}"), ty))
    }
}
