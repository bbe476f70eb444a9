//! Rows as PostgreSQL's SQL.
//!
//! Values are literals without a type, which take that of the column they stand beside, so a script reads as a person
//! would write it. A value that is none of its column's type has no literal that a session would take.

use std::fmt;

use pgtypes::PgType;
use rowdiff::Value;

use crate::transaction::{ColumnLine, RowLine, TableLine};
use crate::value;

/// A value as it stands in a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal(String);

/// A value that no statement can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "column {column} of {table} has a value that is none of its type: no statement can write it"
)]
pub struct Inexpressible {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
}

impl Literal {
    /// The literal of a stored value of a column of this type; `None`: there is none.
    pub fn of(stored: &Value, ty: &PgType) -> Option<Self> {
        if let Value::Null = stored {
            return Some(Self("NULL".to_owned()));
        }
        let text = value::typed_text(stored, ty)?;
        Some(Self(match (stored, ty) {
            (Value::Integer(value), PgType::Bool) => (*value != 0).to_string(),
            (Value::Integer(_), PgType::Int2 | PgType::Int4 | PgType::Int8 | PgType::Oid) => text,
            _ => quoted(&text),
        }))
    }

    fn is_null(&self) -> bool {
        self.0 == "NULL"
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Appends to a text; a String takes all.
pub(crate) fn put(text: &mut String, what: fmt::Arguments<'_>) {
    text.push_str(&what.to_string());
}

/// A text in quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name in quotes.
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The table or sequence that is stored under a name, as a statement names it: behind its schema where that is not
/// `public`.
pub(crate) fn relation(stored: &str) -> String {
    match dialect::split_name(stored) {
        ("public", name) => identifier(name),
        (schema, name) => format!("{}.{}", identifier(schema), identifier(name)),
    }
}

/// A row of a table, for statements.
#[derive(Debug)]
pub struct RowSql<'a> {
    table: &'a TableLine,
    name: &'a str,
    literals: Vec<Literal>,
}

impl<'a> RowSql<'a> {
    /// Errors: a column that a client would have to give has a value that no statement can have.
    pub fn new(table: &'a TableLine, row: &RowLine) -> Result<Self, Inexpressible> {
        let literal = |column: &ColumnLine| {
            let json = row.get(&column.name)?;
            let ty = column.ty();
            Literal::of(&value::from_json(json, &ty)?, &ty)
        };
        let literals = table.given().map(|column| {
            literal(column).ok_or_else(|| Inexpressible {
                table: table.name.clone(),
                column: column.name.clone(),
            })
        });
        Ok(Self {
            table,
            name: &table.name,
            literals: literals.collect::<Result<_, _>>()?,
        })
    }

