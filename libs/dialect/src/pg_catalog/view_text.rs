//! Views as PostgreSQL shows them, from the query that the client wrote.

use std::rc::Rc;

use crate::analysis;
use crate::analysis::schema::{Relation, Schema};
use crate::analysis::tree::{Output, RelationColumn, Relations, Source, Statement};
use crate::catalog::{Type, TypeId};
use crate::ddl::view_note::ViewRead;
use crate::ddl::view_query::{AsWritten, name_as_now};
use crate::deparse;
use crate::known_schema::stored;
use crate::pg_catalog::objects::Text;
use crate::pg_catalog::visible::Visible;
use crate::pg_catalog::written::{sequence_in, type_in};
use crate::sequence::SequenceInfo;
use crate::stored_name;
use crate::syntax;
use crate::table_info::TableInfo;
use crate::user_type::UserType;

/// What a view may read.
pub(crate) struct Readable<'a> {
    pub(crate) tables: &'a [TableInfo],
    pub(crate) sequences: &'a [SequenceInfo],
    pub(crate) types: &'a [UserType],
    pub(crate) schemas: &'a [String],
    pub(crate) visible: &'a Visible,
}

impl Readable<'_> {
    /// The query of a view in both ways of showing it; as the client wrote it where something in it can't be shown.
    /// `None` where that no longer means what it did, as after a column was given another name.
    pub(crate) fn text(&self, view: &TableInfo, written: &str) -> Option<Text> {
        let as_written = || Text {
            full: written.to_owned(),
            pretty: written.to_owned(),
        };
        let same = || view.reads.iter().all(|read| self.is_as_written(read));
        self.shown(view, written)
            .or_else(|| same().then(as_written))
    }

    /// Whether what a view reads is as it was when the view was made.
    fn is_as_written(&self, read: &ViewRead) -> bool {
        let mut tables = self.tables.iter();
        let now = tables.find(|table| table.name == read.name && table.temporary == read.temporary);
        let now = now.into_iter().flat_map(|table| &table.columns);
        let columns = read.columns.iter();
        read.name == read.written
            && columns.clone().all(|[written, now]| written == now)
            && now
                .map(|column| &column.name)
                .eq(columns.map(|[written, _]| written))
    }

    fn shown(&self, view: &TableInfo, written: &str) -> Option<Text> {
        let tree = syntax::parse(written).ok()??;
        let as_written = AsWritten {
            schema: self,
            reads: &view.reads,
        };
        let mut analyzed = analysis::analyze(written, &tree, &as_written, &[]).ok()??;
        self.name_as_now(&mut analyzed.relations, &view.reads);
        let Statement::Query(query) = &analyzed.statement else {
            return None;
        };
        let columns: Vec<Output> = view.columns.iter().map(Output::from).collect();
        let same = columns.len() == query.columns.len()
            && columns
                .iter()
                .zip(&query.columns)
                .all(|(shown, given)| given.ty.id.is_array() || shown.ty.id == given.ty.id);
        if !same {
            return None;
        }
        let text =
            |pretty| deparse::query(query, &analyzed.relations, &columns, (pretty, self.visible));
        Some(Text {
            full: text(false)?,
            pretty: text(true)?,
        })
    }
}

impl Readable<'_> {
    /// The relations of a view by the names that they have now, and with the columns that they have got since.
    fn name_as_now(&self, relations: &mut Relations, reads: &[ViewRead]) {
        for relation in relations.iter_mut() {
            let Source::Table { schema, name, .. } = &relation.source else {
                continue;
            };
            let temporary = *schema == "temp";
            let mut reads = reads.iter();
            let read = reads.find(|read| read.written == *name && read.temporary == temporary);
            let Some(read) = read else {
                continue;
            };
            let mut tables = self.tables.iter();
            let now = tables.find(|table| table.name == read.name && table.temporary == temporary);
            let now: Vec<&str> = now
                .map(|table| table.columns.iter().map(|c| c.name.as_str()).collect())
                .unwrap_or_default();
            if relation.alias == stored_name::base(&read.written) {
                stored_name::base(&read.name).clone_into(&mut relation.alias);
            }
            for (column, [written, current]) in relation.columns.iter_mut().zip(&read.columns) {
                if !now.contains(&current.as_str()) {
                    column.name.clear();
                } else if column.name == *written {
                    column.name.clone_from(current);
                }
            }
            let known = |name: &str| read.columns.iter().any(|[_, current]| current == name);
            for name in now.into_iter().filter(|name| !known(name)) {
                let mut column = RelationColumn::given(name, Type::new(TypeId::TEXT));
                name.clone_into(&mut column.stored_name);
                relation.columns.push(column);
            }
        }
        name_as_now(relations, reads);
        for column in relations
            .iter_mut()
            .flat_map(|relation| &mut relation.columns)
        {
            if column.name.is_empty() {
                column.stored_name.clear();
            }
        }
    }
}

