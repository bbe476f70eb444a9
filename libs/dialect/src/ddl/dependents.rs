//! What depends on what is dropped: refused, or dropped with it.

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::literal::quote_name;
use crate::pg_catalog::identifier;
use crate::schema::SchemaView;
use crate::statement::Notice;
use crate::stored_name::{qualified, shown};
use crate::table_info::{Constraint, ConstraintKind, TableInfo};

/// Something that can't stay without what it depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dependent {
    View(String),
    ForeignKey { table: String, name: String },
    Default { table: String, column: String },
    Generated { table: String, column: String },
}

impl Dependent {
    /// As messages name it.
    fn text(&self) -> String {
        match self {
            Self::View(name) => format!("view {}", shown(name)),
            Self::ForeignKey { table, name } => {
                format!("constraint {} on table {}", identifier(name), shown(table))
            }
            Self::Default { table, column } => format!(
                "default value for column {} of table {}",
                identifier(column),
                shown(table)
            ),
            Self::Generated { table, column } => {
                format!("column {} of table {}", identifier(column), shown(table))
            }
        }
    }

    /// The statement that drops it.
    fn drop(&self) -> String {
        match self {
            Self::View(name) => format!("DROP VIEW {}", named(name)),
            Self::ForeignKey { table, name } => format!(
                "ALTER TABLE {} DROP CONSTRAINT {}",
                named(table),
                quote_name(name)
            ),
            Self::Default { table, column } => format!(
                "ALTER TABLE {} ALTER COLUMN {} DROP DEFAULT",
                named(table),
                quote_name(column)
            ),
            Self::Generated { table, column } => format!(
                "ALTER TABLE {} DROP COLUMN {}",
                named(table),
                quote_name(column)
            ),
        }
    }
}

/// As a statement names it: one of the session's own has no schema.
fn named(stored: &str) -> String {
    if stored.contains('.') {
        qualified(stored)
    } else {
        quote_name(stored)
    }
}

/// Everything that depends on the objects of one DROP, in the order in which it was made.
pub(crate) struct Dependents<'a> {
    schema: &'a dyn SchemaView,
    /// Relations that go anyway.
    dropped: &'a [String],
    /// What is dropped is the session's own: nothing else depends on it.
    temporary: bool,
    found: Vec<(Dependent, String)>,
}

