//! Random statements that mean the same in both dialects.

use std::fmt::Write as _;

use crate::engine::hex;
use crate::random::Random;

/// Tables of every history. Others come and go as `x0`, `x1`.
pub(crate) const TABLES: [&str; 7] = ["item", "part", "pair", "log", "node", "x0", "x1"];

/// The schema that a history begins with.
pub(crate) const SCHEMA: [&str; 8] = [
    "CREATE TABLE item (id integer PRIMARY KEY, k bigint NOT NULL DEFAULT 7 CHECK (k >= 0), v text UNIQUE, b bytea, r double precision)",
    "CREATE TABLE part (id integer PRIMARY KEY, item integer REFERENCES item (id) ON DELETE CASCADE ON UPDATE CASCADE, n bigint NOT NULL, v text)",
    "CREATE TABLE pair (a bigint, c text, n bigint, PRIMARY KEY (a, c))",
    "CREATE TABLE log (id integer PRIMARY KEY, what text, old bigint, new bigint)",
    "CREATE TABLE node (id integer PRIMARY KEY, up integer REFERENCES node (id) DEFERRABLE INITIALLY DEFERRED, first integer REFERENCES item (id) ON DELETE SET NULL, w bigint)",
    "CREATE INDEX item_k ON item (k, v)",
    "CREATE INDEX part_item ON part (item) WHERE n > 3",
    "CREATE VIEW total AS SELECT i.id, i.k, sum(p.n) AS n FROM item i LEFT JOIN part p ON p.item = i.id GROUP BY i.id, i.k",
];

/// A statement; blobs are spelled in each dialect's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sql(String);

impl Sql {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As PostgreSQL's clients write it.
    pub(crate) fn ours(&self) -> String {
        self.0.replace("BLOB'", "'\\x")
    }

    /// As SQLite has it.
    pub(crate) fn plain(&self) -> String {
        self.0.replace("BLOB'", "X'")
    }

    /// Whether it can only change rows: nothing is read, nothing defined.
    pub(crate) fn is_change(&self) -> bool {
        ["INSERT", "UPDATE", "DELETE", "REPLACE"]
            .iter()
            .any(|word| self.0.starts_with(word))
    }
}

/// Makes statements.
pub(crate) struct Generator<'a>(pub(crate) &'a mut Random);

