//! Rows about indexes and constraints.

use pgtypes::SqlValue as Value;

use crate::analysis::Purpose;
use crate::pg_catalog::index::{Index, Term};
use crate::pg_catalog::objects::Text;
use crate::pg_catalog::written::{Definitions, Shown};
use crate::pg_catalog::{describe, index};
use crate::pg_catalog::objects::Class;
use crate::pg_catalog::fill::{Attribute, Filler, PUBLIC, count, int, text, truth};
use crate::table_info::{Constraint, ConstraintKind, TableInfo};

impl Filler<'_> {
    pub(crate) fn index(
        &mut self,
        table_oid: u32,
        table: &TableInfo,
        index: &Index,
        primary: bool,
    ) -> u32 {
        let known = self.keys.get(&index.name).copied();
        let oid = known.unwrap_or_else(|| self.oid("class", &index.name));
        let definition = Text {
            full: index::definition(&table.name, index, false),
            pretty: index::definition(&table.name, index, true),
        };
        let full = definition.full.clone();
        let more = [
            ("relnatts", count(index.terms.len())),
            ("relchecks", int(0)),
            ("relhasindex", truth(false)),
        ];
        self.class(oid, &index.name, "i", &more);
        let class = Class {
            schema: "public",
            name: index.name.clone(),
            kind: 'i',
            definition,
            terms: index.terms.iter().map(|term| term.text(true)).collect(),
        };
        self.objects.add_class(oid, class);
        self.index_columns(oid, table, index);
        let keys: Vec<String> = index
            .terms
            .iter()
            .map(|term| match &term.column {
                Some(name) => attribute(table, name).to_string(),
                None => "0".to_owned(),
            })
            .collect();
        if let Some(shown) = &index.predicate {
            self.objects.add_expression(&shown.full, &shown.pretty);
        }
        let predicate = index.predicate.as_ref();
        let predicate = predicate.map_or(Value::Null, |shown| text(&shown.full));
        let expressions: Vec<&str> = index
            .terms
            .iter()
            .filter(|term| term.column.is_none())
            .map(|term| term.shown.full.as_str())
            .collect();
        let expressions = if expressions.is_empty() {
            Value::Null
        } else {
            Value::Text(expressions.join(", "))
        };
        let options: Vec<&str> = index
            .terms
            .iter()
            // DESC puts NULLs first.
            .map(|term| if term.descending { "3" } else { "0" })
            .collect();
        let all = |value: &str| vector(&vec![value; keys.len()]);
        self.push(
            "pg_index",
            &[
                ("indexrelid", int(oid)),
                ("indrelid", int(table_oid)),
                ("indnatts", count(keys.len())),
                ("indnkeyatts", count(keys.len())),
                ("indisunique", truth(index.unique)),
                ("indisprimary", truth(primary)),
                ("indisexclusion", truth(false)),
                ("indimmediate", truth(true)),
                ("indisclustered", truth(false)),
                ("indisvalid", truth(true)),
                ("indcheckxmin", truth(false)),
                ("indisready", truth(true)),
                ("indislive", truth(true)),
                ("indisreplident", truth(false)),
                ("indkey", vector(&keys)),
                ("indoption", vector(&options)),
                ("indcollation", all("0")),
                ("indclass", all("0")),
                ("indnullsnotdistinct", truth(false)),
                ("indpred", predicate),
                ("indexprs", expressions),
            ],
        );
        self.push(
            "pg_indexes",
            &[
                ("schemaname", text("public")),
                ("tablename", text(&table.name)),
                ("indexname", text(&index.name)),
                ("indexdef", text(&full)),
            ],
        );
        oid
    }

    /// The columns of an index, which are attributes of its own.
    fn index_columns(&mut self, oid: u32, table: &TableInfo, index: &Index) {
        let mut names: Vec<String> = Vec::with_capacity(index.terms.len());
        for (place, term) in index.terms.iter().enumerate() {
            let (base, ty) = term.attribute(table);
            let mut name = base.clone();
            let mut number = 1;
            while names.contains(&name) {
                name = format!("{base}{number}");
                number += 1;
            }
            self.attribute(&Attribute {
                table: oid,
                name: &name,
                number: place + 1,
                ty,
                not_null: false,
                has_default: false,
                identity: "",
                generated: "",
            });
            names.push(name);
        }
    }

    pub(crate) fn constraint(
        &mut self,
        table_oid: u32,
        table: &TableInfo,
        constraint: &Constraint,
        definitions: &Definitions<'_>,
    ) {
        let key = format!("{}.{}", table.name, constraint.name);
        let oid = self.oid("constraint", &key);
        let index = if is_key(&constraint.kind) {
            let primary = constraint.kind == ConstraintKind::PrimaryKey;
            let index = Index {
                name: constraint.name.clone(),
                unique: true,
                terms: constraint.columns.iter().map(|name| Term::column(name)).collect(),
                predicate: None,
            };
            self.index(table_oid, table, &index, primary)
        } else {
            0
        };
        let mut values = vec![
            ("oid", int(oid)),
            ("conname", text(&constraint.name)),
            ("connamespace", int(PUBLIC)),
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
        ];
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
                self.objects.add_expression(&shown.full, &shown.pretty);
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
        let definition = Text {
            full: describe::constraint(constraint, &referenced, &check.full),
            pretty: describe::constraint(constraint, &referenced, &check.pretty),
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
                ("constraint_schema", text("public")),
                ("constraint_name", text(name)),
                ("check_clause", Value::Text(format!("({check})"))),
            ],
        );
    }

    /// The values of a foreign key; gives the columns that it refers to.
    fn foreign(&self, kind: &ConstraintKind, values: &mut Vec<(&str, Value)>) -> Vec<String> {
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
        let target = self
            .input
            .tables
            .iter()
            .find(|known| known.name.eq_ignore_ascii_case(table));
        let referenced = target
            .map(|target| referenced_columns(target, columns))
            .unwrap_or_default();
        let oid = self
            .tables
            .get(&table.to_ascii_lowercase())
            .copied()
            .unwrap_or(0);
        let key = target.and_then(|target| key_over(target, &referenced));
        let index = key.and_then(|key| self.keys.get(&key.name).copied());
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
        let target = self
            .input
            .tables
            .iter()
            .find(|known| known.name.eq_ignore_ascii_case(table));
        let unique = target.and_then(|target| key_over(target, referenced));
        let unique = unique.map_or(Value::Null, |key| text(&key.name));
        let database = self.input.database.clone();
        self.push(
            "information_schema.referential_constraints",
            &[
                ("constraint_catalog", text(&database)),
                ("constraint_schema", text("public")),
                ("constraint_name", text(name)),
                ("unique_constraint_schema", text("public")),
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
            ("constraint_schema", text("public")),
            ("constraint_name", text(&constraint.name)),
            ("table_catalog", text(&database)),
            ("table_schema", text("public")),
        ];
        let (kind, used_table) = match &constraint.kind {
            ConstraintKind::PrimaryKey => ("PRIMARY KEY", &table.name),
            ConstraintKind::Unique => ("UNIQUE", &table.name),
            ConstraintKind::Check { .. } => ("CHECK", &table.name),
            foreign @ ConstraintKind::ForeignKey { table: other, .. } => {
                self.referential(&constraint.name, foreign, referenced);
                ("FOREIGN KEY", other)
            }
        };
        let mut values = of.to_vec();
        values.extend([
            ("table_name", text(&table.name)),
            ("constraint_type", text(kind)),
            ("is_deferrable", text("NO")),
            ("initially_deferred", text("NO")),
        ]);
        self.push("information_schema.table_constraints", &values);
        for (index, column) in constraint.columns.iter().enumerate() {
            let mut values = of.to_vec();
            values.extend([
                ("table_name", text(&table.name)),
                ("column_name", text(column)),
                ("ordinal_position", count(index + 1)),
            ]);
            self.push("information_schema.key_column_usage", &values);
        }
        let used = if kind == "FOREIGN KEY" {
            referenced
        } else {
            &constraint.columns
        };
        for column in used {
            let mut values = of.to_vec();
            values.extend([
                ("table_name", text(used_table)),
                ("column_name", text(column)),
            ]);
            self.push("information_schema.constraint_column_usage", &values);
        }
    }
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
fn attribute(table: &TableInfo, column: &str) -> usize {
    table
        .columns
        .iter()
        .position(|known| known.name.eq_ignore_ascii_case(column))
        .map_or(0, |at| at + 1)
}

fn numbers(table: &TableInfo, columns: &[String]) -> Value {
    let numbers: Vec<String> = columns
        .iter()
        .map(|column| attribute(table, column).to_string())
        .collect();
    Value::Text(format!("{{{}}}", numbers.join(",")))
}

/// An `int2vector` or `oidvector`: an array whose first element has the number 0.
fn vector<T: AsRef<str>>(elements: &[T]) -> Value {
    let elements: Vec<&str> = elements.iter().map(AsRef::as_ref).collect();
    match elements.len() {
        0 => text("{}"),
        length => Value::Text(format!("[0:{}]={{{}}}", length - 1, elements.join(","))),
    }
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