impl<'a> Dependents<'a> {
    pub(crate) fn new(schema: &'a dyn SchemaView, dropped: &'a [String]) -> Self {
        Self {
            schema,
            dropped,
            temporary: false,
            found: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The first generated column among them.
    pub(crate) fn first_column(&self) -> Option<&str> {
        self.found
            .iter()
            .find_map(|(dependent, _)| match dependent {
                Dependent::Generated { column, .. } => Some(column.as_str()),
                _ => None,
            })
    }

    /// Adds one; false if it was there already.
    pub(crate) fn add(&mut self, dependent: Dependent, on: &str) -> bool {
        if self.found.iter().any(|(known, _)| *known == dependent) {
            return false;
        }
        self.found.push((dependent, on.to_owned()));
        true
    }

    /// What depends on a table or a view; `on` is its name in messages.
    pub(crate) fn of_relation(&mut self, name: &str, on: &str) {
        self.of(name, on, &|_| true, &|_, _| true);
    }

    /// The same of the session's own table or view, on which only others of its own depend.
    pub(crate) fn of_temporary(&mut self, name: &str, on: &str) {
        self.temporary = true;
        self.of_relation(name, on);
        self.temporary = false;
    }

    /// What depends on a column.
    pub(crate) fn of_column(&mut self, table: &TableInfo, column: &str) {
        let on = format!(
            "column {} of table {}",
            identifier(column),
            shown(&table.name)
        );
        let key = primary_key(table);
        self.of(
            &table.name,
            &on,
            &|columns| columns.iter().any(|read| read.eq_ignore_ascii_case(column)),
            &|_, columns| {
                let columns = if columns.is_empty() { &key } else { columns };
                columns.iter().any(|name| name == column)
            },
        );
    }

    /// The foreign keys that refer to a key by its columns; `on` is the key's index in messages.
    pub(crate) fn of_key(&mut self, table: &TableInfo, key: &[String], on: &str) {
        let primary = primary_key(table);
        self.of(&table.name, on, &|_| false, &|_, columns| {
            let columns = if columns.is_empty() {
                &primary
            } else {
                columns
            };
            same_columns(columns, key)
        });
    }

    fn of(
        &mut self,
        name: &str,
        on: &str,
        reads: &dyn Fn(&[String]) -> bool,
        refers: &dyn Fn(&TableInfo, &Vec<String>) -> bool,
    ) {
        let mut all: Vec<(i64, Dependent)> = Vec::new();
        for reader in self.schema.readers(name) {
            if reads(&reader.columns) {
                all.push((reader.made, Dependent::View(reader.view)));
            }
        }
        for (made, child) in self.schema.referrers(name) {
            if child.name == name && self.dropped.contains(&child.name) {
                continue;
            }
            for constraint in foreign_keys_to(&child, name) {
                let ConstraintKind::ForeignKey { columns, .. } = &constraint.kind else {
                    continue;
                };
                if refers(&child, columns) {
                    let (table, name) = (child.name.clone(), constraint.name.clone());
                    all.push((made, Dependent::ForeignKey { table, name }));
                }
            }
        }
        all.sort_by_key(|(made, _)| *made);
        for (_, dependent) in all {
            let goes = match &dependent {
                Dependent::View(name) => self.dropped.contains(name),
                Dependent::ForeignKey { table, .. } => self.dropped.contains(table),
                _ => false,
            };
            let elsewhere = match &dependent {
                Dependent::View(relation)
                | Dependent::ForeignKey {
                    table: relation, ..
                } => self.temporary && !self.schema.is_temporary(relation),
                _ => false,
            };
            if goes || elsewhere || !self.add(dependent.clone(), on) {
                continue;
            }
            if let Dependent::View(view) = &dependent {
                self.of_relation(view, &dependent.text());
            }
        }
    }

    /// 2BP01, as RESTRICT has it.
    pub(crate) fn refusal(&self, what: Option<&str>) -> DialectError {
        let message = match what {
            Some(what) => format!("cannot drop {what} because other objects depend on it"),
            None => "cannot drop desired object(s) because other objects depend on them".to_owned(),
        };
        let list: Vec<String> = self
            .found
            .iter()
            .map(|(dependent, on)| format!("{} depends on {on}", dependent.text()))
            .collect();
        DialectError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message)
            .detail(list.join("\n"))
            .hint("Use DROP ... CASCADE to drop the dependent objects too.")
    }

    /// What CASCADE tells.
    pub(crate) fn notice(&self) -> Notice {
        let lines: Vec<String> = self
            .found
            .iter()
            .map(|(dependent, _)| format!("drop cascades to {}", dependent.text()))
            .collect();
        match lines.as_slice() {
            [only] => Notice::plain(only),
            _ => Notice {
                detail: Some(lines.join("\n")),
                ..Notice::plain(format!("drop cascades to {} other objects", lines.len()))
            },
        }
    }

    /// The statements that drop all of them: what depends on others comes first.
    pub(crate) fn drops(&self) -> Vec<String> {
        let found = self.found.iter().rev();
        found.map(|(dependent, _)| dependent.drop()).collect()
    }
}

/// The foreign keys of a table that refer to another.
pub(crate) fn foreign_keys_to<'a>(
    child: &'a TableInfo,
    parent: &'a str,
) -> impl Iterator<Item = &'a Constraint> {
    child.constraints.iter().filter(move |constraint| {
        matches!(&constraint.kind, ConstraintKind::ForeignKey { table, .. } if table.eq_ignore_ascii_case(parent))
    })
}

/// The columns of the primary key.
pub(crate) fn primary_key(table: &TableInfo) -> Vec<String> {
    let key = table
        .constraints
        .iter()
        .find(|constraint| constraint.kind == ConstraintKind::PrimaryKey);
    key.map(|key| key.columns.clone()).unwrap_or_default()
}

/// Whether two lists name the same columns, in any order.
pub(crate) fn same_columns(some: &[String], others: &[String]) -> bool {
    some.len() == others.len() && some.iter().all(|name| others.contains(name))
}