impl Schema for Readable<'_> {
    fn user_types(&self) -> Vec<UserType> {
        self.types.to_vec()
    }

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

    fn sequence(&self, schema: Option<&str>, name: &str) -> Option<String> {
        sequence_in(self.sequences, schema, name)
    }

    fn user_type(&self, schema: Option<&str>, name: &str) -> Option<String> {
        type_in(self.types, schema, name)
    }

    fn has_schema(&self, name: &str) -> bool {
        self.schemas.iter().any(|known| known == name)
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
            "select * from (a join b using (x)) j(k) where j.k > 1",
            " SELECT j.k,\n    j.y,\n    j.q\n   FROM (a a(k, y)\n     JOIN b b(k, q) USING (k)) j\n  WHERE (j.k > 1);",
            " SELECT j.k,\n    j.y,\n    j.q\n   FROM (a a(k, y)\n     JOIN b b(k, q) USING (k)) j\n  WHERE j.k > 1;",
        ),
        (
            "select x from a join b using (x) as m where m.x = 1",
            " SELECT a.x\n   FROM (a\n     JOIN b USING (x) AS m)\n  WHERE (a.x = 1);",
            " SELECT a.x\n   FROM a\n     JOIN b USING (x) AS m\n  WHERE a.x = 1;",
        ),
        (
            "select a.y, c.q from a full join b using (x), b c",
            " SELECT a.y,\n    c.q\n   FROM (a\n     FULL JOIN b USING (x)),\n    b c(x_1, q);",
            " SELECT a.y,\n    c.q\n   FROM a\n     FULL JOIN b USING (x),\n    b c(x_1, q);",
        ),
        (
            "with recursive t(n) as (values (1) union all select n + 1 from t where n < 5) select sum(n) over (partition by n order by n desc) s from t",
            " WITH RECURSIVE t(n) AS (\n         VALUES (1)\n        UNION ALL\n         SELECT (t_1.n + 1)\n           FROM t t_1\n          WHERE (t_1.n < 5)\n        )\n SELECT sum(t.n) OVER (PARTITION BY t.n ORDER BY t.n DESC) AS s\n   FROM t;",
            " WITH RECURSIVE t(n) AS (\n         VALUES (1)\n        UNION ALL\n         SELECT t_1.n + 1\n           FROM t t_1\n          WHERE t_1.n < 5\n        )\n SELECT sum(t.n) OVER (PARTITION BY t.n ORDER BY t.n DESC) AS s\n   FROM t;",
        ),
        (
            "select x, sum(x) over w s, rank() over (w order by y desc) r, count(*) over (v rows 2 preceding) c, max(x) over (v) m from a window w as (partition by y), v as (w order by x), \"U\" as (order by y rows between 1 preceding and current row)",
            " SELECT a.x,\n    sum(a.x) OVER w AS s,\n    rank() OVER (w ORDER BY a.y DESC) AS r,\n    count(*) OVER (v ROWS 2 PRECEDING) AS c,\n    max(a.x) OVER (v) AS m\n   FROM a\n  WINDOW w AS (PARTITION BY a.y), v AS (w ORDER BY a.x), \"U\" AS (ORDER BY a.y ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);",
            " SELECT a.x,\n    sum(a.x) OVER w AS s,\n    rank() OVER (w ORDER BY a.y DESC) AS r,\n    count(*) OVER (v ROWS 2 PRECEDING) AS c,\n    max(a.x) OVER (v) AS m\n   FROM a\n  WINDOW w AS (PARTITION BY a.y), v AS (w ORDER BY a.x), \"U\" AS (ORDER BY a.y ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);",
        ),
        (
            "select y, count(*), rank() over o from a group by y having count(*) > 1 window o as (order by y) order by 1",
            " SELECT a.y,\n    count(*) AS count,\n    rank() OVER o AS rank\n   FROM a\n  GROUP BY a.y\n HAVING (count(*) > 1)\n  WINDOW o AS (ORDER BY a.y)\n  ORDER BY a.y;",
            " SELECT a.y,\n    count(*) AS count,\n    rank() OVER o AS rank\n   FROM a\n  GROUP BY a.y\n HAVING count(*) > 1\n  WINDOW o AS (ORDER BY a.y)\n  ORDER BY a.y;",
        ),
        (
            "select sum(x) over (order by d range between '1 day' preceding and '10 days' following) s, max(x) over (order by x range 1 preceding) m from (select x, date '2020-01-01' + x as d from a) a",
            " SELECT sum(a.x) OVER (ORDER BY a.d RANGE BETWEEN '1 day'::interval PRECEDING AND '10 days'::interval FOLLOWING) AS s,\n    max(a.x) OVER (ORDER BY a.x RANGE 1 PRECEDING) AS m\n   FROM ( SELECT a_1.x,\n            ('2020-01-01'::date + a_1.x) AS d\n           FROM a a_1) a;",
            " SELECT sum(a.x) OVER (ORDER BY a.d RANGE BETWEEN '1 day'::interval PRECEDING AND '10 days'::interval FOLLOWING) AS s,\n    max(a.x) OVER (ORDER BY a.x RANGE 1 PRECEDING) AS m\n   FROM ( SELECT a_1.x,\n            '2020-01-01'::date + a_1.x AS d\n           FROM a a_1) a;",
        ),
        (
            "select now() at time zone current_setting('TimeZone') z, timezone('UTC', now()) u, position('a' in y) p, row_to_json(a) j, a r from a",
            " SELECT (now() AT TIME ZONE current_setting('TimeZone'::text)) AS z,\n    timezone('UTC'::text, now()) AS u,\n    POSITION(('a'::text) IN (a.y)) AS p,\n    row_to_json(a.*) AS j,\n    a.*::a AS r\n   FROM a;",
            " SELECT (now() AT TIME ZONE current_setting('TimeZone'::text)) AS z,\n    timezone('UTC'::text, now()) AS u,\n    POSITION(('a'::text) IN (a.y)) AS p,\n    row_to_json(a.*) AS j,\n    a.*::a AS r\n   FROM a;",
        ),
        (
            "select 'f' = any ((select array['a']::text[])::text[]) e from coalesce(1, 2) c, collation for ('x'::text) o, cast(1 + 2 as int8) i",
            " SELECT ('f'::text = ANY (( SELECT ARRAY['a'::text] AS \"array\")::text[])) AS e\n   FROM COALESCE(1, 2) c(c),\n    COLLATION FOR ('x'::text) o(o),\n    CAST(((1 + 2))::bigint AS bigint) i(i);",
            " SELECT 'f'::text = ANY ((( SELECT ARRAY['a'::text] AS \"array\"))::text[]) AS e\n   FROM COALESCE(1, 2) c(c),\n    COLLATION FOR ('x'::text) o(o),\n    CAST((1 + 2)::bigint AS bigint) i(i);",
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
            types: &[],
            schemas: &[],
            visible: &Visible::of(&tables, &[], &["public".to_owned()]),
        };
        for (written, full, pretty) in LINES {
            let tree = syntax::parse(written).unwrap().unwrap();
            let analyzed = analysis::analyze(written, &tree, &readable, &[])
                .unwrap()
                .unwrap();
            let text = readable.text(&view(analyzed.columns()), written).unwrap();
            assert_eq!((text.full.as_str(), text.pretty.as_str()), (*full, *pretty));
        }
    }

    #[test]
    fn a_query_that_gives_other_columns_now_is_shown_as_it_was_written() {
        let tables = [parse_create_table("CREATE TABLE a (x INT, y TEXT)").unwrap()];
        let readable = Readable {
            tables: &tables,
            sequences: &[],
            types: &[],
            schemas: &[],
            visible: &Visible::of(&tables, &[], &["public".to_owned()]),
        };
        let columns = [Output {
            name: "x".to_owned(),
            ty: Type::from(PgType::Int4),
        }];
        let written = "select * from a";
        let text = readable.text(&view(&columns), written).unwrap();
        assert_eq!(text.full, written);
    }

    /// A view over `a (x, y)`, of which `x` is called `z` now, and which has got a column.
    fn renamed(written: &str) -> TableInfo {
        let then = [parse_create_table("CREATE TABLE a (x INT, y TEXT)").unwrap()];
        let readable = Readable {
            tables: &then,
            sequences: &[],
            types: &[],
            schemas: &[],
            visible: &Visible::of(&then, &[], &["public".to_owned()]),
        };
        let tree = syntax::parse(written).unwrap().unwrap();
        let analyzed = analysis::analyze(written, &tree, &readable, &[]);
        let analyzed = analyzed.unwrap().unwrap();
        let word = |name: &str| name.to_owned();
        TableInfo {
            reads: vec![ViewRead {
                temporary: false,
                written: word("a"),
                name: word("c"),
                columns: vec![[word("x"), word("z")], [word("y"), word("y")]],
            }],
            ..view(analyzed.columns())
        }
    }

    #[test]
    fn a_view_is_shown_with_the_names_that_its_tables_have_now() {
        let tables = [parse_create_table("CREATE TABLE c (z INT, y TEXT, x INT)").unwrap()];
        let readable = Readable {
            tables: &tables,
            sequences: &[],
            types: &[],
            schemas: &[],
            visible: &Visible::of(&tables, &[], &["public".to_owned()]),
        };
        for (written, shown) in [
            ("select * from a", " SELECT c.z AS x,\n    c.y\n   FROM c;"),
            (
                "select * from a b",
                " SELECT b.z AS x,\n    b.y\n   FROM c b;",
            ),
            (
                "select * from a join a d using (x)",
                " SELECT c.x,\n    c.y,\n    d.y\n   FROM (c c(x, y, x_1)\n     JOIN c d(x, y, x_1) USING (x));",
            ),
        ] {
            let text = readable.text(&renamed(written), written).unwrap();
            assert_eq!(text.full, shown);
        }
    }

    #[test]
    fn what_can_not_be_shown_is_not_shown_as_it_was_when_names_have_changed() {
        let tables = [parse_create_table("CREATE TABLE c (z INT, y TEXT)").unwrap()];
        let readable = Readable {
            tables: &tables,
            sequences: &[],
            types: &[],
            schemas: &[],
            visible: &Visible::of(&tables, &[], &["public".to_owned()]),
        };
        let written = "select x from a for update";
        assert_eq!(readable.text(&renamed(written), written), None);
    }
}
