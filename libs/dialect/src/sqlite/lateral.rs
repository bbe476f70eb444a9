//! Queries in FROM that read what stands beside them: SQLite has none, but its table functions may. Their rows come as a
//! JSON array of arrays.

use crate::analysis::tree::{Body, ColumnRef, Expr, Query};
use crate::catalog::TypeId;
use crate::sqlite::names::output_names;
use crate::sqlite::{Printer, Result};

/// How a value gets through JSON as it is.
enum Carried {
    /// JSON has such values.
    Plain,
    /// A number of which every bit counts.
    Real,
    /// Bytes, in hexadecimal digits.
    Bytes,
}

fn carried(id: TypeId) -> Carried {
    match id {
        TypeId::FLOAT4 | TypeId::FLOAT8 => Carried::Real,
        TypeId::BYTEA => Carried::Bytes,
        _ => Carried::Plain,
    }
}

impl Printer<'_> {
    /// The query as a table function.
    pub(crate) fn lateral(&mut self, query: &Query) -> Result {
        self.push("json_each((SELECT json_group_array(json_array(");
        let names = output_names(query);
        self.list(
            names.iter().zip(&query.columns),
            ", ",
            |printer, (name, column)| {
                match carried(column.ty.id) {
                    Carried::Plain => printer.name(name),
                    Carried::Real => {
                        printer.push("pg_real_as_bits(");
                        printer.name(name);
                        printer.push(")");
                    }
                    Carried::Bytes => {
                        printer.push("CASE WHEN ");
                        printer.name(name);
                        printer.push(" IS NOT NULL THEN hex(");
                        printer.name(name);
                        printer.push(") END");
                    }
                }
                Ok(())
            },
        )?;
        self.push(")) FROM (");
        match &query.body {
            Body::Values(rows) if query.with.is_empty() => self.selects(rows, query)?,
            _ => self.query(query, false)?,
        }
        self.push(")))");
        Ok(())
    }

    /// VALUES whose columns have their names also where SQLite evaluates the rows one by one.
    fn selects(&mut self, rows: &[Vec<Expr>], query: &Query) -> Result {
        let names = output_names(query);
        let sorted = !query.order_by.is_empty() || query.limit.is_some() || query.offset.is_some();
        if sorted {
            self.push("SELECT * FROM (");
        }
        self.list(rows, " UNION ALL ", |printer, row| {
            printer.push("SELECT ");
            printer.targets(row, &names, false)
        })?;
        if sorted {
            self.push(")");
        }
        self.tail(query)
    }

    /// A column of such a query.
    pub(crate) fn column_of_lateral(&mut self, query: &Query, column: ColumnRef) {
        let id = query
            .columns
            .get(column.column)
            .map_or(TypeId::TEXT, |output| output.ty.id);
        self.push(match carried(id) {
            Carried::Plain => "(",
            Carried::Real => "pg_real_of_bits(",
            Carried::Bytes => "unhex(",
        });
        let alias = self.names.alias(column.relation).to_owned();
        self.name(&alias);
        self.push(&format!(".value ->> {})", column.column));
    }
}

#[cfg(test)]
mod tests {
    use crate::NoSchema;

    fn printed(sql: &str) -> String {
        crate::analyze(sql, &NoSchema).unwrap().sqlite.concat()
    }

    #[test]
    fn a_query_that_reads_its_neighbour_is_a_table_function() {
        assert_eq!(
            printed("SELECT b FROM (VALUES (2)) AS v(n), LATERAL (SELECT v.n + 1) AS q(b)"),
            "SELECT (\"q\".value ->> 0) AS \"b\" FROM (VALUES (2)) AS \"v\", json_each((SELECT \
             json_group_array(json_array(\"?column?\")) FROM (SELECT pg_int4pl(\"v\".\"column1\", 1) AS \"?column?\"))) AS \"q\""
        );
        let alone = "SELECT b FROM (VALUES (2)) AS v(n), LATERAL (SELECT 1) AS q(b)";
        assert!(!printed(alone).contains("json_each"));
    }
}
