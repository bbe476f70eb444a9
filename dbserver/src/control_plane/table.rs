//! What a command answers.

use std::fmt::Display;

use serde::Serialize;

use crate::error::EngineError;

/// Rows of text. A table of the columns `name` and `value` is shown as a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<&'static str>,
    /// One text a column; `None` is unknown.
    pub rows: Vec<Vec<Option<String>>>,
    /// The same with its types, as JSON, where the command has them.
    json: Option<String>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(columns: &[&'static str]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
            json: None,
        }
    }

    /// An empty list of names and values.
    pub fn list() -> Self {
        Self::new(&["name", "value"])
    }

    /// A list with the one entry `result`.
    pub fn done(result: impl Into<String>) -> Self {
        let mut table = Self::list();
        table.entry("result", result.into());
        table
    }

    /// The result of a command that answers with one.
    pub(super) fn result(&self) -> Option<&str> {
        match self.rows.first()?.as_slice() {
            [Some(name), Some(value)] if name == "result" => Some(value),
            _ => None,
        }
    }

    /// Adds the values that the table shows, with their types.
    pub(super) fn typed(mut self, values: &impl Serialize) -> Result<Self, EngineError> {
        let json = serde_json::to_string(values);
        self.json = Some(json.map_err(|error| EngineError::Internal(error.to_string()))?);
        Ok(self)
    }

    /// The same with a text that is JSON already.
    pub(super) fn with_json(mut self, json: String) -> Self {
        self.json = Some(json);
        self
    }

    /// The one value `json`, where the command's values have types; else the table as it is.
    pub(super) fn into_json(self) -> Self {
        let Some(json) = self.json else { return self };
        let mut table = Self::new(&["json"]);
        table.row(vec![json]);
        table
    }

    /// Adds a row of known values.
    pub fn row(&mut self, values: Vec<String>) {
        self.rows.push(values.into_iter().map(Some).collect());
    }

    /// Adds a line to a list.
    pub fn entry(&mut self, name: &str, value: impl Display) {
        self.rows
            .push(vec![Some(name.to_owned()), Some(value.to_string())]);
    }

    /// Adds a line whose value may be unknown.
    pub fn maybe(&mut self, name: &str, value: Option<impl Display>) {
        self.rows.push(vec![
            Some(name.to_owned()),
            value.map(|value| value.to_string()),
        ]);
    }
}
