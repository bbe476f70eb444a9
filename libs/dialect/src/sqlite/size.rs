//! `pg_relation_size` and its kin: the bytes of a relation's pages, which SQLite counts by reading them.

use crate::analysis::tree::{Call, Expr};
use crate::sqlite::{Printer, Result};

/// The name of what has been looked up. An index of a constraint has one that SQLite gave it.
const OWN: &str = "coalesce((SELECT l.name FROM pragma_index_list(b ->> 'table', b ->> 'schema') AS l \
     WHERE l.name = b ->> 'name'), (SELECT l.name FROM pragma_index_list(b ->> 'table', b ->> 'schema') AS l \
     WHERE l.origin <> 'c' AND b ->> 'columns' = (SELECT json_group_array(i.name) \
     FROM pragma_index_info(l.name, b ->> 'schema') AS i)), b ->> 'name')";
/// The names of a table's indexes.
const INDEXES: &str = "SELECT l.name FROM pragma_index_list(b ->> 'name', b ->> 'schema') AS l";

impl Printer<'_> {
    /// A call of such a function; `false` for any other.
    pub(crate) fn relation_size(&mut self, call: &Call) -> Result<bool> {
        let names = match call.function.name {
            "pg_relation_size" | "pg_table_size" => format!("SELECT {OWN}"),
            "pg_indexes_size" => INDEXES.to_owned(),
            "pg_total_relation_size" => format!("SELECT {OWN} UNION ALL {INDEXES}"),
            _ => return Ok(false),
        };
        let (Some(relation), fork) = (call.arguments.first(), call.arguments.get(1)) else {
            return Ok(false);
        };
        self.push("(SELECT CASE WHEN b IS NOT NULL ");
        if let Some(fork) = fork {
            // There is no other fork.
            self.push("THEN CASE ");
            self.expr(fork)?;
            self.push(" WHEN 'main' ");
        }
        self.push("THEN coalesce((SELECT sum(s.pgsize) FROM dbstat(b ->> 'schema', 1) AS s WHERE s.name IN (");
        self.push(&names);
        self.push(")), 0)");
        if let Some(fork) = fork {
            self.push(" ELSE 0 * length(");
            self.expr(fork)?;
            self.push(") END");
        }
        self.push(" END FROM (SELECT ");
        self.look_up("pg_btree", relation, |printer, value: &Expr| {
            printer.expr(value)
        })?;
        self.push(" AS b))");
        Ok(true)
    }
}
