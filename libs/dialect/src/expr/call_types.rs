//! Types of arguments and results of function calls.

use pgtypes::PgType;

use crate::error::DialectError;
use crate::expr::primary::wider;
use crate::expr::{Expr, Form};
use crate::translator::Translator;

/// Result types that do not depend on the arguments.
const RESULTS: &[(PgType, &[&str])] = &[
    (
        PgType::Int8,
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
        PgType::Int4,
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
        PgType::Text,
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
        PgType::Name,
        &[
            "current_user",
            "current_database",
            "current_schema",
            "current_catalog",
            "session_user",
        ],
    ),
    (
        PgType::Bool,
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
        PgType::Timestamptz(None),
        &[
            "now",
            "transaction_timestamp",
            "statement_timestamp",
            "clock_timestamp",
            "to_timestamp",
            "pg_postmaster_start_time",
        ],
    ),
    (PgType::Date, &["date", "to_date", "make_date"]),
    (PgType::Timestamp(None), &["make_timestamp"]),
    (
        PgType::Interval,
        &[
            "age",
            "make_interval",
            "justify_days",
            "justify_interval",
            "justify_hours",
        ],
    ),
    (PgType::Uuid, &["gen_random_uuid", "uuid_generate_v4"]),
    (PgType::Bytea, &["gen_random_bytes"]),
    (
        PgType::Float8,
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
    (PgType::NUMERIC, &["to_number", "div"]),
    (
        PgType::Json,
        &[
            "json_agg",
            "jsonb_agg",
            "json_object_agg",
            "jsonb_object_agg",
            "to_json",
            "to_jsonb",
            "json_build_object",
            "jsonb_build_object",
            "json_build_array",
            "jsonb_build_array",
            "json_object",
            "json_array",
        ],
    ),
    (PgType::Oid, &["to_regclass", "to_regtype"]),
    (PgType::Void, &["pg_sleep", "pg_notify"]),
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
                self.default_parameter(argument, PgType::Text);
            }
        }
        match name {
            "substr" | "left" | "right" | "lpad" | "rpad" | "repeat" => {
                for (index, argument) in arguments.iter().enumerate() {
                    self.default_parameter(
                        argument,
                        if index == 1 || (name == "substr" && index > 0) {
                            PgType::Int4
                        } else {
                            PgType::Text
                        },
                    );
                }
            }
            "date_trunc" | "date_part" | "age" | "to_char" => {
                for argument in arguments {
                    self.default_parameter(
                        argument,
                        if name == "age" {
                            PgType::Timestamptz(None)
                        } else {
                            PgType::Text
                        },
                    );
                }
            }
            "pg_sleep" => arguments
                .iter()
                .for_each(|argument| self.default_parameter(argument, PgType::Float8)),
            "nullif" => {
                if let [left, right] = arguments {
                    self.unify(left, right)?;
                }
            }
            "chr" => arguments
                .iter()
                .for_each(|argument| self.default_parameter(argument, PgType::Int4)),
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
    ) -> Result<Option<PgType>, DialectError> {
        let bytes = matches!(name, "substr" | "substring")
            && arguments.first().is_some_and(|a| a.is(PgType::Bytea));
        if bytes {
            return Ok(Some(PgType::Bytea));
        }
        if let Some((ty, _)) = RESULTS.iter().find(|(_, names)| names.contains(&name)) {
            return Ok(Some(*ty));
        }
        let first = arguments
            .first()
            .and_then(|argument| self.type_of(argument));
        Ok(match name {
            "coalesce" | "greatest" | "least" | "ifnull" => self.common_type(arguments)?,
            "sum" => match first {
                Some(PgType::Int8 | PgType::Numeric { .. }) => {
                    Some(PgType::numeric(first.as_ref().and_then(PgType::scale)))
                }
                Some(PgType::Int2 | PgType::Int4) => Some(PgType::Int8),
                Some(PgType::Float4 | PgType::Float8 | PgType::Interval) => first,
                _ => None,
            },
            "avg" => match first {
                Some(PgType::Float4 | PgType::Float8) => Some(PgType::Float8),
                Some(ty) if ty.is_number() => Some(PgType::NUMERIC),
                _ => None,
            },
            "mod" => {
                let types: Vec<PgType> = arguments
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
            "round" | "ceil" | "ceiling" | "floor" | "trunc" | "sign" => match first {
                None => None,
                Some(PgType::Float4 | PgType::Float8) => Some(PgType::Float8),
                _ => Some(PgType::numeric(self.rounding(arguments))),
            },
            "log" => Some(PgType::Float8),
            "stddev" | "stddev_samp" | "stddev_pop" | "variance" | "var_samp" | "var_pop" => {
                Some(match first {
                    Some(PgType::Float4 | PgType::Float8) => PgType::Float8,
                    _ => PgType::NUMERIC,
                })
            }
            "date_trunc" => {
                let value = arguments.get(1).and_then(|argument| self.type_of(argument));
                Some(match value {
                    Some(ty)
                        if matches!(
                            ty,
                            PgType::Timestamp(_) | PgType::Interval | PgType::Timestamptz(_)
                        ) =>
                    {
                        ty
                    }
                    _ => PgType::Timestamptz(None),
                })
            }
            "decode" => Some(PgType::Bytea),
            _ => None,
        })
    }
}
