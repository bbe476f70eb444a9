//! Random queries.

use dialect::catalog::TypeId;

use crate::expressions::{Column, Generator};
use crate::node::{Node, Sort};
use crate::schema::TABLES;
use crate::values::TYPES;

/// A statement, and how its answer is to be read.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) node: Node,
    /// The rows come in an order that the statement says.
    pub(crate) ordered: bool,
    /// Ask for values in the binary format.
    pub(crate) binary: bool,
    /// The table that it changes.
    pub(crate) changes: Option<&'static str>,
}

impl Statement {
    pub(crate) fn query(node: Node, ordered: bool) -> Self {
        Self {
            node,
            ordered,
            binary: false,
            changes: None,
        }
    }
}

impl Generator<'_> {
    /// One of the functions, operators and casts, on literals or on a table's columns.
    pub(crate) fn one_call(&mut self, number: usize) -> Statement {
        let signatures = self.signatures;
        let signature = &signatures.calls[number % signatures.calls.len()];
        if self.once_in(3) {
            let table = Self::table_columns("t", "t");
            self.columns = table;
            let call = self.call(signature, 0);
            let node = Node::fixed(
                "SELECT id, {} FROM t WHERE id BETWEEN {} ORDER BY id",
                [
                    call,
                    Node::leaf(
                        Sort::Fixed,
                        ["1 AND 4", "5 AND 9", "10 AND 16", "1 AND 16"][self.below(4)],
                    ),
                ],
            );
            return Statement::query(node, true);
        }
        let depth = u32::from(self.once_in(4));
        let call = self.call(signature, depth);
        Statement::query(Node::fixed("SELECT {}", [call]), true)
    }

    /// Deeper values without a table.
    pub(crate) fn values_alone(&mut self) -> Statement {
        let list = (0..=self.below(2))
            .map(|_| {
                let ty = self.any_type();
                self.value(ty, 3)
            })
            .collect();
        Statement::query(Node::fixed("SELECT {}", [Node::list(", ", list)]), true)
    }

    /// The columns of a table under an alias.
    pub(crate) fn table_columns(table: &str, alias: &str) -> Vec<Column> {
        let found = TABLES.iter().find(|known| known.name == table);
        let columns = found.map_or(&[][..], |table| table.columns);
        columns
            .iter()
            .map(|(name, ty, _)| Column {
                sql: format!("{alias}.{name}"),
                ty: *ty,
            })
            .collect()
    }

    /// Something to select from; its columns can be named from now on. Gives the keys of its rows, too.
    pub(crate) fn source(&mut self, keys: &mut Vec<String>) -> Node {
        let alias = self.name("x");
        match self.below(8) {
            0 if self.nested < 2 => {
                let (types, query) = self.derived(2);
                for (at, ty) in types.iter().enumerate() {
                    self.columns.push(Column {
                        sql: format!("{alias}.c{at}"),
                        ty: *ty,
                    });
                }
                let names: Vec<String> = (0..types.len()).map(|at| format!("c{at}")).collect();
                Node::fixed(
                    &format!("({{}}) AS {alias} ({})", names.join(", ")),
                    [query],
                )
            }
            1 => {
                let ty = self.any_type();
                let rows = (0..=self.below(3)).map(|at| {
                    let value = self.literal(ty);
                    Node::fixed(&format!("({at}, {{}})"), [value])
                });
                let rows = rows.collect();
                self.columns.push(Column {
                    sql: format!("{alias}.a"),
                    ty: TypeId::INT4,
                });
                self.columns.push(Column {
                    sql: format!("{alias}.b"),
                    ty,
                });
                keys.push(format!("{alias}.a"));
                Node::fixed(
                    &format!("(VALUES {{}}) AS {alias} (a, b)"),
                    [Node::list(", ", rows)],
                )
            }
            2 => {
                self.columns.push(Column {
                    sql: alias.clone(),
                    ty: TypeId::INT4,
                });
                keys.push(alias.clone());
                Node::leaf(
                    Sort::Fixed,
                    format!("generate_series(1, {}) AS {alias}", self.below(4)),
                )
            }
            _ => {
                let table = ["t", "t", "u", "u", "w"][self.below(5)];
                let columns = Self::table_columns(table, &alias);
                self.columns.extend(columns);
                keys.push(match table {
                    "w" => format!("{alias}.k, {alias}.i2"),
                    _ => format!("{alias}.id"),
                });
                Node::leaf(Sort::Fixed, format!("{table} AS {alias}"))
            }
        }
    }

    /// A query of so many columns, in no order.
    pub(crate) fn derived(&mut self, width: usize) -> (Vec<TypeId>, Node) {
        let outer = std::mem::take(&mut self.columns);
        self.nested += 1;
        let from = self.source(&mut Vec::new());
        let types: Vec<TypeId> = (0..width).map(|_| self.sortable_type()).collect();
        let list = types
            .iter()
            .map(|ty| self.value(*ty, 1))
            .collect::<Vec<_>>();
        let mut list = list.into_iter();
        let mut targets = Node::none();
        for (at, value) in list.by_ref().enumerate() {
            let between = if at > 0 { "{}, {}" } else { "{}{}" };
            targets = Node::fixed(between, [targets, value]);
        }
        let condition = self.filter();
        self.nested -= 1;
        self.columns = outer;
        (
            types,
            Node::fixed("SELECT {} FROM {}{}", [targets, from, condition]),
        )
    }

    /// WHERE, or nothing.
    pub(crate) fn filter(&mut self) -> Node {
        if self.once_in(2) {
            return Node::none();
        }
        let condition = self.condition(2);
        Node::clause(" WHERE {}", [condition])
    }

    /// FROM with up to three sources, the keys of the joined rows, and whether they tell all rows from each other.
    pub(crate) fn from(&mut self) -> (Node, Vec<String>, bool) {
        let mut keys = Vec::new();
        let mut from = self.source(&mut keys);
        let joins = self.below(3);
        let mut outer = false;
        for _ in 0..joins {
            let kind = *self.pick(&[
                "JOIN",
                "LEFT JOIN",
                "RIGHT JOIN",
                "FULL JOIN",
                "CROSS JOIN",
                "LEFT JOIN",
            ]);
            outer |= !matches!(kind, "JOIN" | "CROSS JOIN");
            let before = self.columns.len();
            let right = self.source(&mut keys);
            let joined = if kind == "CROSS JOIN" {
                Node::fixed("{} CROSS JOIN {}", [from.clone(), right])
            } else {
                let condition = self.join_condition(before, kind == "FULL JOIN");
                Node::fixed(
                    &format!("{{}} {kind} {{}} ON {{}}"),
                    [from.clone(), right, condition],
                )
            };
            from = Node::fixed("{}", [joined]);
        }
        // An outer join leaves rows without keys.
        let whole = keys.len() == joins + 1 && !outer;
        (from, keys, whole)
    }

    fn join_condition(&mut self, before: usize, only_equal: bool) -> Node {
        let pairs: Vec<(String, String)> = self.columns[..before]
            .iter()
            .flat_map(|left| {
                self.columns[before..]
                    .iter()
                    .filter(|right| right.ty == left.ty && left.ty != TypeId::JSON)
                    .map(|right| (left.sql.clone(), right.sql.clone()))
            })
            .collect();
        if pairs.is_empty() {
            return Node::leaf(Sort::Fixed, "true");
        }
        let (left, right) = self.pick(&pairs).clone();
        let equal = Node::leaf(Sort::Fixed, format!("{left} = {right}"));
        if only_equal || !self.once_in(4) {
            return equal;
        }
        let more = self.condition(1);
        Node::fixed("{}{}", [equal, Node::clause(" AND {}", [more])])
    }

    /// A query over tables.
    pub(crate) fn query(&mut self) -> Statement {
        let with = self.with();
        let (from, keys, whole) = self.from();
        let list: Vec<Node> = (0..=self.below(3))
            .map(|_| {
                let ty = self.any_type();
                self.value(ty, 2)
            })
            .collect();
        let condition = self.filter();
        let list = Node::list(", ", list);
        if self.once_in(3) && keys.len() < 3 && !keys.is_empty() {
            let order = keys.join(", ");
            let direction = *self.pick(&["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]);
            let limit = match self.below(4) {
                // Of rows that are alike in what they are sorted by, either may come first.
                _ if !whole => Node::none(),
                0 => Node::clause(
                    &format!(" LIMIT {} OFFSET {}", self.below(6), self.below(4)),
                    [],
                ),
                1 => Node::clause(&format!(" FETCH FIRST {} ROWS ONLY", 1 + self.below(5)), []),
                _ => Node::none(),
            };
            let order = Node::leaf(Sort::Fixed, format!(" ORDER BY {order}{direction}"));
            let node = Node::fixed(
                "{}SELECT {} FROM {}{}{}{}",
                [with, list, from, condition, order, limit],
            );
            // Keys may be NULL in outer joins, and then the order is not whole.
            return Statement::query(node, false);
        }
        let node = Node::fixed("{}SELECT {} FROM {}{}", [with, list, from, condition]);
        Statement::query(node, false)
    }

    fn with(&mut self) -> Node {
        match self.below(12) {
            0 => {
                let name = self.name("r");
                let top = 1 + self.below(5);
                self.columns.clear();
                Node::leaf(
                    Sort::Optional,
                    format!(
                        "WITH RECURSIVE {name} (n, s) AS (SELECT 1, 'a'::text UNION ALL SELECT n + 1, s || n FROM {name} WHERE n < {top}) "
                    ),
                )
            }
            1 => {
                let (_, query) = self.derived(2);
                let name = self.name("q");
                Node::clause(&format!("WITH {name} (a, b) AS ({{}}) "), [query])
            }
            _ => Node::none(),
        }
    }

    /// A function that gives rows.
    pub(crate) fn rows_of(&mut self) -> Statement {
        let signatures = self.signatures;
        let signature = self.pick(&signatures.sets);
        let call = self.call(signature, 0);
        let ordinality = *self.pick(&["", "", " WITH ORDINALITY"]);
        let node = Node::fixed(&format!("SELECT * FROM {{}}{ordinality}"), [call]);
        Statement::query(node, true)
    }

    /// (SELECT …)
    pub(crate) fn scalar_query(&mut self, ty: TypeId, depth: u32) -> Node {
        self.nested += 1;
        let before = self.columns.len();
        let alias = self.name("s");
        let columns = Self::table_columns("u", &alias);
        self.columns.extend(columns);
        let value = self.value(ty, depth.min(1));
        let id = 1 + self.below(20);
        let node = match self.below(3) {
            0 => Node::value(ty, "(SELECT {})", [value]),
            1 => Node::value(
                ty,
                &format!("(SELECT {{}} FROM u AS {alias} WHERE {alias}.id = {id})"),
                [value],
            ),
            _ => Node::value(
                ty,
                &format!("(SELECT {{}} FROM u AS {alias} ORDER BY {alias}.id DESC LIMIT 1)"),
                [value],
            ),
        };
        let text = node.text();
        self.columns.truncate(before);
        self.nested -= 1;
        if text.contains("FROM u") || !text.contains(&alias) {
            return node;
        }
        self.literal(ty)
    }

    pub(crate) fn exists(&mut self, depth: u32) -> Node {
        self.nested += 1;
        let before = self.columns.len();
        let from = self.source(&mut Vec::new());
        let condition = self.condition(depth.min(1));
        self.columns.truncate(before);
        self.nested -= 1;
        let template = *self.pick(&[
            "EXISTS (SELECT 1 FROM {}{})",
            "NOT EXISTS (SELECT FROM {}{})",
        ]);
        Node::value(
            TypeId::BOOL,
            template,
            [from, Node::clause(" WHERE {}", [condition])],
        )
    }

    pub(crate) fn in_query(&mut self, depth: u32) -> Node {
        let ty = self.sortable_type();
        let one = self.value(ty, depth);
        self.nested += 1;
        let before = self.columns.len();
        let from = self.source(&mut Vec::new());
        let value = self.leaf(ty);
        self.columns.truncate(before);
        self.nested -= 1;
        let template = *self.pick(&[
            "({} IN (SELECT {} FROM {}))",
            "({} NOT IN (SELECT {} FROM {}))",
            "({} = ANY (SELECT {} FROM {}))",
            "({} < ALL (SELECT {} FROM {}))",
        ]);
        Node::value(TypeId::BOOL, template, [one, value, from])
    }

    /// Calls with arguments of any types, and other statements that mean nothing.
    pub(crate) fn wrong(&mut self) -> Statement {
        self.columns = Self::table_columns("u", "u");
        let signatures = self.signatures;
        let list = if self.once_in(4) {
            &signatures.aggregates
        } else {
            &signatures.calls
        };
        let signature = self.pick(list);
        let arguments: Vec<Node> = (0..signature.arguments.len())
            .map(|_| {
                if self.once_in(4) {
                    return Node::leaf(
                        Sort::Fixed,
                        ["'x'", "NULL", "1", "'1'", "2.5", "'{}'", "true"][self.below(7)],
                    );
                }
                let ty = self.pick(TYPES).0;
                self.leaf(ty)
            })
            .collect();
        let call = Node::value(signature.result, &signature.template, arguments);
        let template = *self.pick(&[
            "SELECT {} FROM u WHERE id < 3",
            "SELECT id FROM u WHERE {}",
            "SELECT {} + 1 FROM u LIMIT 0",
            "SELECT {} || 'x' FROM u LIMIT 0",
            "SELECT id, count(*) FROM u GROUP BY {}",
            "SELECT CASE WHEN true THEN {} ELSE 1 END FROM u LIMIT 0",
            "SELECT coalesce({}, '1') FROM u LIMIT 0",
            "SELECT sum({}) FROM u WHERE id < 0",
            "SELECT id FROM u UNION ALL SELECT {} FROM u",
            "SELECT nothing, {} FROM u",
            "SELECT {} FROM u AS x",
            "SELECT u.nothing = {} FROM u",
            "SELECT id FROM u ORDER BY {}, id LIMIT 1",
            "SELECT 1 FROM u LIMIT {}",
            "SELECT {} IN (1, 'a') FROM u LIMIT 0",
            "SELECT nofunction({}) FROM u",
            "SELECT {}::nothing FROM u",
            "SELECT * FROM nothing WHERE {}",
            "SELECT (SELECT id, {} FROM u)",
            "SELECT id IN (SELECT id, {} FROM u) FROM u",
        ]);
        Statement::query(Node::fixed(template, [call]), false)
    }
}
