//! Random queries of other shapes: grouping sets, LATERAL, rows from values, named windows, sub-selects.

use dialect::catalog::TypeId;

use crate::expressions::{Column, Generator};
use crate::node::{Node, Sort};
use crate::queries::Statement;

/// Functions that give rows of a column's value, and the type of what they give.
const EXPANDED: &[(&str, TypeId, TypeId)] = &[
    (
        "unnest(string_to_array({}, ' '))",
        TypeId::TEXT,
        TypeId::TEXT,
    ),
    (
        "regexp_split_to_table({}, '[,b]')",
        TypeId::TEXT,
        TypeId::TEXT,
    ),
    ("string_to_table({}, 'a')", TypeId::TEXT, TypeId::TEXT),
    (
        "unnest(regexp_match({}, '(.)(.)'))",
        TypeId::TEXT,
        TypeId::TEXT,
    ),
    ("unnest(ARRAY[{}, 5, NULL])", TypeId::INT4, TypeId::INT4),
    ("generate_series(1, {} % 4)", TypeId::INT4, TypeId::INT4),
    (
        "generate_series({}, 3.5, 1.25)",
        TypeId::NUMERIC,
        TypeId::NUMERIC,
    ),
    (
        "generate_series({}::timestamp, '2024-03-02', '400 days')",
        TypeId::DATE,
        TypeId::TIMESTAMP,
    ),
    ("jsonb_path_query({}, '$[*]')", TypeId::JSONB, TypeId::JSONB),
    (
        "jsonb_object_keys(jsonb_build_object('a', {}, 'b', 1))",
        TypeId::JSONB,
        TypeId::TEXT,
    ),
    (
        "jsonb_array_elements(jsonb_build_array({}, 1))",
        TypeId::JSONB,
        TypeId::JSONB,
    ),
    (
        "jsonb_array_elements_text(jsonb_build_array({}, 1))",
        TypeId::NUMERIC,
        TypeId::TEXT,
    ),
];

/// Calls over the window `v`.
const WINDOW_CALLS: &[&str] = &[
    "sum(u.i4) OVER v",
    "count(*) OVER v",
    "array_agg(u.id) OVER v",
    "row_number() OVER v",
    "first_value(u.tx) OVER v",
    "last_value(u.d) OVER v",
    "nth_value(u.n, 2) OVER v",
    "string_agg(u.tx, ',') OVER v",
    "avg(u.n) OVER v",
    "max(u.ts) OVER v",
    "min(u.tx) OVER v",
    "bool_or(u.b) OVER v",
    "lead(u.tx, 2, 'none') OVER v",
    "ntile(3) OVER v",
    "cume_dist() OVER v",
    "percent_rank() OVER v",
    "dense_rank() OVER v",
    "count(u.tx) FILTER (WHERE u.b) OVER v",
    "stddev_samp(u.i4) OVER v",
    "jsonb_agg(u.jb) OVER v",
    "sum(u.iv) OVER v",
    "count(DISTINCT u.i4) OVER v",
    "sum(u.f8) OVER (v ROWS 1 PRECEDING)",
];

