//! Function calls: SQLite's names for PostgreSQL's functions, and the types they give.

use pgtypes::{PgType, SqlState};

use crate::error::DialectError;
use crate::expr::primary::is_schema;
use crate::expr::{Expr, Form};
use crate::literal::quote;
use crate::translator::Translator;

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
    "json_populate_record",
    "crosstab",
    "dblink",
    "lo_import",
    "lo_export",
    "pg_read_file",
    "pg_advisory_lock",
    "to_tsvector",
    "to_tsquery",
    "setval",
];

/// Functions whose result is not the same when the statement runs again.
const VOLATILE: &[&str] = &[
    "random",
    "gen_random_uuid",
    "uuid_generate_v4",
    "clock_timestamp",
    "statement_timestamp",
    "lastval",
    "gen_random_bytes",
    "last_insert_rowid",
    "changes",
    "total_changes",
    "timeofday",
];

/// Functions over all rows of a group.
const AGGREGATES: &[&str] = &[
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "string_agg",
    "bool_and",
    "bool_or",
    "every",
    "json_agg",
    "jsonb_agg",
    "stddev",
    "variance",
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
                    SqlState::INVALID_SCHEMA_NAME,
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
        let windowed = self.src.is(close + 1, "OVER") || self.src.is(to - 2, "OVER") || {
            self.src.sign(to - 1, ")") && self.src.is(self.src.partner(to - 1) - 1, "OVER")
        };
        self.aggregate |= AGGREGATES.contains(&name.as_str()) && !windowed;
        if VOLATILE.contains(&name.as_str()) {
            self.repeatable = false;
        }
        if name == "pg_typeof"
            && let [argument] = arguments.as_slice()
            && let Some(ty) = self.type_of(argument)
        {
            let ty = ty.name();
            self.replace(at, to, quote(ty));
            return Ok(Expr::new(at, to).typed(PgType::Text).named("pg_typeof"));
        }
        if matches!(name.as_str(), "string_agg" | "group_concat") {
            self.distinct_texts(last, &arguments)?;
        }
        if let ("to_json" | "to_jsonb", [argument]) = (name.as_str(), arguments.as_slice()) {
            self.json_of(last, argument)?;
        }
        if name == "jsonb_set" && arguments.len() == 3 {
            self.wrap(&arguments[1], "eq_json_path(", ")");
            self.wrap(&arguments[2], "json(", ")");
            self.replace(last, last + 1, "json_set");
            return Ok(Expr::new(at, to).typed(PgType::Jsonb).named(&name));
        }
        self.infer_arguments(&name, &arguments)?;
        self.shown_arguments(&name, &arguments);
        let ty = self.result_type(&name, &arguments)?;
        self.respell(&name, last, &arguments);
        let not_null = matches!(name.as_str(), "count" | "now" | "row_number" | "rank");
        Ok(Expr {
            not_null,
            ..Expr::new(at, to).of(ty).named(&name)
        })
    }

    /// `string_agg(DISTINCT x, ',')`: SQLite takes DISTINCT with one argument only, and joins by commas then.
    fn distinct_texts(&mut self, last: usize, arguments: &[Expr]) -> Result<(), DialectError> {
        if !self.src.is(last + 2, "DISTINCT") {
            return Ok(());
        }
        let [text, separator] = arguments else {
            return Ok(());
        };
        if separator.form != Form::Literal
            || self.src.string(separator.from)?.as_deref() != Some(",")
        {
            return Err(self
                .src
                .unsupported(
                    last,
                    "string_agg(DISTINCT …) with another separator than ','",
                )
                .hint("take DISTINCT in a subquery"));
        }
        self.remove(text.to, separator.to);
        self.replace(last, last + 1, "group_concat");
        Ok(())
    }

    /// Arguments that become texts, or parts of JSON.
    fn shown_arguments(&mut self, name: &str, arguments: &[Expr]) {
        let json = name
            .trim_start_matches("jsonb_")
            .trim_start_matches("json_");
        for (index, argument) in arguments.iter().enumerate() {
            match json {
                "concat" | "concat_ws" => self.shown_text(argument),
                "format" if index > 0 => self.shown_text(argument),
                "string_agg" | "group_concat" if index == 0 => self.join_text(argument),
                // Keys are texts.
                "build_object" | "object_agg" | "object" if index % 2 == 0 => {
                    self.key_text(argument);
                }
                "build_object" | "object_agg" | "object" | "build_array" | "agg" | "array" => {
                    self.shown_json(argument);
                }
                _ => {}
            }
        }
    }

    /// `to_json(x)`: the call becomes that of the type.
    fn json_of(&mut self, name: usize, argument: &Expr) -> Result<(), DialectError> {
        let Some(ty) = self.type_of(argument) else {
            return Err(self.src.error(
                name,
                SqlState::DATATYPE_MISMATCH,
                "could not determine polymorphic type because input has type unknown",
            ));
        };
        self.remove(name, name + 1);
        let close = format!(",'{}')", ty.declaration());
        self.wrap(argument, "eq_json(", &close);
        Ok(())
    }

    fn key_text(&mut self, key: &Expr) {
        let number = self.type_of(key).is_some_and(|ty| ty.is_integer());
        if number {
            self.wrap(key, "CAST(", " AS TEXT)");
        } else {
            self.shown_text(key);
        }
    }

    /// The name to call in SQLite, where it depends on the arguments or differs.
    fn respell(&mut self, name: &str, last: usize, arguments: &[Expr]) {
        if name == "date_trunc" || name == "date_part" {
            let interval = arguments
                .get(1)
                .is_some_and(|value| value.is(PgType::Interval));
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
        let exact = arguments
            .first()
            .is_some_and(|first| first.is(PgType::NUMERIC));
        if name == "round" && (exact || arguments.len() == 2) {
            self.replace(last, last + 1, "eq_round");
        } else if let Some((_, sqlite)) = RENAMED.iter().find(|(postgres, _)| *postgres == name)
            && *sqlite != name
        {
            self.replace(last, last + 1, *sqlite);
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
}
