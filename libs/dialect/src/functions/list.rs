//! The list of functions to register.

use crate::functions::{FunctionSpec, Implementation, Pure, output};
use crate::functions::{
    catalog_text, convert, datetime, encoding, fit, format, math, number, regular, span, text,
};

const fn pure(
    name: &'static str,
    arguments: i32,
    run: Pure,
    semantics: &'static str,
) -> FunctionSpec {
    FunctionSpec {
        name,
        arguments,
        deterministic: true,
        strict: true,
        semantics,
        implementation: Implementation::Pure(run),
    }
}

const fn loose(
    name: &'static str,
    arguments: i32,
    run: Pure,
    semantics: &'static str,
) -> FunctionSpec {
    FunctionSpec {
        strict: false,
        ..pure(name, arguments, run, semantics)
    }
}

const fn session(name: &'static str, arguments: i32, semantics: &'static str) -> FunctionSpec {
    FunctionSpec {
        name,
        arguments,
        deterministic: false,
        strict: false,
        semantics,
        implementation: Implementation::Session,
    }
}

/// All functions that translated statements may call beyond SQLite's own.
pub const REQUIRED_FUNCTIONS: &[FunctionSpec] = &[
    // Roots, logarithms, angles, whole parts.
    pure("sqrt", 1, math::sqrt, "square root"),
    pure("exp", 1, math::exp, "exponential"),
    pure("ln", 1, math::ln, "natural logarithm"),
    pure("log", 1, math::log, "logarithm to base 10"),
    pure("log", 2, math::log, "logarithm to a base"),
    pure("log10", 1, math::log, "logarithm to base 10"),
    pure("pi", 0, math::pi, "3.14159…"),
    pure("sin", 1, math::sin, "sine"),
    pure("cos", 1, math::cos, "cosine"),
    pure("tan", 1, math::tan, "tangent"),
    pure("asin", 1, math::asin, "inverse sine"),
    pure("acos", 1, math::acos, "inverse cosine"),
    pure("atan", 1, math::atan, "inverse tangent"),
    pure("atan2", 2, math::atan2, "inverse tangent of a quotient"),
    pure("degrees", 1, math::degrees, "radians in degrees"),
    pure("radians", 1, math::radians, "degrees in radians"),
    pure("ceil", 1, math::ceil, "next whole number above"),
    pure("floor", 1, math::floor, "next whole number below"),
    pure("gcd", 2, math::gcd, "greatest common divisor"),
    pure("lcm", 2, math::lcm, "least common multiple"),
    pure("justify_days", 1, span::justify_days, "30 days as a month"),
    pure("justify_hours", 1, span::justify_hours, "24 hours as a day"),
    pure("justify_interval", 1, span::justify_interval, "both"),
    pure(
        "eq_json_key",
        1,
        encoding::json_key,
        "a key as a path of SQLite: $.\"a\"",
    ),
    pure(
        "eq_json_path",
        1,
        encoding::json_path,
        "{a,0} as a path of SQLite: $.a[0]",
    ),
    pure("upper", 1, text::upper, "upper case, of any alphabet"),
    pure("lower", 1, text::lower, "lower case, of any alphabet"),
    pure(
        "eq_bad_json",
        1,
        encoding::bad_json,
        "22P02: a text is not JSON",
    ),
    // Casts.
    pure("eq_to_bool", 1, convert::to_bool, "cast to boolean: 0 or 1"),
    pure(
        "eq_to_int2",
        1,
        convert::to_int2,
        "cast to smallint, rounded and range-checked",
    ),
    pure(
        "eq_to_int4",
        1,
        convert::to_int4,
        "cast to integer, rounded and range-checked",
    ),
    pure(
        "eq_to_int8",
        1,
        convert::to_int8,
        "cast to bigint, rounded and range-checked",
    ),
    pure(
        "eq_to_float8",
        1,
        convert::to_float8,
        "cast to double precision",
    ),
    pure("eq_to_numeric", 1, number::to_numeric, "cast to numeric"),
    pure(
        "eq_to_numeric",
        2,
        number::to_numeric,
        "cast to numeric with a scale",
    ),
    pure("eq_to_date", 1, convert::to_date, "cast to date"),
    pure("eq_to_time", 1, convert::to_time, "cast to time"),
    pure(
        "eq_to_timetz",
        1,
        convert::to_timetz,
        "cast to time with time zone",
    ),
    pure(
        "eq_to_timestamp",
        1,
        convert::to_timestamp,
        "cast to timestamp",
    ),
    pure(
        "eq_to_timestamptz",
        1,
        convert::to_timestamptz,
        "cast to timestamp with time zone (UTC)",
    ),
    pure(
        "eq_to_interval",
        1,
        convert::to_interval,
        "cast to interval",
    ),
    pure("eq_to_uuid", 1, convert::to_uuid, "cast to uuid"),
    pure("eq_to_bytea", 1, convert::to_bytea, "cast to bytea"),
    pure(
        "eq_to_regtype",
        1,
        catalog_text::to_regtype,
        "a type's name in PostgreSQL's spelling, from a name or an oid",
    ),
    pure(
        "eq_type_oid",
        1,
        catalog_text::type_oid,
        "the oid of a type by its name",
    ),
    pure(
        "to_regtype",
        1,
        catalog_text::known_type,
        "the oid of a type by its name, NULL if there is none",
    ),
    pure(
        "eq_bool_text",
        1,
        text::bool_text,
        "boolean as true or false",
    ),
    pure(
        "eq_bytea_text",
        1,
        text::plain_text,
        "bytea as \\x hexadecimal",
    ),
    pure(
        "eq_float_text",
        1,
        number::float_text,
        "double precision as text",
    ),
    pure(
        "eq_numeric_text",
        1,
        number::numeric_text,
        "numeric as text",
    ),
    pure(
        "eq_numeric_text",
        2,
        number::numeric_text,
        "numeric as text with a scale",
    ),
    pure(
        "eq_cast",
        2,
        output::cast,
        "a value in the stored form of a type with modifiers",
    ),
    pure(
        "eq_text",
        2,
        output::text,
        "a value of a type as the client sees it",
    ),
    pure("eq_json", 2, output::json, "a value of a type as JSON"),
    // Operators.
    pure(
        "match",
        2,
        regular::ilike,
        "ILIKE: text MATCH pattern calls match(pattern, text)",
    ),
    pure(
        "match",
        3,
        regular::ilike,
        "ILIKE with ESCAPE: match(pattern, text, escape)",
    ),
    pure(
        "regexp",
        2,
        regular::regexp,
        "the operator ~: text REGEXP pattern calls regexp(pattern, text)",
    ),
    pure(
        "eq_array_json",
        1,
        encoding::array_json,
        "an array literal {a,b} as a JSON array",
    ),
    pure("eq_date_add", 2, datetime::date_add, "date + integer"),
    pure(
        "eq_date_subtract",
        2,
        datetime::date_subtract,
        "date - integer",
    ),
    pure(
        "eq_date_difference",
        2,
        datetime::date_difference,
        "date - date, in days",
    ),
    pure(
        "eq_timestamp_add",
        2,
        datetime::timestamp_add,
        "timestamp + interval",
    ),
    pure(
        "eq_timestamp_subtract",
        2,
        datetime::timestamp_subtract,
        "timestamp - interval",
    ),
    pure(
        "eq_timestamp_difference",
        2,
        datetime::timestamp_difference,
        "timestamp - timestamp, an interval",
    ),
    pure("eq_time_add", 2, datetime::time_add, "time + interval"),
    pure(
        "eq_time_subtract",
        2,
        datetime::time_subtract,
        "time - interval",
    ),
    pure(
        "eq_interval_add",
        2,
        datetime::interval_add,
        "interval + interval",
    ),
    pure(
        "eq_interval_subtract",
        2,
        datetime::interval_subtract,
        "interval - interval",
    ),
    pure(
        "eq_interval_multiply",
        2,
        datetime::interval_multiply,
        "interval * number",
    ),
    pure(
        "eq_interval_divide",
        2,
        datetime::interval_divide,
        "interval / number",
    ),
    pure(
        "eq_zone_local",
        2,
        datetime::zone_local,
        "timestamptz AT TIME ZONE zone",
    ),
    pure(
        "eq_zone_utc",
        2,
        datetime::zone_utc,
        "timestamp AT TIME ZONE zone",
    ),
    // Text.
    pure("eq_left", 2, text::left, "left(text, n)"),
    pure("eq_right", 2, text::right, "right(text, n)"),
    pure("eq_substring", 2, text::substring, "substring(text from n)"),
    pure(
        "eq_substring",
        3,
        text::substring,
        "substring(text from n for length)",
    ),
    pure(
        "eq_regexp_substring",
        2,
        regular::substring,
        "substring(text from pattern)",
    ),
    pure(
        "regexp_replace",
        3,
        regular::replace,
        "regexp_replace(text, pattern, replacement)",
    ),
    pure(
        "regexp_replace",
        4,
        regular::replace,
        "regexp_replace(text, pattern, replacement, flags)",
    ),
    pure(
        "eq_position",
        2,
        text::position,
        "position(a in b): eq_position(a, b)",
    ),
    pure("eq_trim", 2, text::trim, "trim(both characters from text)"),
    pure(
        "eq_ltrim",
        2,
        text::ltrim,
        "trim(leading characters from text)",
    ),
    pure(
        "eq_rtrim",
        2,
        text::rtrim,
        "trim(trailing characters from text)",
    ),
    pure(
        "eq_unqualified",
        1,
        text::unqualified,
        "a relation's name without schema and quotes",
    ),
    pure(
        "overlay",
        3,
        text::overlay,
        "overlay(text placing other from n)",
    ),
    pure(
        "overlay",
        4,
        text::overlay,
        "overlay(text placing other from n for length)",
    ),
    pure("initcap", 1, text::initcap, "first letters in upper case"),
    pure("lpad", 2, text::lpad, "padded at the left with blanks"),
    pure("lpad", 3, text::lpad, "padded at the left"),
    pure("rpad", 2, text::rpad, "padded at the right with blanks"),
    pure("rpad", 3, text::rpad, "padded at the right"),
    pure("repeat", 2, text::repeat, "the text n times"),
    pure("reverse", 1, text::reverse, "the text backwards"),
    pure(
        "split_part",
        3,
        text::split_part,
        "the nth field, from the end if negative",
    ),
    pure(
        "translate",
        3,
        text::translate,
        "characters replaced one for one",
    ),
    pure("md5", 1, text::md5, "MD5 as hexadecimal text"),
    pure(
        "starts_with",
        2,
        text::starts_with,
        "whether a text begins with another",
    ),
    pure("to_hex", 1, text::to_hex, "an integer in hexadecimal"),
    pure("bit_length", 1, text::bit_length, "length in bits"),
    pure(
        "quote_ident",
        1,
        text::quote_ident,
        "a name, quoted where needed",
    ),
    pure(
        "quote_literal",
        1,
        text::quote_literal,
        "a text as a literal",
    ),
    loose(
        "quote_nullable",
        1,
        text::quote_literal,
        "a text as a literal, or NULL",
    ),
    pure(
        "encode",
        2,
        encoding::encode,
        "bytea as hex, base64 or escape",
    ),
    pure(
        "decode",
        2,
        encoding::decode,
        "bytea from hex, base64 or escape",
    ),
    loose(
        "greatest",
        -1,
        text::greatest,
        "the greatest argument that is not NULL",
    ),
    loose(
        "least",
        -1,
        text::least,
        "the least argument that is not NULL",
    ),
    // Numbers.
    pure("eq_round", 1, number::round, "round(numeric)"),
    pure("eq_round", 2, number::round, "round(numeric, digits)"),
    pure("eq_trunc", 1, number::trunc, "trunc(numeric)"),
    pure("eq_trunc", 2, number::trunc, "trunc(numeric, digits)"),
    pure(
        "eq_divisor",
        1,
        number::divisor,
        "a divisor, refused when it is zero",
    ),
    pure(
        "eq_fit_numeric",
        3,
        fit::fit_numeric,
        "a number within numeric(p,s)",
    ),
    pure(
        "eq_fit_varchar",
        2,
        fit::fit_varchar,
        "a text within varchar(n)",
    ),
    pure("eq_fit_bpchar", 2, fit::fit_bpchar, "a text within char(n)"),
    pure("eq_mod", 2, number::modulo, "mod(a, b)"),
    pure("div", 2, number::div, "integer quotient"),
    pure("power", 2, number::power, "a to the power of b"),
    pure("cbrt", 1, number::cbrt, "cube root"),
    pure(
        "pg_size_pretty",
        1,
        number::size_pretty,
        "bytes with a unit",
    ),
    // Dates.
    pure(
        "date_part",
        2,
        datetime::date_part,
        "a field of a date or timestamp",
    ),
    pure(
        "date_trunc",
        2,
        datetime::date_trunc,
        "a timestamp cut to a unit",
    ),
    pure(
        "eq_interval_part",
        2,
        span::interval_part,
        "a field of an interval",
    ),
    pure(
        "eq_interval_trunc",
        2,
        span::interval_trunc,
        "an interval cut to a unit",
    ),
    pure(
        "age",
        2,
        datetime::age,
        "years, months and days between two timestamps",
    ),
    pure(
        "make_date",
        3,
        datetime::make_date,
        "a date from year, month, day",
    ),
    pure(
        "to_timestamp",
        1,
        datetime::from_epoch,
        "timestamptz from seconds since 1970",
    ),
    pure(
        "to_timestamp",
        2,
        format::to_timestamp,
        "timestamptz from a text by a template",
    ),
    pure(
        "to_date",
        2,
        format::to_date,
        "date from a text by a template",
    ),
    pure(
        "to_char",
        2,
        format::to_char,
        "a timestamp or number as text by a template",
    ),
    pure("to_number", 2, format::to_number, "a number from a text"),
    // Catalog.
    loose(
        "format_type",
        2,
        catalog_text::format_type,
        "a type's name; the modifier may be NULL",
    ),
    loose(
        "pg_get_expr",
        2,
        catalog_text::first,
        "the expression's text as it is kept",
    ),
    loose(
        "pg_get_expr",
        3,
        catalog_text::first,
        "the expression's text as it is kept",
    ),
    pure("pg_encoding_to_char", 1, catalog_text::utf8, "UTF8"),
    loose("pg_table_is_visible", 1, catalog_text::yes, "true"),
    loose("pg_type_is_visible", 1, catalog_text::yes, "true"),
    pure(
        "pg_get_serial_sequence",
        2,
        catalog_text::serial_sequence,
        "the name of a column's sequence",
    ),
    loose(
        "pg_char_to_encoding",
        1,
        catalog_text::utf8_number,
        "6: UTF8",
    ),
    loose("getdatabaseencoding", 0, catalog_text::utf8, "UTF8"),
    loose("pg_collation_is_visible", 1, catalog_text::yes, "true"),
    loose("pg_function_is_visible", 1, catalog_text::yes, "true"),
    loose("has_table_privilege", -1, catalog_text::yes, "true"),
    loose("has_column_privilege", -1, catalog_text::yes, "true"),
    loose("has_schema_privilege", -1, catalog_text::yes, "true"),
    loose("has_database_privilege", -1, catalog_text::yes, "true"),
    loose("has_sequence_privilege", -1, catalog_text::yes, "true"),
    loose("has_function_privilege", -1, catalog_text::yes, "true"),
    loose("pg_has_role", -1, catalog_text::yes, "true"),
    session("obj_description", -1, "the comment on an object"),
    session("col_description", 2, "the comment on an object"),
    session("shobj_description", 2, "the comment on an object"),
    loose(
        "pg_partition_ancestors",
        1,
        catalog_text::first,
        "the table itself: there are no partitions",
    ),
    loose(
        "pg_get_partkeydef",
        1,
        catalog_text::nothing,
        "NULL: there are no partitions",
    ),
    loose("pg_relation_is_publishable", 1, catalog_text::no, "false"),
    loose(
        "pg_tablespace_location",
        1,
        catalog_text::empty,
        "an empty text",
    ),
    loose(
        "pg_get_function_result",
        1,
        catalog_text::empty,
        "an empty text",
    ),
    loose(
        "pg_get_function_arguments",
        1,
        catalog_text::empty,
        "an empty text",
    ),
    loose(
        "pg_get_function_identity_arguments",
        1,
        catalog_text::empty,
        "an empty text",
    ),
    loose(
        "pg_get_ruledef",
        -1,
        catalog_text::nothing,
        "NULL: there are no rules",
    ),
    loose(
        "pg_get_statisticsobjdef_columns",
        1,
        catalog_text::nothing,
        "NULL",
    ),
    loose(
        "array_to_string",
        -1,
        catalog_text::first,
        "the text of what took an array's place",
    ),
    // What only the session knows.
    session(
        "now",
        0,
        "time of the transaction's begin, as timestamptz is stored",
    ),
    session(
        "statement_timestamp",
        0,
        "time of the statement's begin, as timestamptz is stored",
    ),
    session(
        "clock_timestamp",
        0,
        "present time, as timestamptz is stored",
    ),
    session(
        "age",
        1,
        "age(date_trunc('day', now()), argument): call the pure age/2",
    ),
    session("eq_random", 0, "random(): a double in [0, 1)"),
    session("gen_random_uuid", 0, "a random uuid, version 4"),
    session("gen_random_bytes", 1, "random bytes, as pgcrypto has it"),
    session(
        "version",
        0,
        "PostgreSQL's form of the version: 'PostgreSQL 16.x (eloqdb ...)'",
    ),
    session("current_user", 0, "the session's user"),
    session("current_database", 0, "the session's database"),
    session("current_schema", 0, "'public'"),
    session(
        "current_schemas",
        1,
        "'{pg_catalog,public}'; without pg_catalog if the argument is 0",
    ),
    session(
        "current_setting",
        1,
        "the value of a setting; 42704 if there is none",
    ),
    session(
        "current_setting",
        2,
        "as with one argument; NULL instead of 42704 if the second is true",
    ),
    session(
        "set_config",
        3,
        "sets name to value (local if the third is true), gives the value",
    ),
    session("pg_backend_pid", 0, "the session's number"),
    session("pg_is_in_recovery", 0, "1 on a slave"),
    session(
        "pg_sleep",
        1,
        "waits that many seconds (interruptible), gives an empty text",
    ),
    session("pg_postmaster_start_time", 0, "time of the server's start"),
    session(
        "pg_cancel_backend",
        1,
        "cancels another session's statement",
    ),
    session("pg_terminate_backend", 1, "ends another session"),
    session("txid_current", 0, "a number that grows with each commit"),
    session("pg_database_size", 1, "bytes of a database by name or oid"),
    session("pg_relation_size", -1, "bytes of a table; 0 if not known"),
    session(
        "pg_total_relation_size",
        1,
        "bytes of a table with its indexes; 0 if not known",
    ),
    session("pg_table_size", 1, "bytes of a table; 0 if not known"),
    session(
        "pg_indexes_size",
        1,
        "bytes of a table's indexes; 0 if not known",
    ),
    session(
        "inet_server_addr",
        0,
        "the server's address as text, or NULL",
    ),
    session("inet_server_port", 0, "the server's port"),
    session(
        "inet_client_addr",
        0,
        "the client's address as text, or NULL",
    ),
    session("inet_client_port", 0, "the client's port"),
    session("pg_my_temp_schema", 0, "0"),
    session(
        "pg_try_advisory_lock",
        -1,
        "0A000 unless advisory locks are kept",
    ),
    session("pg_advisory_unlock_all", 0, "an empty text"),
    session("txid_current_if_assigned", 0, "as txid_current"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_occurs_once_for_each_number_of_arguments() {
        let mut seen = std::collections::HashSet::new();
        for function in REQUIRED_FUNCTIONS {
            assert!(
                seen.insert((function.name, function.arguments)),
                "{}",
                function.name
            );
        }
    }
}
