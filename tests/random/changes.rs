//! Random changes of rows.

use dialect::catalog::TypeId;

use crate::expressions::{Column, Generator};
use crate::node::{Node, Sort};
use crate::queries::Statement;
use crate::schema::{TABLES, Table};

impl Generator<'_> {
    /// INSERT, UPDATE or DELETE.
    pub(crate) fn change(&mut self) -> Statement {
        let table = &TABLES[self.below(TABLES.len())];
        let node = match self.below(5) {
            0 | 1 => self.insert(table),
            2 | 3 => self.update(table),
            _ => self.delete(table),
        };
        Statement {
            node,
            ordered: false,
            binary: false,
            changes: Some(table.name),
        }
    }

    /// A few of a table's columns.
    fn some_columns(&mut self, table: &Table) -> Vec<(&'static str, TypeId)> {
        let mut all: Vec<_> = table
            .columns
            .iter()
            .map(|(name, ty, _)| (*name, *ty))
            .collect();
        let count = 1 + self.below(4);
        while all.len() > count {
            let at = self.below(all.len());
            let is_key = ["id", "k", "i2"].contains(&all[at].0);
            if !is_key || self.once_in(10) {
                all.remove(at);
            } else if all
                .iter()
                .filter(|(name, _)| ["id", "k", "i2"].contains(name))
                .count()
                >= all.len()
            {
                break;
            }
        }
        all
    }

    /// What a column gets: a value of its type, or of one that is assigned to it.
    fn assigned(&mut self, name: &str, ty: TypeId, depth: u32) -> Node {
        if name == "id" && !self.once_in(6) {
            let number = 1 + self.below(40);
            return Node::leaf(Sort::Value(ty), number.to_string());
        }
        if name == "t_id" {
            let number = 1 + self.below(20);
            return Node::leaf(Sort::Value(ty), number.to_string());
        }
        match self.below(10) {
            0 => Node::leaf(Sort::Value(ty), "DEFAULT"),
            1 => {
                let other = self.any_type();
                self.value(other, depth)
            }
            2 => Node::leaf(Sort::Value(ty), "NULL"),
            _ => self.value(ty, depth),
        }
    }

    fn insert(&mut self, table: &Table) -> Node {
        let columns = self.some_columns(table);
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        let source = if self.once_in(4) {
            self.columns = Self::table_columns("u", "u");
            let list: Vec<Node> = columns.iter().map(|(_, ty)| self.value(*ty, 1)).collect();
            let template = vec!["{}"; list.len()].join(", ");
            Node::fixed(&format!("SELECT {template} FROM u WHERE u.id < 4"), list)
        } else {
            let rows = (0..=self.below(2))
                .map(|_| {
                    let list: Vec<Node> = columns
                        .iter()
                        .map(|(name, ty)| self.assigned(name, *ty, 1))
                        .collect();
                    let template = vec!["{}"; list.len()].join(", ");
                    Node::fixed(&format!("({template})"), list)
                })
                .collect();
            Node::fixed("VALUES {}", [Node::list(", ", rows)])
        };
        self.columns = Self::table_columns(table.name, table.name);
        let conflict = self.conflict(table);
        let returning = self.returning();
        Node::fixed(
            &format!("INSERT INTO {} ({names}) {{}}{{}}{{}}", table.name),
            [source, conflict, returning],
        )
    }

    fn conflict(&mut self, table: &Table) -> Node {
        let target = if table.name == "w" { "(k, i2)" } else { "(id)" };
        match self.below(5) {
            0 => Node::leaf(Sort::Optional, " ON CONFLICT DO NOTHING"),
            1 => Node::leaf(Sort::Optional, format!(" ON CONFLICT {target} DO NOTHING")),
            2 => {
                let columns = table.columns.iter().map(|(name, ty, _)| Column {
                    sql: format!("excluded.{name}"),
                    ty: *ty,
                });
                let before = self.columns.len();
                self.columns.extend(columns);
                let assignments = self.assignments(table);
                let condition = if self.once_in(3) {
                    let condition = self.condition(1);
                    Node::clause(" WHERE {}", [condition])
                } else {
                    Node::none()
                };
                self.columns.truncate(before);
                Node::clause(
                    &format!(" ON CONFLICT {target} DO UPDATE SET {{}}{{}}"),
                    [assignments, condition],
                )
            }
            _ => Node::none(),
        }
    }

    fn assignments(&mut self, table: &Table) -> Node {
        let columns = self.some_columns(table);
        let list = columns
            .into_iter()
            .filter(|(name, _)| *name != "id" || columns_are_few(table))
            .map(|(name, ty)| {
                let value = self.assigned(name, ty, 1);
                Node::fixed(&format!("{name} = {{}}"), [value])
            })
            .collect::<Vec<_>>();
        if list.is_empty() {
            return Node::leaf(Sort::Fixed, format!("{} = NULL", table.columns[3].0));
        }
        Node::list(", ", list)
    }

    fn update(&mut self, table: &Table) -> Node {
        self.columns = Self::table_columns(table.name, table.name);
        let from = if self.once_in(4) {
            let alias = self.name("f");
            let columns = Self::table_columns("w", &alias);
            self.columns.extend(columns);
            Node::leaf(
                Sort::Fixed,
                format!(" FROM w AS {alias} WHERE {alias}.i2 = 3 AND "),
            )
        } else {
            Node::leaf(Sort::Fixed, " WHERE ")
        };
        let assignments = self.assignments(table);
        let condition = self.condition(2);
        let returning = self.returning();
        Node::fixed(
            &format!("UPDATE {} SET {{}}{{}}{{}}{{}}", table.name),
            [assignments, from, condition, returning],
        )
    }

    fn delete(&mut self, table: &Table) -> Node {
        self.columns = Self::table_columns(table.name, table.name);
        let condition = self.condition(2);
        let returning = self.returning();
        Node::fixed(
            &format!("DELETE FROM {} WHERE {{}}{{}}", table.name),
            [condition, returning],
        )
    }

    fn returning(&mut self) -> Node {
        match self.below(4) {
            0 => Node::leaf(Sort::Optional, " RETURNING *"),
            1 => {
                let ty = self.any_type();
                let value = self.value(ty, 1);
                Node::clause(" RETURNING {}", [value])
            }
            _ => Node::none(),
        }
    }
}

fn columns_are_few(table: &Table) -> bool {
    table.columns.len() < 3
}
