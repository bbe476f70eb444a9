//! Views as PostgreSQL shows them, from the query that the client wrote.

use std::rc::Rc;

use crate::analysis;
use crate::analysis::schema::{Relation, Schema};
use crate::analysis::tree::{Output, Statement};
use crate::catalog::Type;
use crate::deparse;
use crate::known_schema::stored;
use crate::pg_catalog::objects::Text;
use crate::sequence::SequenceInfo;
use crate::syntax;
use crate::table_info::TableInfo;

/// What a view may read.
pub(crate) struct Readable<'a> {
    pub(crate) tables: &'a [TableInfo],
    pub(crate) sequences: &'a [SequenceInfo],
}

impl Readable<'_> {
    /// The query of a view in both ways of showing it; as the client wrote it where something in it can't be shown, or
    /// where it no longer means what it did, as after a column was given another name.
    pub(crate) fn text(&self, view: &TableInfo, written: &str) -> Text {
        self.shown(view, written).unwrap_or_else(|| Text {
            full: written.to_owned(),
            pretty: written.to_owned(),
        })
    }

    fn shown(&self, view: &TableInfo, written: &str) -> Option<Text> {
        let tree = syntax::parse(written).ok()??;
        let analyzed = analysis::analyze(written, &tree, self, &[]).ok()??;
        let Statement::Query(query) = &analyzed.statement else {
            return None;
        };
        let columns: Vec<Output> = view
            .columns
            .iter()
            .map(|column| Output {
                name: column.name.clone(),
                ty: column
                    .type_name
                    .map_or(Type::new(crate::catalog::TypeId::TEXT), Type::from),
            })
            .collect();
        let same = columns.len() == query.columns.len()
            && columns
                .iter()
                .zip(&query.columns)
                .all(|(shown, given)| given.ty.id.is_array() || shown.ty.id == given.ty.id);
        if !same {
            return None;
        }
        let text = |pretty| deparse::query(query, &analyzed.relations, &columns, pretty);
        Some(Text {
            full: text(false)?,
            pretty: text(true)?,
        })
    }
}

impl Schema for Readable<'_> {
    fn relation(&self, schema: Option<&str>, name: &str) -> Option<Rc<Relation>> {
        let temporary = match schema {
            Some("pg_temp") => Some(true),
            Some("public") => Some(false),
            Some(_) => return None,
            None => None,
        };
        let found = self.tables.iter().filter(|table| {
            table.name == name && temporary.is_none_or(|wanted| table.temporary == wanted)
        });
        let table = found.max_by_key(|table| table.temporary)?;
        stored(table, name).map(Rc::new)
    }

    fn is_sequence(&self, name: &str) -> bool {
        self.sequences.iter().any(|sequence| sequence.name == name)
    }
}

#[cfg(test)]
mod tests {
    use pgtypes::PgType;

    use super::*;
    use crate::table_info::{TableColumn, parse_create_table};

    const LINES: &[(&str, &str, &str)] = &[
        (
            "select * from a natural join b where x > 3 order by lower(y) desc limit 5",
            " SELECT a.x,\n    a.y,\n    b.q\n   FROM (a\n     JOIN b USING (x))\n  WHERE (a.x > 3)\n  ORDER BY (lower(a.y)) DESC\n LIMIT 5;",
            " SELECT a.x,\n    a.y,\n    b.q\n   FROM a\n     JOIN b USING (x)\n  WHERE a.x > 3\n  ORDER BY (lower(a.y)) DESC\n LIMIT 5;",
        ),
        (
            "select x, count(*) n, 'z' from a t group by x having count(*) > 1",
            " SELECT t.x,\n    count(*) AS n,\n    'z'::text AS \"?column?\"\n   FROM a t\n  GROUP BY t.x\n HAVING (count(*) > 1);",
            " SELECT t.x,\n    count(*) AS n,\n    'z'::text AS \"?column?\"\n   FROM a t\n  GROUP BY t.x\n HAVING count(*) > 1;",
        ),
        (
            "select x from a full join b using (x)",
            " SELECT x\n   FROM (a\n     FULL JOIN b USING (x));",
            " SELECT x\n   FROM a\n     FULL JOIN b USING (x);",
        ),
        (
            "select x from a union all select x from b where exists (select 1 from a)",
            " SELECT a.x\n   FROM a\nUNION ALL\n SELECT b.x\n   FROM b\n  WHERE (EXISTS ( SELECT 1\n           FROM a));",
            " SELECT a.x\n   FROM a\nUNION ALL\n SELECT b.x\n   FROM b\n  WHERE (EXISTS ( SELECT 1\n           FROM a));",
        ),
    ];

    fn view(columns: &[Output]) -> TableInfo {
        let mut info = parse_create_table("CREATE TABLE v (x INT)").unwrap();
        let column = info.columns.pop().unwrap();
        info.columns = columns
            .iter()
            .map(|output| TableColumn {
                name: output.name.clone(),
                type_name: output.ty.result_type(),
                ..column.clone()
            })
            .collect();
        info
    }

    #[test]
    fn a_view_is_shown_in_postgresqls_lines() {
        let tables = [
            "CREATE TABLE a (x INT, y TEXT)",
            "CREATE TABLE b (x INT, q TEXT)",
        ]
        .map(|sql| parse_create_table(sql).unwrap());
        let readable = Readable {
            tables: &tables,
            sequences: &[],
        };
        for (written, full, pretty) in LINES {
            let tree = syntax::parse(written).unwrap().unwrap();
            let analyzed = analysis::analyze(written, &tree, &readable, &[])
                .unwrap()
                .unwrap();
            let text = readable.text(&view(analyzed.columns()), written);
            assert_eq!((text.full.as_str(), text.pretty.as_str()), (*full, *pretty));
        }
    }

    #[test]
    fn a_query_that_gives_other_columns_now_is_shown_as_it_was_written() {
        let tables = [parse_create_table("CREATE TABLE a (x INT, y TEXT)").unwrap()];
        let readable = Readable {
            tables: &tables,
            sequences: &[],
        };
        let columns = [Output {
            name: "x".to_owned(),
            ty: Type::from(PgType::Int4),
        }];
        let written = "select * from a";
        assert_eq!(readable.text(&view(&columns), written).full, written);
    }
}
