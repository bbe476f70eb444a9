//! Functions in FROM: a table of the columns `c1`, `c2`, …, or one of SQLite's table functions where an argument is a
//! column of what stands beside it.

use crate::analysis::tree::{
    Call, ColumnRef, Definition, Expr, ExprKind, RelationId, Source, TableFunction,
};
use crate::catalog::TypeId;
use crate::sqlite::form::is_registered;
use crate::sqlite::quantified::element_of_json;
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::Position;

impl Printer<'_> {
    pub(crate) fn table_function(&mut self, function: &TableFunction) -> Result {
        // An array with its numbers is two sets.
        let single = function.values.as_slice();
        let ([value], false) = (single, single.iter().any(is_expanded)) else {
            if is_lateral(function) {
                return self.side_by_side(&function.values);
            }
            return self
                .columns_of_rows(function, |printer| printer.side_by_side(&function.values));
        };
        let ExprKind::Call(call) = &value.kind else {
            return self.one_row(value, function.ordinality);
        };
        if !call.function.returns_set && function.definitions.is_empty() {
            return self.one_row(value, function.ordinality);
        }
        if is_lateral(function) {
            return self.rows_of(function, call, value.at);
        }
        if let Some(kind) = series_of(call) {
            return self.series(call, kind, function.ordinality);
        }
        self.columns_of_rows(function, |printer| {
            printer.rows_of(function, call, value.at)
        })
    }

    /// Whether a relation is a table function of SQLite's, with arguments from beside it.
    pub(crate) fn is_called_for_each_row(&self, id: RelationId) -> bool {
        match self.relations.get(id.0).map(|relation| &relation.source) {
            Some(Source::Function(function)) => is_lateral(function),
            Some(Source::Lateral(_)) => true,
            _ => false,
        }
    }

    /// A column of a function that is called for each row beside it; `false` for any other column.
    pub(crate) fn lateral_column(&mut self, column: ColumnRef) -> bool {
        let relations = self.relations;
        let function = match relations.get(column.relation.0).map(|r| &r.source) {
            Some(Source::Function(function)) => function,
            Some(Source::Lateral(query)) => {
                self.column_of_lateral(query, column);
                return true;
            }
            _ => return false,
        };
        if !is_lateral(function) {
            return false;
        }
        let alias = self.names.alias(column.relation).to_owned();
        let width = width(function);
        if let Some(definition) = function.definitions.get(column.column) {
            let mut quoted = String::new();
            std::mem::swap(&mut quoted, &mut self.out);
            self.name(&alias);
            std::mem::swap(&mut quoted, &mut self.out);
            self.defined(&format!("{quoted}.value ->> {}", column.column), definition);
            return true;
        }
        let mut quoted = String::new();
        std::mem::swap(&mut quoted, &mut self.out);
        self.name(&alias);
        std::mem::swap(&mut quoted, &mut self.out);
        let value = if column.column >= width {
            format!("{quoted}.key + 1")
        } else if width > 1 {
            format!("{quoted}.value ->> {}", column.column)
        } else {
            format!("{quoted}.value")
        };
        let value = one_of_json(function, column.column, &value);
        self.push(&format!("({value})"));
        true
    }

    /// A value as a table of one row.
    fn one_row(&mut self, value: &Expr, ordinality: bool) -> Result {
        self.push("(SELECT ");
        self.expr(value)?;
        self.push(" AS c1");
        if ordinality {
            self.push(", 1 AS c2");
        }
        self.push(")");
        Ok(())
    }

    /// `generate_series` as a recursion, so that no row is held.
    fn series(&mut self, call: &Call, kind: Series, ordinality: bool) -> Result {
        let [start, stop, rest @ ..] = call.arguments.as_slice() else {
            return Err(self.missing(call.function, Position::default()));
        };
        self.push("(WITH RECURSIVE b(a, z, s) AS MATERIALIZED (SELECT ");
        self.expr(start)?;
        self.push(", ");
        self.expr(stop)?;
        self.push(", ");
        match (rest.first(), kind) {
            (None, Series::Integer) => self.push("1"),
            (None, Series::Other(_)) => self.push("'1'"),
            (Some(step), _) => self.expr(step)?,
        }
        // A step of zero is no matter where there is no row anyway.
        let step = rest.first().map_or("s", |_| "pg_series_step(s)");
        match kind {
            Series::Integer => self.push(&format!(
                "), n(c1, z, s) AS (SELECT a, z, s FROM b WHERE CASE WHEN a IS NULL OR z IS NULL OR s IS NULL THEN 0 \
                 WHEN {step} > 0 THEN a <= z ELSE a >= z END \
                 UNION ALL SELECT c1 + s, z, s FROM n WHERE CASE WHEN s > 0 THEN c1 <= z - s ELSE c1 >= z - s END) SELECT c1",
            )),
            Series::Other(ty) => self.push(&format!(
                "), n(c1, z, s) AS (SELECT pg_series_first_{ty}(a, s, z), z, s FROM b \
                 UNION ALL SELECT pg_series_next_{ty}(c1, s, z), z, s FROM n WHERE c1 IS NOT NULL) SELECT c1",
            )),
        }
        if ordinality {
            self.push(", row_number() OVER () AS c2");
        }
        self.push(match kind {
            Series::Integer => " FROM n)",
            Series::Other(_) => " FROM n WHERE c1 IS NOT NULL)",
        });
        Ok(())
    }

    /// Rows that come as a JSON array, under the names of the columns.
    fn columns_of_rows(
        &mut self,
        function: &TableFunction,
        rows: impl FnOnce(&mut Self) -> Result,
    ) -> Result {
        self.push("(SELECT ");
        let columns = width(function);
        if !function.definitions.is_empty() {
            let mut place = 0;
            self.list(&function.definitions, ", ", |printer, column| {
                printer.defined(&format!("value ->> {place}"), column);
                place += 1;
                printer.push(&format!(" AS c{place}"));
                Ok(())
            })?;
        } else if columns > 1 {
            for column in 0..columns {
                if column > 0 {
                    self.push(", ");
                }
                let value = one_of_json(function, column, &format!("value ->> {column}"));
                self.push(&format!("{value} AS c{}", column + 1));
            }
        } else {
            let value = one_of_json(function, 0, "value");
            self.push(&format!("{value} AS c1"));
        }
        if function.ordinality {
            self.push(&format!(", key + 1 AS c{}", columns + 1));
        }
        self.push(" FROM ");
        rows(self)?;
        self.push(")");
        Ok(())
    }

    /// The rows of several sets, each as long as the longest of them.
    fn side_by_side(&mut self, values: &[Expr]) -> Result {
        self.push("json_each(pg_side_by_side(");
        self.list(values, ", ", |printer, value| match &value.kind {
            ExprKind::Call(call) if is_expanded(value) => printer.expanded(call, value.at),
            ExprKind::Call(call) if call.function.returns_set && columns_of(value) == 1 => {
                printer.json_array(call, value.at)
            }
            _ => Err(printer.unsupported(value.at, "a value beside sets of rows")),
        })?;
        self.push("))");
        Ok(())
    }

    /// A text as a value of the type that a column definition list says.
    fn defined(&mut self, text: &str, column: &Definition) {
        if let Some(shape) = &column.shape {
            self.push(&format!("pg_row_json({text}, "));
            self.text(shape);
            self.push(")");
            return;
        }
        let ty = column.ty;
        let (id, typmod) = (ty.id.get(), ty.typmod);
        self.push(&if ty.id.is_array() {
            format!("pg_array_in({text}, {id}, {typmod})")
        } else {
            format!("pg_in({text}, {id}, {typmod})")
        });
    }

    /// The rows of a call; a function of records is told their columns.
    fn rows_of(&mut self, function: &TableFunction, call: &Call, at: Position) -> Result {
        if function.definitions.is_empty() {
            return self.json_rows(call, at);
        }
        let columns = function.definitions.iter().map(|column| {
            let kind = match column.ty.id {
                TypeId::JSON | TypeId::JSONB => 'j',
                TypeId::JSON_ARRAY | TypeId::JSONB_ARRAY => 'J',
                _ if column.shape.is_some() => 'j',
                id if id.is_array() => 'a',
                _ => 't',
            };
            format!("{kind}{}", column.name)
        });
        let columns: Vec<String> = columns.collect();
        self.push(&format!("json_each(pg_set_{}(", call.function.source));
        self.list(&call.arguments, ", ", Self::expr)?;
        self.push(", ");
        let columns = pgtypes::array::text_of(columns.iter().map(|column| Some(column.as_str())));
        self.text(&columns);
        self.push("))");
        Ok(())
    }

    /// The rows by SQLite's table function over a JSON array.
    fn json_rows(&mut self, call: &Call, at: Position) -> Result {
        self.push("json_each(");
        self.json_array(call, at)?;
        self.push(")");
        Ok(())
    }

    /// The rows of a set as a JSON array.
    fn json_array(&mut self, call: &Call, at: Position) -> Result {
        if let ("unnest", [array]) = (call.function.name, call.arguments.as_slice()) {
            return self.elements(array);
        }
        let name = format!("pg_set_{}", call.function.source);
        if !is_registered(&name) {
            return Err(self.missing(call.function, at));
        }
        self.note_look_up(&name);
        self.push(&name);
        self.push("(");
        self.list(&call.arguments, ", ", |printer, argument| {
            printer.expr(argument)
        })?;
        self.push(")");
        Ok(())
    }
}

