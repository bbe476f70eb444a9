//! Types of arguments and results of function calls.

use crate::error::DialectError;
use crate::expr::primary::wider;
use crate::expr::{Expr, Form};
use crate::translator::Translator;
use crate::types::TypeName;

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
            "pg_collation_is_visible",
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
        &[
            "age",
            "make_interval",
            "justify_days",
            "justify_interval",
            "justify_hours",
        ],
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
    /// Types of arguments that are open.
    pub(crate) fn infer_arguments(
        &mut self,
        name: &str,
        arguments: &[Expr],
    ) -> Result<(), DialectError> {
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

    /// The digits that round and trunc leave, where they are written out.
    fn rounding(&self, arguments: &[Expr]) -> Option<u32> {
        match arguments {
            [_, digits] if digits.form == Form::Number => {
                let text = self.src.slice(digits.from, digits.to);
                text.parse::<i32>()
                    .ok()
                    .map(|digits| u32::try_from(digits).unwrap_or(0))
            }
            [_] => Some(0),
            _ => None,
        }
    }

    /// The type of a call's result.
    pub(crate) fn result_type(
        &mut self,
        name: &str,
        arguments: &[Expr],
    ) -> Result<Option<TypeName>, DialectError> {
        let bytes = matches!(name, "substr" | "substring")
            && arguments.first().is_some_and(|a| a.base() == "bytea");
        if bytes {
            return Ok(Some(TypeName::internal("bytea")));
        }
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
            "sum" if matches!(base.as_str(), "int8" | "numeric") => {
                Some(TypeName::numeric(first.as_ref().and_then(TypeName::scale)))
            }
            "sum" => Some(TypeName::internal(match base.as_str() {
                "int2" | "int4" => "int8",
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
            "mod" => {
                let types: Vec<TypeName> = arguments
                    .iter()
                    .filter_map(|argument| self.type_of(argument))
                    .collect();
                match types.as_slice() {
                    [a, b] if a.is_number() && b.is_number() => Some(wider(a, b)),
                    _ => first,
                }
            }
            "min" | "max" | "abs" | "nullif" | "first_value" | "last_value" | "nth_value"
            | "lag" | "lead" | "gcd" | "lcm" => first,
            "round" | "ceil" | "ceiling" | "floor" | "trunc" | "sign" => match base.as_str() {
                "" => return Ok(None),
                "float4" | "float8" => Some(TypeName::internal("float8")),
                _ => Some(TypeName::numeric(self.rounding(arguments))),
            },
            "log" => Some(TypeName::internal("float8")),
            "stddev" | "stddev_samp" | "stddev_pop" | "variance" | "var_samp" | "var_pop" => Some(
                TypeName::internal(if matches!(base.as_str(), "float4" | "float8") {
                    "float8"
                } else {
                    "numeric"
                }),
            ),
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
}
