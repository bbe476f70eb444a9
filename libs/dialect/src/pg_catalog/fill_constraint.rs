//! Rows about constraints.

use pgtypes::SqlValue as Value;

use crate::analysis::Purpose;
use crate::pg_catalog::describe;
use crate::pg_catalog::fill::{Filler, count, int, text, truth};
use crate::pg_catalog::fill_information_column::yes_or_no;
use crate::pg_catalog::index::{Index, Term};
use crate::pg_catalog::objects::Text;
use crate::pg_catalog::written::{Definitions, Shown};
use crate::stored_name;
use crate::table_info::{Constraint, ConstraintKind, TableInfo};

impl Filler<'_> {
    pub(crate) fn constraint(
        &mut self,
        table_oid: u32,
        table: &TableInfo,
        constraint: &Constraint,
        definitions: &Definitions<'_>,
    ) {
        let key = format!("{}.{}", self.own(&table.name), constraint.name);
        let oid = self.oid("constraint", &key);
        let index = if is_key(&constraint.kind) {
            let primary = constraint.kind == ConstraintKind::PrimaryKey;
            let index = Index {
                name: constraint.name.clone(),
                unique: true,
                terms: constraint
                    .columns
                    .iter()
                    .map(|name| Term::column(name))
                    .collect(),
                predicate: None,
            };
            self.index((table_oid, table), &index, primary)
        } else {
            0
        };
        let mut values = common_values(oid, table_oid, index, table, constraint);
        values.push(("connamespace", int(self.place.oid)));
        let mut referenced = Vec::new();
        let mut check = Shown::plain("");
        let kind = match &constraint.kind {
            ConstraintKind::PrimaryKey => "p",
            ConstraintKind::Unique => "u",
            ConstraintKind::Check {
                expression,
                written,
            } => {
                let shown = written
                    .as_ref()
                    .and_then(|written| definitions.shown(written, Purpose::Check))
                    .unwrap_or_else(|| Shown::plain(expression));
                values.push(("conbin", text(&shown.full)));
                values.retain(|(column, _)| *column != "conkey");
                values.push(("conkey", array(&shown.columns)));
                self.objects.add_expression(&shown.full, &shown.pretty);
                referenced = names_of(table, &shown.columns);
                check = shown;
                "c"
            }
            foreign @ ConstraintKind::ForeignKey { .. } => {
                referenced = self.foreign(foreign, &mut values);
                "f"
            }
        };
        values.push(("contype", text(kind)));
        self.push("pg_constraint", &values);
        let target = match &constraint.kind {
            ConstraintKind::ForeignKey { table: to, .. } => {
                self.visible.relation(table.temporary, to)
            }
            _ => String::new(),
        };
        let definition = Text {
            full: describe::constraint(constraint, (&target, &referenced), &check.full),
            pretty: describe::constraint(constraint, (&target, &referenced), &check.pretty),
        };
        self.objects.add_constraint(oid, definition);
        self.information_constraint(table, constraint, &referenced);
        if kind == "c" {
            self.check_clause(&constraint.name, &check.full);
        }
    }

    fn check_clause(&mut self, name: &str, check: &str) {
        let database = self.input.database.clone();
        self.push(
            "information_schema.check_constraints",
            &[
                ("constraint_catalog", text(&database)),
                ("constraint_schema", text(&self.place.name)),
                ("constraint_name", text(name)),
                ("check_clause", Value::Text(format!("({check})"))),
            ],
        );
    }

    /// The values of a foreign key; gives the columns that it refers to.
    fn foreign(
        &self,
        kind: &ConstraintKind,
        values: &mut Vec<(&'static str, Value)>,
    ) -> Vec<String> {
        let ConstraintKind::ForeignKey {
            table,
            columns,
            on_delete,
            on_update,
            deferrable,
            deferred,
        } = kind
        else {
            return Vec::new();
        };
        let target = self.table_named(table);
        let referenced = target
            .map(|target| referenced_columns(target, columns))
            .unwrap_or_default();
        let oid = self.table_oid(table);
        let key = target.and_then(|target| key_over(target, &referenced));
        let index = key.and_then(|key| {
            let name = stored_name::beside(table, &key.name);
            self.keys.get(&self.own(&name)).copied()
        });
        let index = index.unwrap_or(0);
        values.retain(|(column, _)| {
            !matches!(
                *column,
                "confrelid" | "conindid" | "confupdtype" | "confdeltype" | "confmatchtype"
            )
        });
        values.extend([
            ("confrelid", int(oid)),
            ("conindid", int(index)),
            ("confupdtype", text(action(on_update))),
            ("confdeltype", text(action(on_delete))),
            ("confmatchtype", text("s")),
            ("condeferrable", truth(*deferrable)),
            ("condeferred", truth(*deferred)),
            (
                "confkey",
                target.map_or(Value::Null, |target| numbers(target, &referenced)),
            ),
        ]);
        referenced
    }

    fn referential(&mut self, name: &str, kind: &ConstraintKind, referenced: &[String]) {
        let ConstraintKind::ForeignKey {
            table,
            on_delete,
            on_update,
            ..
        } = kind
        else {
            return;
        };
        let target = self.table_named(table);
        let unique = target.and_then(|target| key_over(target, referenced));
        let unique = unique.map_or(Value::Null, |key| text(&key.name));
        let database = self.input.database.clone();
        self.push(
            "information_schema.referential_constraints",
            &[
                ("constraint_catalog", text(&database)),
                ("constraint_schema", text(&self.place.name)),
                ("constraint_name", text(name)),
                ("unique_constraint_schema", text(stored_name::schema(table))),
                ("unique_constraint_name", unique),
                ("match_option", text("NONE")),
                ("update_rule", text(on_update)),
                ("delete_rule", text(on_delete)),
            ],
        );
    }

    fn information_constraint(
        &mut self,
        table: &TableInfo,
        constraint: &Constraint,
        referenced: &[String],
    ) {
        let database = self.input.database.clone();
        let of = [
            ("constraint_catalog", text(&database)),
            ("constraint_schema", text(&self.place.name)),
            ("constraint_name", text(&constraint.name)),
            ("table_catalog", text(&database)),
            ("table_schema", text(&self.place.name)),
        ];
        let (kind, used_table) = match &constraint.kind {
            ConstraintKind::PrimaryKey => ("PRIMARY KEY", table.name.as_str()),
            ConstraintKind::Unique => ("UNIQUE", table.name.as_str()),
            ConstraintKind::Check { .. } => ("CHECK", table.name.as_str()),
            foreign @ ConstraintKind::ForeignKey { table: other, .. } => {
                self.referential(&constraint.name, foreign, referenced);
                ("FOREIGN KEY", other.as_str())
            }
        };
        let (deferrable, deferred) = match &constraint.kind {
            ConstraintKind::ForeignKey {
                deferrable,
                deferred,
                ..
            } => (*deferrable, *deferred),
            _ => (false, false),
        };
        let mut values = of.to_vec();
        values.extend([
            ("table_name", text(table.shown_name())),
            ("constraint_type", text(kind)),
            ("is_deferrable", yes_or_no(deferrable)),
            ("initially_deferred", yes_or_no(deferred)),
        ]);
        self.push("information_schema.table_constraints", &values);
        for (index, column) in constraint.columns.iter().enumerate() {
            let mut values = of.to_vec();
            values.extend([
                ("table_name", text(table.shown_name())),
                ("column_name", text(column)),
                ("ordinal_position", count(index + 1)),
            ]);
            self.push("information_schema.key_column_usage", &values);
        }
        let used = if matches!(kind, "FOREIGN KEY" | "CHECK") {
            referenced
        } else {
            &constraint.columns
        };
        for column in used {
            let mut values = of.to_vec();
            values.retain(|(name, _)| *name != "table_schema");
            let (schema, name) = if table.temporary {
                (self.place.name.as_str(), used_table)
            } else {
                stored_name::split(used_table)
            };
            values.extend([
                ("table_schema", text(schema)),
                ("table_name", text(name)),
                ("column_name", text(column)),
            ]);
            self.push("information_schema.constraint_column_usage", &values);
        }
    }
}