    /// The same row, where its table is called otherwise by the time that it is written.
    #[must_use]
    pub fn called(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    fn pairs(&self) -> impl Iterator<Item = (&ColumnLine, &Literal)> {
        self.table.given().zip(&self.literals)
    }

    /// Whether the table's row is found by a key.
    pub fn has_key(&self) -> bool {
        self.table.key().next().is_some()
    }

    /// The condition that finds the row: its key; else all its values.
    pub fn place(&self) -> String {
        if !self.has_key() {
            return self.same();
        }
        let key = self.pairs().filter(|(column, _)| column.key);
        let equal = key.map(|(column, literal)| {
            if literal.is_null() {
                return is_same(column, literal);
            }
            format!("{} = {literal}", identifier(&column.name))
        });
        equal.collect::<Vec<_>>().join(" AND ")
    }

    /// The condition that a row has all these values.
    pub fn same(&self) -> String {
        let all = self
            .pairs()
            .map(|(column, literal)| is_same(column, literal));
        all.collect::<Vec<_>>().join(" AND ")
    }

    /// The condition that finds the row and tells whether it is as it was.
    pub fn guard(&self) -> String {
        if !self.has_key() {
            return self.same();
        }
        let rest = self.pairs().filter(|(column, _)| !column.key);
        let rest = rest.map(|(column, literal)| is_same(column, literal));
        let all: Vec<String> = std::iter::once(self.place()).chain(rest).collect();
        all.join(" AND ")
    }

    /// `INSERT`.
    pub fn insert(&self) -> String {
        let names: Vec<String> = self.pairs().map(|(c, _)| identifier(&c.name)).collect();
        let values: Vec<String> = self.pairs().map(|(_, l)| l.to_string()).collect();
        format!(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
            relation(self.name),
            names.join(", "),
            values.join(", ")
        )
    }

    /// `UPDATE` of a row that was `before`; nothing where no column differs that a client gives.
    pub fn update(&self, before: &RowSql<'_>) -> Option<String> {
        let old = |name: &str| {
            let mut pairs = before.pairs();
            pairs.find(|(column, _)| column.name == name)
        };
        let differs = |column: &ColumnLine, literal: &Literal| {
            old(&column.name).is_none_or(|(_, old)| old != literal)
        };
        let set = self
            .pairs()
            .filter(|(column, literal)| differs(column, literal));
        let set = set.map(|(column, literal)| format!("{} = {literal}", identifier(&column.name)));
        let set: Vec<String> = set.collect();
        (!set.is_empty()).then(|| {
            format!(
                "UPDATE {} SET {} WHERE {}",
                relation(self.name),
                set.join(", "),
                before.guard()
            )
        })
    }

    /// `DELETE`.
    pub fn delete(&self) -> String {
        format!("DELETE FROM {} WHERE {}", relation(self.name), self.guard())
    }
}

/// Values of json have no equality, their texts have.
fn is_same(column: &ColumnLine, literal: &Literal) -> String {
    let name = identifier(&column.name);
    if literal.is_null() {
        return format!("{name} IS NULL");
    }
    let cast = if column.ty() == PgType::Json {
        "::text"
    } else {
        ""
    };
    format!("{name}{cast} IS NOT DISTINCT FROM {literal}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table(columns: &[(&str, &str, bool)]) -> TableLine {
        let column = |(name, declared, key): &(&str, &str, bool)| ColumnLine {
            name: (*name).to_owned(),
            declared: (*declared).to_owned(),
            key: *key,
            generated: *name == "g",
        };
        TableLine {
            name: "order".to_owned(),
            columns: columns.iter().map(column).collect(),
            former: false,
        }
    }

    fn row(values: serde_json::Value) -> RowLine {
        serde_json::from_value(values).unwrap()
    }

    #[test]
    fn a_row_is_found_by_its_key_and_changed_where_it_is_as_it_was() {
        let table = table(&[
            ("id", "bigint", true),
            ("who", "text", false),
            ("paid", "boolean", false),
            ("g", "text", false),
        ]);
        let before = row(json!({"id": 17, "who": "Ann's", "paid": null, "g": "x"}));
        let after = row(json!({"id": 17, "who": "Bob", "paid": true, "g": "y"}));
        let (before, after) = (
            RowSql::new(&table, &before).unwrap(),
            RowSql::new(&table, &after).unwrap(),
        );
        assert_eq!(
            after.update(&before).unwrap(),
            "UPDATE \"order\" SET \"who\" = 'Bob', \"paid\" = true WHERE \"id\" = 17 AND \"who\" IS NOT DISTINCT FROM 'Ann''s' AND \"paid\" IS NULL"
        );
        assert_eq!(
            after.insert(),
            "INSERT INTO \"order\" (\"id\", \"who\", \"paid\") OVERRIDING SYSTEM VALUE VALUES (17, 'Bob', true)"
        );
        assert_eq!(after.update(&after), None);
        assert!(before.delete().ends_with(
            "WHERE \"id\" = 17 AND \"who\" IS NOT DISTINCT FROM 'Ann''s' AND \"paid\" IS NULL"
        ));
    }

    #[test]
    fn without_a_key_all_values_find_it_and_what_is_no_value_has_no_statement() {
        let table = table(&[("a", "json", false), ("b", "date", false)]);
        let known = row(json!({"a": "{}", "b": "2026-11-30"}));
        assert_eq!(
            RowSql::new(&table, &known).unwrap().place(),
            "\"a\"::text IS NOT DISTINCT FROM '{}' AND \"b\" IS NOT DISTINCT FROM '2026-11-30'"
        );
        let odd = row(json!({"a": "{}", "b": {"stored": "soon"}}));
        assert_eq!(RowSql::new(&table, &odd).unwrap_err().column, "b");
    }
}
