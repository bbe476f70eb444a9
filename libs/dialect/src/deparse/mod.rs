//! PostgreSQL's SQL from an analysed expression: what `pg_get_expr` and its kin show.

mod coercion;
mod columns;
mod constant;
mod expr;
mod from;
mod parentheses;
mod query;
mod subquery;
mod window;
mod with;

use crate::analysis::Standalone;
use crate::analysis::tree::{CommonTable, Expr, JoinAlias, Output, Query, RelationId, Relations};
use crate::pg_catalog::Visible;

/// An expression as PostgreSQL shows it: with all parentheses, or with those that it needs.
pub(crate) fn expression(
    standalone: &Standalone,
    (pretty, visible): (bool, Option<&Visible>),
) -> String {
    let mut writer = Writer::new(&standalone.relations, pretty);
    writer.visible = visible;
    writer.expr(&standalone.value, false);
    writer.out
}

/// A query as PostgreSQL shows it, with these names of its columns; `None` where something in it can't be shown.
pub(crate) fn query(
    query: &Query,
    relations: &Relations,
    columns: &[Output],
    (pretty, visible): (bool, &Visible),
) -> Option<String> {
    let mut writer = Writer::new(relations, pretty);
    writer.visible = Some(visible);
    writer.qualified = true;
    writer.outermost = true;
    writer.query(query, columns);
    writer.push(";");
    writer.complete.then_some(writer.out)
}

/// Whether an expression looks like a call, which an index shows without parentheses.
pub(crate) fn looks_like_call(value: &Expr) -> bool {
    use crate::analysis::tree::ExprKind;
    match &value.kind {
        ExprKind::Call(call) => {
            parentheses::operator_of(call).is_none() && coercion::Coercion::of(value).is_none()
        }
        ExprKind::Coalesce(_)
        | ExprKind::Extreme { .. }
        | ExprKind::NullIf(_)
        | ExprKind::ValueFunction { .. } => true,
        _ => false,
    }
}

/// The state of one text.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about a text"
)]
struct Writer<'a> {
    relations: &'a Relations,
    /// How relations and types are named.
    visible: Option<&'a Visible>,
    pretty: bool,
    out: String,
    /// Columns stand behind the names of their relations, as in queries.
    qualified: bool,
    /// Everything could be shown.
    complete: bool,
    /// The query is that of a view, whose columns have names.
    outermost: bool,
    /// Where lines begin.
    indent: usize,
    /// The relations in scope with their names; joins that have names of their own are no relations.
    used: Vec<(Option<RelationId>, String)>,
    /// Those before this one are of the queries around.
    level: usize,
    /// The common table expressions in scope.
    common_tables: Vec<CommonTable>,
    /// Joins that have names of their own, as they are called here.
    joins: Vec<JoinAlias>,
    /// What their columns are called here.
    columns: columns::Names,
    /// The columns that joins have merged into what is no column of either side, and their names.
    merged: Vec<(Expr, String)>,
}

impl<'a> Writer<'a> {
    fn new(relations: &'a Relations, pretty: bool) -> Self {
        Self {
            relations,
            visible: None,
            pretty,
            out: String::new(),
            qualified: false,
            complete: true,
            outermost: false,
            indent: 0,
            used: Vec::new(),
            level: 0,
            common_tables: Vec::new(),
            joins: Vec::new(),
            columns: columns::Names::default(),
            merged: Vec::new(),
        }
    }
}

impl Writer<'_> {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn list(&mut self, items: &[Expr], implicit: bool) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.expr(item, implicit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{self, Purpose};
    use crate::known_schema::{KnownSchema, stored};
    use crate::syntax::only_expression;
    use crate::{NoSchema, parse_create_table};

    fn shown(text: &str, purpose: Purpose<'_>) -> (String, String) {
        let table = parse_create_table(
            "CREATE TABLE t (a INT, b INT, s VARCHAR(30), x TEXT, ok BOOL, d DATE, n NUMERIC_TEXT(10,2))",
        )
        .unwrap();
        let table = stored(&table, "t").unwrap();
        let sql = format!("SELECT {text}");
        let tree = only_expression(&sql).unwrap().unwrap();
        let schema = KnownSchema(&NoSchema);
        let analyzed = analysis::expression(&sql, &tree, &schema, &table, purpose).unwrap();
        (
            expression(&analyzed, (false, None)),
            expression(&analyzed, (true, None)),
        )
    }

    #[test]
    fn a_check_is_shown_in_postgresqls_words() {
        for (written, full, pretty) in [
            ("a > 0", "(a > 0)", "a > 0"),
            (
                "a < 10 AND s <> 'x'",
                "((a < 10) AND ((s)::text <> 'x'::text))",
                "a < 10 AND s::text <> 'x'::text",
            ),
            (
                "s in ('a', 'b')",
                "((s)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
                "s::text = ANY (ARRAY['a'::character varying, 'b'::character varying]::text[])",
            ),
            (
                "x in ('a') or not ok",
                "((x = 'a'::text) OR (NOT ok))",
                "x = 'a'::text OR NOT ok",
            ),
            (
                "n between 1 and 10",
                "((n >= (1)::numeric) AND (n <= (10)::numeric))",
                "n >= 1::numeric AND n <= 10::numeric",
            ),
            (
                "(a + b) * 2 = 4",
                "(((a + b) * 2) = 4)",
                "((a + b) * 2) = 4",
            ),
            (
                "d > '2020-01-01'",
                "(d > '2020-01-01'::date)",
                "d > '2020-01-01'::date",
            ),
            (
                "a is distinct from 3",
                "(a IS DISTINCT FROM 3)",
                "a IS DISTINCT FROM 3",
            ),
        ] {
            let (got_full, got_pretty) = shown(written, Purpose::Check);
            assert_eq!((got_full.as_str(), got_pretty.as_str()), (full, pretty));
        }
    }

    #[test]
    fn a_default_shows_no_conversion_that_was_not_written() {
        use crate::catalog::Type;
        use pgtypes::PgType;
        for (written, ty, full) in [
            ("1.5", PgType::parse("numeric(10,2)").unwrap(), "1.5"),
            ("'ab'", PgType::Varchar(Some(5)), "'ab'::character varying"),
            ("'{\"a\":1}'", PgType::Jsonb, "'{\"a\": 1}'::jsonb"),
            ("-5", PgType::Int4, "'-5'::integer"),
            ("7", PgType::Int8, "7"),
            (
                "current_timestamp",
                PgType::Timestamp(None),
                "CURRENT_TIMESTAMP",
            ),
            ("'a'::varchar", PgType::Text, "'a'::character varying"),
            ("1 + 2 * 3", PgType::Int4, "(1 + (2 * 3))"),
        ] {
            let (got, _) = shown(written, Purpose::Default("c", Type::from(ty)));
            assert_eq!(got, full);
        }
    }
}
