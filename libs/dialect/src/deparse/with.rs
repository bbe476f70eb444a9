//! WITH.

use crate::analysis::tree::Query;
use crate::deparse::Writer;
use crate::deparse::query::STEP;
use crate::pg_catalog::identifier;

impl Writer<'_> {
    /// The common table expressions before a query, which are in scope from here.
    pub(super) fn with(&mut self, query: &Query) {
        if query.with.is_empty() {
            return;
        }
        self.common_tables.extend(query.with.iter().cloned());
        self.indent += STEP;
        self.push(if query.recursive {
            " WITH RECURSIVE "
        } else {
            " WITH "
        });
        for (index, table) in query.with.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" });
            self.push(&identifier(&table.name));
            if !table.names.is_empty() {
                let names: Vec<String> = table.column_names().map(identifier).collect();
                self.push(&format!("({})", names.join(", ")));
            }
            self.push(match table.said {
                Some(true) => " AS MATERIALIZED (",
                Some(false) => " AS NOT MATERIALIZED (",
                None => " AS (",
            });
            self.break_line(self.indent);
            self.inner_query(&table.query, &table.query.columns);
            self.break_line(self.indent);
            self.push(")");
        }
        self.indent -= STEP;
        self.break_line(self.indent);
    }
}