impl Generator<'_> {
    /// Something that changes rows.
    pub(crate) fn change(&mut self) -> Sql {
        let id = self.0.below(40);
        let n = self.0.below(12);
        let text = match self.0.below(25) {
            0..=3 => format!("INSERT INTO item (id, k, v, b, r) VALUES {}", self.items()),
            4 => {
                let v = self.text();
                format!(
                    "INSERT INTO item (id, k, v) VALUES ({id}, {n}, {v}) ON CONFLICT (id) DO UPDATE SET k = item.k + excluded.k, v = excluded.v"
                )
            }
            5 => {
                let v = self.text();
                format!(
                    "INSERT INTO item (id, k, v) VALUES ({id}, {n}, {v}) ON CONFLICT (id) DO UPDATE SET k = excluded.k, v = excluded.v"
                )
            }
            6 => format!(
                "INSERT INTO part (id, item, n, v) VALUES ({}, {id}, {n}, {})",
                self.0.below(90),
                self.text()
            ),
            7 => format!(
                "INSERT INTO part (id, item, n) SELECT id + 100, id, k % 9 FROM item WHERE k < {n} ON CONFLICT DO NOTHING"
            ),
            8 => format!(
                "INSERT INTO pair VALUES ({id}, {}, {n}) ON CONFLICT (a, c) DO UPDATE SET n = pair.n + 1",
                self.word()
            ),
            9 => format!(
                "INSERT INTO pair SELECT id, 's', {n} FROM item WHERE id % 3 = {}",
                n % 3
            ),
            10 => format!("UPDATE item SET k = k + 1, r = k / 4.0 WHERE id < {id}"),
            11 => {
                let blob = self.blob();
                format!("UPDATE item SET b = {blob} WHERE id % 5 = {}", n % 5)
            }
            12 => format!("UPDATE item SET id = id + 100 WHERE id = {id}"),
            13 => format!(
                "UPDATE part SET n = (SELECT count(*) FROM item WHERE k > part.n), v = {} WHERE item = {id}",
                self.text()
            ),
            14 => format!("UPDATE item SET k = k - 4 WHERE id % 4 = {}", n % 4),
            15 => format!("DELETE FROM item WHERE id % 11 = {}", n % 11),
            16 => format!(
                "DELETE FROM part WHERE n < {n} AND item IN (SELECT id FROM item WHERE k > {id})"
            ),
            17 => format!(
                "DELETE FROM pair WHERE a > {id} AND EXISTS (SELECT 1 FROM item WHERE item.id = pair.a)"
            ),
            _ => self.linked(id, n),
        };
        Sql(text)
    }

    /// The same, where tables hang together.
    fn linked(&mut self, id: u64, n: u64) -> String {
        match self.0.below(7) {
            0 | 1 => {
                let (up, w) = (self.0.below(25), self.0.below(100));
                format!(
                    "INSERT INTO node (id, up, first, w) VALUES ({}, {up}, (SELECT min(id) FROM item WHERE id >= {id}), {w})",
                    self.0.below(25)
                )
            }
            2 => format!(
                "UPDATE node SET up = {} WHERE id % 6 = {}",
                self.0.below(25),
                n % 6
            ),
            3 => format!(
                "DELETE FROM node WHERE w > {} AND id > {n}",
                self.0.below(100)
            ),
            4 => format!(
                "DELETE FROM item WHERE id IN (SELECT id FROM total WHERE id = {id} OR n > {})",
                3 * n
            ),
            5 => format!(
                "UPDATE item SET k = p.n, v = v || '.' FROM (SELECT item, max(n) AS n FROM part GROUP BY item) AS p WHERE p.item = item.id AND item.id > {id}"
            ),
            _ => format!(
                "INSERT INTO item (id, k, v) VALUES ({id}, {n}, {}) ON CONFLICT (v) DO UPDATE SET k = 1 RETURNING id, k, v",
                self.word()
            ),
        }
    }

    /// Something that defines.
    pub(crate) fn definition(&mut self) -> Sql {
        let table = *self.0.pick(&TABLES[5..]);
        let n = self.0.below(3);
        let text = match self.0.below(13) {
            0..=2 => format!(
                "CREATE TABLE {table} (id integer PRIMARY KEY, c{n} bigint DEFAULT {n}, v text)"
            ),
            3 => format!("DROP TABLE {table}"),
            4 => format!("ALTER TABLE {table} ADD COLUMN d{n} text DEFAULT 'd'"),
            5 => format!("ALTER TABLE {table} DROP COLUMN d{n}"),
            6 => format!("ALTER TABLE {table} RENAME COLUMN v TO w"),
            7 => format!("CREATE INDEX i{n} ON item (r DESC, k)"),
            8 => format!("DROP INDEX i{n}"),
            9 => "CREATE INDEX part_v ON part (v)".to_owned(),
            10 => "DROP INDEX part_v".to_owned(),
            11 => format!("INSERT INTO {table} (id, v) SELECT id, v FROM item"),
            _ => format!("CREATE UNIQUE INDEX u{n} ON {table} (v)"),
        };
        Sql(text)
    }

    /// A query whose rows come in any order.
    pub(crate) fn query(&mut self) -> Sql {
        let id = self.0.below(40);
        let n = self.0.below(12);
        let text = match self.0.below(9) {
            0 => format!("SELECT id, k, v, b, r FROM item WHERE k >= {n} AND id < {id}"),
            1 => format!(
                "SELECT p.id, i.v, p.n FROM part p JOIN item i ON i.id = p.item WHERE p.n > {n}"
            ),
            2 => "SELECT k, count(*), min(v), max(id) FROM item GROUP BY k HAVING count(*) > 1"
                .to_owned(),
            3 => format!(
                "SELECT id FROM item WHERE k > {n} UNION SELECT item FROM part EXCEPT SELECT a FROM pair"
            ),
            4 => format!(
                "SELECT id, k, row_number() OVER (PARTITION BY k ORDER BY id), sum(k) OVER (ORDER BY id) FROM item WHERE id > {id}"
            ),
            5 => "SELECT id, k, n FROM total".to_owned(),
            6 => format!(
                "WITH RECURSIVE c (x) AS (SELECT {n} UNION ALL SELECT x + 7 FROM c WHERE x < {id}) SELECT x, (SELECT count(*) FROM item WHERE id < x) FROM c"
            ),
            7 => format!(
                "SELECT CASE WHEN k BETWEEN 2 AND {n} THEN 'in' WHEN v IS NULL THEN 'none' ELSE 'out' END, length(v) FROM item"
            ),
            _ => {
                format!("SELECT a, c, n FROM pair WHERE (a, c) > ({id}, 'b') AND NOT n IN (1, {n})")
            }
        };
        Sql(text)
    }

    fn items(&mut self) -> String {
        let mut all = String::new();
        for index in 0..=self.0.below(3) {
            let comma = if index > 0 { ", " } else { "" };
            let (id, k) = (self.0.below(40), self.0.below(12));
            let (v, b, r) = (self.text(), self.blob(), self.0.below(40));
            // NULL where k is not allowed to be.
            let k = if self.0.one_in(12) {
                "NULL".to_owned()
            } else {
                k.to_string()
            };
            write!(all, "{comma}({id}, {k}, {v}, {b}, {r} / 8.0)").expect("a String takes all");
        }
        all
    }

    fn text(&mut self) -> String {
        match self.0.below(6) {
            0 => "NULL".to_owned(),
            1 => format!(
                "'{}'",
                "long ".repeat(usize::try_from(self.0.below(900)).expect("small"))
            ),
            2 => "'é ''quoted'''".to_owned(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> String {
        format!(
            "'{}{}'",
            self.0.pick(&["a", "b", "C", "d"]),
            self.0.below(20)
        )
    }

    fn blob(&mut self) -> String {
        let length = match self.0.below(8) {
            0 => return "NULL".to_owned(),
            1 => self.0.below(9000),
            _ => self.0.below(30),
        };
        let bytes: Vec<u8> = (0..length).map(|_| self.0.byte()).collect();
        format!("BLOB'{}'", hex(&bytes))
    }
}
