//! The analysis beside PostgreSQL 15: what it refuses and in which words, the types of columns and parameters.

mod columns;
mod parameters;
mod query_errors;
mod statement_errors;

use std::rc::Rc;

use crate::analysis::schema::{Column, Generated, Key, Relation, RelationKind, Schema};
use crate::analysis::{Analyzed, analyze};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;

/// A modifier of a length, or of `numeric(10,2)`.
const VARCHAR_20: i32 = 24;
const NUMERIC_10_2: i32 = 655_366;

/// Three tables:
///
/// ```sql
/// CREATE TABLE emp (id int4 PRIMARY KEY, name varchar(20) NOT NULL, salary numeric(10,2), dept_id int4, hired date,
///     active bool);
/// CREATE TABLE dept (id int4 PRIMARY KEY, name text);
/// CREATE TABLE nums (i int4, b int8, s int2, f float8);
/// ```
struct Company;

impl Schema for Company {
    fn relation(&self, schema: Option<&str>, name: &str) -> Option<Rc<Relation>> {
        if schema.is_some_and(|schema| schema != "public") {
            return None;
        }
        let plain = |name: &'static str, id: TypeId| (name, Type::new(id));
        let with = |name: &'static str, id, typmod| (name, Type { id, typmod });
        let found = match name {
            "emp" => table(
                name,
                &[
                    plain("id", TypeId::INT4),
                    with("name", TypeId::VARCHAR, VARCHAR_20),
                    with("salary", TypeId::NUMERIC, NUMERIC_10_2),
                    plain("dept_id", TypeId::INT4),
                    plain("hired", TypeId::DATE),
                    plain("active", TypeId::BOOL),
                ],
            ),
            "dept" => table(
                name,
                &[plain("id", TypeId::INT4), plain("name", TypeId::TEXT)],
            ),
            "nums" => table(
                name,
                &[
                    plain("i", TypeId::INT4),
                    plain("b", TypeId::INT8),
                    plain("s", TypeId::INT2),
                    plain("f", TypeId::FLOAT8),
                ],
            ),
            _ => return None,
        };
        Some(Rc::new(found))
    }
}

/// A table whose primary key is its column `id`, if it has one.
fn table(name: &str, columns: &[(&str, Type)]) -> Relation {
    let keyed = columns.iter().any(|(column, _)| *column == "id");
    let key = Key {
        name: format!("{name}_pkey"),
        columns: vec![0],
        primary: true,
    };
    Relation {
        schema: "main",
        name: name.to_owned(),
        kind: RelationKind::Table,
        columns: columns
            .iter()
            .map(|(column, ty)| Column {
                name: (*column).to_owned(),
                ty: *ty,
                not_null: *column == "id" || (name, *column) == ("emp", "name"),
                default: None,
                generated: Generated::No,
                rowid: false,
            })
            .collect(),
        keys: keyed.then_some(key).into_iter().collect(),
        without_rowid: false,
    }
}

fn analyzed(sql: &str) -> Result<Analyzed, DialectError> {
    let tree = crate::syntax::parse(sql)?.expect("a statement");
    Ok(analyze(sql, &tree, &Company, &[])?.expect("a statement with rows"))
}

/// SQLSTATE, position and message.
fn shown(error: &DialectError) -> String {
    let position = error
        .position
        .map_or_else(|| "-".to_owned(), |position| position.to_string());
    format!("{} {position} {}", error.sqlstate.as_str(), error.message)
}

/// Why a statement is refused.
fn refusal(sql: &str) -> String {
    analyzed(sql).map_or_else(|error| shown(&error), |_| "not refused".to_owned())
}

/// Names and types of the result's columns.
fn columns(sql: &str) -> String {
    let analyzed = match analyzed(sql) {
        Ok(analyzed) => analyzed,
        Err(error) => return shown(&error),
    };
    let columns: Vec<String> = analyzed
        .columns()
        .iter()
        .map(|column| format!("{} {}", column.name, column.ty))
        .collect();
    if columns.is_empty() {
        return "none".to_owned();
    }
    columns.join(", ")
}

/// The types of the parameters.
fn parameters(sql: &str) -> String {
    let analyzed = match analyzed(sql) {
        Ok(analyzed) => analyzed,
        Err(error) => return shown(&error),
    };
    let types: Vec<String> = analyzed
        .parameters
        .iter()
        .map(ToString::to_string)
        .collect();
    types.join(", ")
}

/// Runs a table of statements, each followed by a line with what is expected of it; what differs.
fn differences(table: &str, answer: fn(&str) -> String) -> String {
    let lines: Vec<&str> = table.trim().lines().collect();
    let mut differing = String::new();
    for case in lines.chunks(2) {
        let [sql, expected] = case else {
            return "a statement without an answer".to_owned();
        };
        let answer = answer(sql);
        if answer != expected.trim() {
            differing += [sql, "\n", expected, "\n    but ", &answer, "\n"]
                .concat()
                .as_str();
        }
    }
    differing
}