impl Generator<'_> {
    /// A statement of one of the shapes.
    pub(crate) fn shaped(&mut self) -> Statement {
        match self.below(11) {
            0 | 1 => self.grouping_sets(),
            2 => self.lateral(),
            3 => self.expanded(),
            4 | 5 => self.named_windows(),
            6 => self.mixed_rows(),
            7 => self.mixed_sets(),
            8 => self.sorted(),
            9 => self.joined_using(),
            _ => self.correlated(),
        }
    }

    fn key_column(&mut self) -> Node {
        let those: Vec<String> = self
            .columns
            .iter()
            .filter(|column| {
                !matches!(
                    column.ty,
                    TypeId::JSON
                        | TypeId::JSONB
                        | TypeId::INTERVAL
                        | TypeId::NUMERIC
                        | TypeId::BPCHAR
                )
            })
            .map(|column| column.sql.clone())
            .collect();
        Node::leaf(Sort::Fixed, self.pick(&those).clone())
    }

    fn grouping_sets(&mut self) -> Statement {
        let table = *self.pick(&["t", "u", "w"]);
        self.columns = Self::table_columns(table, table);
        let keys: Vec<Node> = (0..3).map(|_| self.key_column()).collect();
        let [a, b, c] = [0, 1, 2].map(|at| keys[at].text());
        let clause = match self.below(8) {
            0 => format!("ROLLUP ({a}, {b})"),
            1 => format!("CUBE ({a}, {b})"),
            2 => format!("GROUPING SETS (({a}, {b}), ({a}), ())"),
            3 => format!("{a}, ROLLUP ({b})"),
            4 => format!("GROUPING SETS (({a}), ({b}))"),
            5 => format!("ROLLUP (({a}, {b}), {c})"),
            6 => format!("GROUPING SETS (ROLLUP ({a}), CUBE ({b}))"),
            _ => format!("DISTINCT ROLLUP ({a}, {b}), ROLLUP ({a})"),
        };
        let shown = if clause.contains(&c) {
            format!("{a}, {b}, {c}")
        } else {
            format!("{a}, {b}")
        };
        let grouping = if self.once_in(2) {
            Node::leaf(Sort::Optional, format!(", GROUPING ({a}, {b})"))
        } else {
            Node::none()
        };
        let aggregates = (0..=self.below(2)).map(|_| self.aggregate()).collect();
        let condition = self.filter();
        let having = if self.once_in(4) {
            let aggregate = self.aggregate();
            Node::clause(" HAVING {} IS NOT NULL", [aggregate])
        } else {
            Node::none()
        };
        let node = Node::fixed(
            &format!("SELECT {shown}{{}}, {{}} FROM {table}{{}} GROUP BY {clause}{{}}"),
            [grouping, Node::list(", ", aggregates), condition, having],
        );
        Statement::query(node, false)
    }

    fn lateral(&mut self) -> Statement {
        let outer = *self.pick(&["t", "u"]);
        let (alias, other) = (self.name("x"), self.name("y"));
        self.columns = Self::table_columns(outer, &alias);
        self.nested += 1;
        let inner = self.name("z");
        let before = self.columns.len();
        let columns = Self::table_columns("u", &inner);
        self.columns.extend(columns);
        let types = [self.sortable_type(), self.sortable_type()];
        let values = types.map(|ty| self.value(ty, 1));
        let condition = self.filter();
        self.columns.truncate(before);
        self.nested -= 1;
        let [one, two] = values;
        let limit = *self.pick(&["", " LIMIT 2", " LIMIT 1 OFFSET 1"]);
        let query = Node::fixed(
            &format!("SELECT {{}}, {{}} FROM u AS {inner}{{}} ORDER BY {inner}.id{limit}"),
            [one, two, condition],
        );
        for (at, ty) in types.into_iter().enumerate() {
            self.columns.push(Column {
                sql: format!("{other}.c{at}"),
                ty,
            });
        }
        let list = (0..=self.below(2))
            .map(|_| {
                let ty = self.any_type();
                self.value(ty, 1)
            })
            .collect();
        let last = self.filter();
        let join = *self.pick(&[", LATERAL ", " CROSS JOIN LATERAL ", " LEFT JOIN LATERAL "]);
        let on = if join.contains("LEFT") {
            " ON true"
        } else {
            ""
        };
        let node = Node::fixed(
            &format!(
                "SELECT {alias}.id, {{}} FROM {outer} AS {alias}{join}({{}}) AS {other} (c0, c1){on}{{}}"
            ),
            [Node::list(", ", list), query, last],
        );
        Statement::query(node, false)
    }

    fn expanded(&mut self) -> Statement {
        let (template, from, to) = *self.pick(EXPANDED);
        self.columns = Self::table_columns("u", "x1");
        let argument = self.leaf(from);
        let call = Node::fixed(template, [argument]);
        if self.once_in(3) {
            let ty = self.any_type();
            let value = self.value(ty, 1);
            let node = Node::fixed(
                "SELECT x1.id, {}, {} FROM u AS x1 ORDER BY x1.id",
                [call, value],
            );
            return Statement::query(node, true);
        }
        self.columns.push(Column {
            sql: "f1.v".to_owned(),
            ty: to,
        });
        let ty = self.any_type();
        let value = self.value(ty, 1);
        let condition = self.filter();
        let template = *self.pick(&[
            "SELECT x1.id, f1.v, {} FROM u AS x1, {} AS f1 (v){}",
            "SELECT x1.id, f1.*, {} FROM u AS x1 LEFT JOIN LATERAL {} AS f1 (v) ON true{}",
            "SELECT x1.id, f1.*, {} FROM u AS x1 CROSS JOIN LATERAL {} WITH ORDINALITY AS f1 (v, o){}",
        ]);
        Statement::query(Node::fixed(template, [value, call, condition]), false)
    }

    fn frame(&mut self) -> String {
        let (low, high) = (self.below(4), self.below(4));
        let start = match self.below(4) {
            0 => "UNBOUNDED PRECEDING".to_owned(),
            1 => "CURRENT ROW".to_owned(),
            2 => format!("{low} FOLLOWING"),
            _ => format!("{low} PRECEDING"),
        };
        let end = match self.below(4) {
            0 => "UNBOUNDED FOLLOWING".to_owned(),
            1 => "CURRENT ROW".to_owned(),
            2 => format!("{high} PRECEDING"),
            _ => format!("{high} FOLLOWING"),
        };
        let unit = *self.pick(&["ROWS", "GROUPS", "RANGE"]);
        let exclude = *self.pick(&[
            "",
            "",
            "",
            " EXCLUDE CURRENT ROW",
            " EXCLUDE GROUP",
            " EXCLUDE TIES",
            " EXCLUDE NO OTHERS",
        ]);
        format!(" {unit} BETWEEN {start} AND {end}{exclude}")
    }

    /// Windows with names, over rows or over groups.
    fn named_windows(&mut self) -> Statement {
        self.columns = Self::table_columns("u", "u");
        if self.once_in(3) {
            self.window_over_groups()
        } else {
            self.window_over_rows()
        }
    }

    fn window_over_groups(&mut self) -> Statement {
        let key = self.key_column().text();
        let call = *self.pick(&[
            "sum(count(*))",
            "rank()",
            "lag(count(*), 1, 0)",
            "avg(sum(u.i4))",
            "max(min(u.id))",
        ]);
        let node = Node::leaf(
            Sort::Fixed,
            format!(
                "SELECT {key}, count(*), {call} OVER (ORDER BY {key}) FROM u GROUP BY {key} ORDER BY 1"
            ),
        );
        Statement::query(node, true)
    }

    fn window_over_rows(&mut self) -> Statement {
        let partition = if self.once_in(2) {
            let key = self.key_column().text();
            Node::leaf(Sort::Optional, format!("PARTITION BY {key} "))
        } else {
            Node::none()
        };
        let direction = *self.pick(&["", " DESC"]);
        let frame = self.frame();
        let list = (0..=self.below(3))
            .map(|_| Node::leaf(Sort::Fixed, *self.pick(WINDOW_CALLS)))
            .collect();
        let condition = self.filter();
        // What is told of whole-number ranges stands on one key.
        let order = if frame.contains("RANGE") || self.once_in(2) {
            "u.id"
        } else {
            "u.i4, u.id"
        };
        let node = Node::fixed(
            &format!(
                "SELECT u.id, {{}} FROM u{{}} WINDOW v AS ({{}}ORDER BY {order}{direction}{{}}) ORDER BY 1"
            ),
            [
                Node::list(", ", list),
                condition,
                partition,
                Node::leaf(Sort::Optional, frame),
            ],
        );
        Statement::query(node, true)
    }

    /// Rows in an order of several values.
    fn sorted(&mut self) -> Statement {
        let table = *self.pick(&["t", "u"]);
        self.columns = Self::table_columns(table, table);
        let keys: Vec<Node> = (0..=self.below(2))
            .map(|_| {
                let ty = self.sortable_type();
                let value = self.value(ty, 1);
                let direction = *self.pick(&[
                    "",
                    " DESC",
                    " NULLS FIRST",
                    " DESC NULLS LAST",
                    " ASC NULLS LAST",
                ]);
                // A literal alone would be a place.
                let template = if self.columns.iter().any(|column| column.sql == value.text()) {
                    format!("{{}}{direction}, ")
                } else {
                    format!("(SELECT {{}}){direction}, ")
                };
                Node::clause(&template, [value])
            })
            .collect();
        let ty = self.any_type();
        let value = self.value(ty, 1);
        let condition = self.filter();
        let limit = match self.below(7) {
            0 => "",
            1 => " LIMIT 3",
            2 => " OFFSET 2",
            3 => " LIMIT 2 + 2 OFFSET (SELECT 1)",
            4 => " LIMIT ALL",
            5 => " OFFSET 3 ROWS FETCH NEXT ROW ONLY",
            _ => " FETCH FIRST 4 ROWS WITH TIES",
        };
        let places = "{}".repeat(keys.len());
        let template =
            format!("SELECT {table}.id, {{}} FROM {table}{{}} ORDER BY {places}{table}.id{{}}");
        let mut parts = vec![value, condition];
        parts.extend(keys);
        parts.push(Node::leaf(Sort::Optional, limit));
        Statement::query(Node::fixed(&template, parts), true)
    }

    fn joined_using(&mut self) -> Statement {
        let template = *self.pick(&[
            "SELECT * FROM t AS x1 JOIN u AS x2 USING (id){}",
            "SELECT id, x1.tx, x2.tx FROM t AS x1 LEFT JOIN u AS x2 USING (id, i4){}",
            "SELECT id, i4, x1.d FROM t AS x1 FULL JOIN u AS x2 USING (id){}",
            "SELECT * FROM u AS x2 NATURAL LEFT JOIN (SELECT id, tx FROM t) AS x1{}",
            "SELECT i2, k, x1.id FROM t AS x1 RIGHT JOIN w USING (i2){}",
            "SELECT j.id, j.tx FROM (t AS x1 JOIN u AS x2 USING (id, tx)) AS j{}",
            "SELECT x1.*, x2.id FROM w AS x1 JOIN u AS x2 USING (i4){}",
            "SELECT count(*), id FROM t AS x1 JOIN u AS x2 USING (id){} GROUP BY id",
        ]);
        if template.contains("x1")
            && template.contains("x2")
            && !template.contains("AS j")
            && !template.contains("SELECT id, tx")
        {
            let left = if template.contains("w AS x1") {
                "w"
            } else {
                "t"
            };
            self.columns = Self::table_columns(left, "x1");
            let more = Self::table_columns("u", "x2");
            self.columns.extend(more);
        }
        let condition = self.filter();
        let template = if template.contains("i4, x1.d") {
            template.replacen(", i4", ", x2.i4", 1)
        } else {
            template.to_owned()
        };
        Statement::query(Node::fixed(&template, [condition]), false)
    }

    /// Sub-selects with aggregates, of rows and of arrays.
    fn correlated(&mut self) -> Statement {
        self.columns = Self::table_columns("t", "x1");
        let ty = self.any_type();
        let outer = self.value(ty, 1);
        self.nested += 1;
        let columns = Self::table_columns("u", "x2");
        let before = self.columns.len();
        self.columns.extend(columns);
        let aggregate = self.aggregate();
        let condition = self.condition(1);
        let [a, b] = [TypeId::INT4, TypeId::TEXT].map(|ty| self.leaf(ty));
        self.columns.truncate(before);
        self.nested -= 1;
        let node = match self.below(6) {
            0 => Node::fixed(
                "SELECT x1.id, {}, (SELECT {} FROM u AS x2 WHERE x2.t_id = x1.id) FROM t AS x1",
                [outer, aggregate],
            ),
            1 => Node::fixed(
                "SELECT x1.id, {} FROM t AS x1 WHERE (x1.i4, x1.tx) IN (SELECT {}, {} FROM u AS x2)",
                [outer, a, b],
            ),
            2 => Node::fixed(
                "SELECT x1.id, ARRAY(SELECT x2.id FROM u AS x2 WHERE {} ORDER BY x2.id), {} FROM t AS x1",
                [condition, outer],
            ),
            3 => Node::fixed(
                "SELECT x1.id, {}, (SELECT count(*) FROM u AS x2 WHERE {}) FROM t AS x1",
                [outer, condition],
            ),
            4 => Node::fixed(
                "SELECT x1.id, (x1.i4, x1.tx) = (SELECT {}, {} FROM u AS x2 WHERE x2.id = 3), {} FROM t AS x1",
                [a, b, outer],
            ),
            _ => Node::fixed(
                "WITH q1 AS MATERIALIZED (SELECT x2.t_id, {} AS s FROM u AS x2 GROUP BY x2.t_id) SELECT x1.id, {}, q1.s FROM t AS x1 LEFT JOIN q1 ON q1.t_id = x1.id",
                [aggregate, outer],
            ),
        };
        Statement::query(node, false)
    }
}