/// The values that constraints of every kind have, and those of none but a foreign key as they are without one.
fn common_values(
    oid: u32,
    table_oid: u32,
    index: u32,
    table: &TableInfo,
    constraint: &Constraint,
) -> Vec<(&'static str, Value)> {
    vec![
        ("oid", int(oid)),
        ("conname", text(&constraint.name)),
        ("convalidated", truth(true)),
        ("conrelid", int(table_oid)),
        ("contypid", int(0)),
        ("conindid", int(index)),
        ("conparentid", int(0)),
        ("conislocal", truth(true)),
        ("coninhcount", int(0)),
        ("connoinherit", truth(true)),
        ("conkey", numbers(table, &constraint.columns)),
        ("confrelid", int(0)),
        ("condeferrable", truth(false)),
        ("condeferred", truth(false)),
        ("confupdtype", text(" ")),
        ("confdeltype", text(" ")),
        ("confmatchtype", text(" ")),
    ]
}

pub(crate) fn is_key(kind: &ConstraintKind) -> bool {
    matches!(kind, ConstraintKind::PrimaryKey | ConstraintKind::Unique)
}

/// The columns that a foreign key refers to: those named, else the primary key.
fn referenced_columns(target: &TableInfo, named: &[String]) -> Vec<String> {
    if !named.is_empty() {
        return named.to_vec();
    }
    let key = target
        .constraints
        .iter()
        .find(|constraint| constraint.kind == ConstraintKind::PrimaryKey);
    key.map(|key| key.columns.clone()).unwrap_or_default()
}

/// The key over exactly these columns.
fn key_over<'a>(target: &'a TableInfo, columns: &[String]) -> Option<&'a Constraint> {
    target
        .constraints
        .iter()
        .find(|key| is_key(&key.kind) && key.columns == columns)
}

/// The number of a column; 0 for an expression.
pub(crate) fn attribute(table: &TableInfo, column: &str) -> usize {
    table
        .columns
        .iter()
        .position(|known| known.name.eq_ignore_ascii_case(column))
        .map_or(0, |at| at + 1)
}

fn numbers(table: &TableInfo, columns: &[String]) -> Value {
    let numbers: Vec<usize> = columns
        .iter()
        .map(|column| attribute(table, column))
        .collect();
    array(&numbers)
}

/// The names of columns by their numbers.
fn names_of(table: &TableInfo, numbers: &[usize]) -> Vec<String> {
    let columns = numbers
        .iter()
        .filter_map(|number| table.columns.get(number.checked_sub(1)?));
    columns.map(|column| column.name.clone()).collect()
}

fn array(numbers: &[usize]) -> Value {
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    Value::Text(format!("{{{}}}", numbers.join(",")))
}

fn action(text: &str) -> &'static str {
    match text {
        "CASCADE" => "c",
        "RESTRICT" => "r",
        "SET NULL" => "n",
        "SET DEFAULT" => "d",
        _ => "a",
    }
}
