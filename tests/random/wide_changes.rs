//! Random changes with sub-selects, several sources, and WITH.

use dialect::catalog::TypeId;

use crate::expressions::Generator;
use crate::node::Node;
use crate::queries::Statement;
use crate::schema::TABLES;

impl Generator<'_> {
    /// One of them.
    pub(crate) fn other_change(&mut self) -> Statement {
        let table = &TABLES[1 + self.below(2)];
        let name = table.name;
        self.columns = Self::table_columns(name, name);
        let ty = self.any_type();
        let value = self.value(ty, 1);
        let condition = self.condition(1);
        let node = match self.below(9) {
            0 => Node::fixed(
                "WITH c1 AS (UPDATE u SET tx = 'new' WHERE {} RETURNING u.id, {} AS v) SELECT * FROM c1",
                [self.on("u"), self.value_on("u")],
            ),
            1 => Node::fixed(
                "WITH c1 AS (DELETE FROM u WHERE {} RETURNING *) SELECT count(*), max(c1.id) FROM c1",
                [self.on("u")],
            ),
            2 => Node::fixed(
                "WITH c1 (a, b) AS (INSERT INTO w (k, i2, i4) SELECT tx, 100 + row_number() OVER (ORDER BY id), i4 FROM u WHERE {} RETURNING k, i2) SELECT c1.b, c1.a FROM c1 ORDER BY 1",
                [self.on("u")],
            ),
            3 => Node::fixed(
                "UPDATE u SET (tx, i4) = (SELECT x1.tx, x1.i4 FROM t AS x1 WHERE x1.id = u.t_id) WHERE {} RETURNING id, tx, i4",
                [self.on("u")],
            ),
            4 => Node::fixed(
                "UPDATE u SET (tx, n) = ROW({}, DEFAULT), d = DEFAULT WHERE {}",
                [self.text_on("u"), self.on("u")],
            ),
            5 => Node::fixed(
                "DELETE FROM u USING t AS x1 WHERE x1.id = u.t_id AND {}",
                [self.on("u")],
            ),
            6 => Node::fixed(
                "INSERT INTO u SELECT x1.id + 15, NULL, x1.i4 FROM t AS x1 ON CONFLICT (id) DO UPDATE SET i4 = excluded.i4 + 1, tx = u.tx || excluded.id WHERE {} RETURNING id, i4, tx",
                [self.on("u")],
            ),
            7 => Node::fixed(
                "UPDATE u SET tx = v1.b FROM (VALUES (1, 'one'), (2, NULL), (3, 'x')) AS v1 (a, b) WHERE u.id = v1.a AND {} RETURNING u.*",
                [self.on("u")],
            ),
            _ => Node::fixed(
                &format!("DELETE FROM {name} WHERE {{}} RETURNING {{}}, {name}.*"),
                [condition, value],
            ),
        };
        let text = node.text();
        let of_w = text.contains("INTO w") || text.contains("FROM w WHERE");
        let changes = if of_w { "w" } else { "u" };
        Statement {
            node,
            ordered: false,
            binary: false,
            changes: Some(changes),
        }
    }

    fn on(&mut self, table: &str) -> Node {
        self.columns = Self::table_columns(table, table);
        self.condition(1)
    }

    fn value_on(&mut self, table: &str) -> Node {
        self.columns = Self::table_columns(table, table);
        let ty = self.any_type();
        self.value(ty, 1)
    }

    fn text_on(&mut self, table: &str) -> Node {
        self.columns = Self::table_columns(table, table);
        self.value(TypeId::TEXT, 1)
    }
}
