//! Tables as JSON.
//!
//! Values are the strings that the server sent, NULL is null. Fields have the order of the columns.
//! Names are made of small letters, digits and `_`.

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

use super::table::{Row, Table};

/// The result of a command: an object for a list of names and values, else an array of objects.
pub(crate) struct CommandResult<'a>(pub(crate) &'a Table);

/// The rows of a query: always an array of objects. Names of columns stay as they are.
pub(crate) struct Rows<'a>(pub(crate) &'a Table);

impl Serialize for CommandResult<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.0.is_list() {
            return serialize_rows(self.0, snake_case, serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        let name =
            |row: &Row| snake_case(row.first().cloned().flatten().unwrap_or_default().as_str());
        let value = |row: &Row| row.get(1).cloned().flatten();
        for (index, row) in self.0.rows.iter().enumerate() {
            let same: Vec<_> = self
                .0
                .rows
                .iter()
                .filter(|other| name(other) == name(row))
                .collect();
            // A name that comes several times is one field with an array.
            if same.len() == 1 {
                map.serialize_entry(&name(row), &value(row))?;
            } else if !self
                .0
                .rows
                .iter()
                .take(index)
                .any(|other| name(other) == name(row))
            {
                let values: Vec<_> = same.into_iter().map(value).collect();
                map.serialize_entry(&name(row), &values)?;
            }
        }
        map.end()
    }
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_rows(self.0, str::to_owned, serializer)
    }
}

fn serialize_rows<S: Serializer>(
    table: &Table,
    field: impl Fn(&str) -> String,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let names: Vec<String> = table.columns.iter().map(|name| field(name)).collect();
    let mut rows = serializer.serialize_seq(Some(table.rows.len()))?;
    for row in &table.rows {
        rows.serialize_element(&Object { names: &names, row })?;
    }
    rows.end()
}

struct Object<'a> {
    names: &'a [String],
    row: &'a Row,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.names.len()))?;
        for (name, value) in self.names.iter().zip(self.row) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// `Forward log` becomes `forward_log`.
fn snake_case(name: &str) -> String {
    let letter = |c: char| {
        if c.is_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    name.trim().chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[&str], rows: &[&[Option<&str>]]) -> Table {
        Table {
            columns: columns.iter().map(ToString::to_string).collect(),
            rows: rows
                .iter()
                .map(|row| row.iter().map(|value| value.map(str::to_owned)).collect())
                .collect(),
        }
    }

    #[test]
    fn a_list_is_an_object_in_the_order_of_the_server() {
        let list = table(
            &["name", "value"],
            &[
                &[Some("forward log"), Some("enabled")],
                &[Some("directory"), None],
            ],
        );
        let json = serde_json::to_string(&CommandResult(&list)).unwrap();
        assert_eq!(json, r#"{"forward_log":"enabled","directory":null}"#);
    }

    #[test]
    fn a_name_that_comes_again_is_an_array() {
        let rows: [&[Option<&str>]; 3] = [
            &[Some("slave"), Some("a")],
            &[Some("role"), Some("m")],
            &[Some("slave"), Some("b")],
        ];
        let json =
            serde_json::to_string(&CommandResult(&table(&["name", "value"], &rows))).unwrap();
        assert_eq!(json, r#"{"slave":["a","b"],"role":"m"}"#);
    }

    #[test]
    fn other_tables_are_arrays_even_with_one_row() {
        let one = table(&["Lag bytes"], &[&[Some("7")]]);
        assert_eq!(
            serde_json::to_string(&CommandResult(&one)).unwrap(),
            r#"[{"lag_bytes":"7"}]"#
        );
        assert_eq!(
            serde_json::to_string(&Rows(&one)).unwrap(),
            r#"[{"Lag bytes":"7"}]"#
        );
        assert_eq!(
            serde_json::to_string(&CommandResult(&table(&[], &[]))).unwrap(),
            "[]"
        );
    }
}