impl Printer<'_> {
    /// The elements of an array, and their numbers from 1.
    fn expanded(&mut self, call: &Call, at: Position) -> Result {
        let [array] = call.arguments.as_slice() else {
            return Err(self.missing(call.function, at));
        };
        self.elements(array)?;
        self.push(", pg_set_generate_series_int4(1, json_array_length(");
        self.elements(array)?;
        self.push("))");
        Ok(())
    }
}

/// `information_schema._pg_expandarray`
fn is_expanded(value: &Expr) -> bool {
    matches!(&value.kind, ExprKind::Call(call) if call.function.name == "_pg_expandarray")
}

/// How `generate_series` counts.
#[derive(Debug, Clone, Copy)]
enum Series {
    /// By SQLite's own addition.
    Integer,
    /// By functions for this type.
    Other(&'static str),
}

fn series_of(call: &Call) -> Option<Series> {
    if call.function.name != "generate_series" {
        return None;
    }
    match *call.function.arguments.first()? {
        TypeId::INT4 | TypeId::INT8 => Some(Series::Integer),
        TypeId::NUMERIC => Some(Series::Other("numeric")),
        TypeId::TIMESTAMP => Some(Series::Other("timestamp")),
        TypeId::TIMESTAMPTZ => Some(Series::Other("timestamptz")),
        _ => None,
    }
}

/// Whether a set's arguments read a column, which only a table function of SQLite's may.
fn is_lateral(function: &TableFunction) -> bool {
    function.values.iter().any(|value| match &value.kind {
        ExprKind::Call(call) => {
            (call.function.returns_set || !function.definitions.is_empty())
                && call.arguments.iter().any(reads_column)
        }
        _ => false,
    })
}

fn reads_column(value: &Expr) -> bool {
    let mut found = false;
    value.visit(&mut |part| found |= matches!(part.kind, ExprKind::Column(_)));
    found
}

/// The number of its columns, but for that of WITH ORDINALITY.
fn width(function: &TableFunction) -> usize {
    if !function.definitions.is_empty() {
        return function.definitions.len();
    }
    function.values.iter().map(columns_of).sum()
}

/// A value of a set that comes as JSON: bytes are the elements of arrays alone.
fn one_of_json(function: &TableFunction, column: usize, value: &str) -> String {
    let single = function.values.iter().all(|value| columns_of(value) == 1);
    let ty = function.values.get(column).map(|value| value.ty.id);
    match ty.filter(|_| single) {
        Some(ty) => element_of_json(ty, value),
        None => value.to_owned(),
    }
}

fn columns_of(value: &Expr) -> usize {
    match &value.kind {
        ExprKind::Call(call) => call.function.out.len().max(1),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use crate::NoSchema;

    fn printed(sql: &str) -> String {
        crate::analyze(sql, &NoSchema).unwrap().sqlite.concat()
    }

    #[test]
    fn a_set_in_the_select_list_becomes_an_item_of_from() {
        assert_eq!(
            printed("SELECT unnest('{1,2}'::int[])"),
            "SELECT \"set\".\"c1\" AS \"unnest\" FROM (SELECT value AS c1 FROM json_each(pg_elements('{1,2}', 23))) AS \"set\""
        );
    }

    #[test]
    fn a_function_of_a_column_beside_it_is_a_table_function() {
        assert_eq!(
            printed("SELECT g FROM (VALUES (2)) AS v(n), generate_series(1, v.n) AS g"),
            "SELECT (\"g\".value) AS \"g\" FROM (VALUES (2)) AS \"v\", json_each(pg_set_generate_series_int4(1, \"v\".\"column1\")) AS \"g\""
        );
    }
}
