//! What a command answers.

use std::fmt::Display;

/// Rows of text. A table of the columns `name` and `value` is shown as a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<&'static str>,
    /// One text a column; `None` is unknown.
    pub rows: Vec<Vec<Option<String>>>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(columns: &[&'static str]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
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

/// Bytes for people: `10.2 GiB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut tenths = u128::from(count) * 10;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths = (tenths + 512) / 1024;
        unit += 1;
    }
    if unit == 0 {
        format!("{count} bytes")
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1024), "1.0 KiB");
        assert_eq!(bytes(10_951_518_617), "10.2 GiB");
        assert_eq!(bytes(u64::MAX), "16777216.0 TiB");
    }
}
