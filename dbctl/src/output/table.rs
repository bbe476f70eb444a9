//! Rows and columns as text.

use std::fmt::Write as _;

/// One row; none is NULL.
pub(crate) type Row = Vec<Option<String>>;

/// A result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

impl Table {
    pub(crate) fn new(columns: &[&str]) -> Self {
        Self {
            columns: columns.iter().map(ToString::to_string).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = String>) {
        self.rows.push(row.into_iter().map(Some).collect());
    }

    /// Whether the table is a list of names and values.
    pub(crate) fn is_list(&self) -> bool {
        self.columns == ["name", "value"]
    }

    /// `name value` lines; the values begin in one column. A value that is not known is `-`.
    pub(crate) fn as_list(&self) -> String {
        let width = self
            .rows
            .iter()
            .map(|row| width(&cell(row, 0)))
            .max()
            .unwrap_or(0);
        let mut text = String::new();
        for row in &self.rows {
            let known = row.get(1).is_some_and(Option::is_some);
            let value = if known { cell(row, 1) } else { "-".to_owned() };
            let line = format!("{} {value}", padded(&cell(row, 0), width, false));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// A head and rows, columns two blanks apart, numbers to the right.
    pub(crate) fn as_columns(&self) -> String {
        let widths = self.widths();
        let right = self.numeric();
        let line = |cells: Vec<String>| {
            let cells: Vec<_> = cells
                .iter()
                .zip(widths.iter().zip(&right))
                .map(|(cell, (width, right))| padded(cell, *width, *right))
                .collect();
            cells.join("  ").trim_end().to_owned() + "\n"
        };
        let mut text = line(self.columns.clone());
        for row in &self.rows {
            text.push_str(&line(
                (0..self.columns.len())
                    .map(|index| cell(row, index))
                    .collect(),
            ));
        }
        if self.columns.is_empty() {
            String::new()
        } else {
            text
        }
    }

    /// The form that psql gives to a query.
    pub(crate) fn as_frame(&self) -> String {
        let widths = self.widths();
        let right = self.numeric();
        let mut text = String::new();
        let heads: Vec<String> = self
            .columns
            .iter()
            .zip(&widths)
            .map(|(name, width)| format!(" {} ", centered(name, *width)))
            .collect();
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
        text.push_str(&heads.join("|"));
        text.push('\n');
        text.push_str(&rule.join("+"));
        text.push('\n');
        for row in &self.rows {
            let cells: Vec<String> = widths
                .iter()
                .zip(&right)
                .enumerate()
                .map(|(index, (width, right))| {
                    format!(" {} ", padded(&cell(row, index), *width, *right))
                })
                .collect();
            text.push_str(cells.join("|").trim_end());
            text.push('\n');
        }
        let count = self.rows.len();
        let noun = if count == 1 { "row" } else { "rows" };
        // Writing to a String can't fail.
        let _ignored: std::fmt::Result = writeln!(text, "({count} {noun})");
        text
    }

    fn widths(&self) -> Vec<usize> {
        let widest = |index: usize| {
            self.rows
                .iter()
                .map(move |row| width(&cell(row, index)))
                .max()
        };
        self.columns
            .iter()
            .enumerate()
            .map(|(index, name)| width(name).max(widest(index).unwrap_or(0)))
            .collect()
    }

    /// Which columns hold nothing but numbers.
    fn numeric(&self) -> Vec<bool> {
        let number = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
        (0..self.columns.len())
            .map(|index| {
                let mut values = self
                    .rows
                    .iter()
                    .filter_map(|row| row.get(index)?.as_deref());
                let any = self
                    .rows
                    .iter()
                    .any(|row| row.get(index).is_some_and(Option::is_some));
                any && values.all(number)
            })
            .collect()
    }
}

/// A value on one line: NULL is empty, control characters are escaped, so that no value can
/// break the table or drive the terminal.
fn cell(row: &Row, index: usize) -> String {
    let text = row
        .get(index)
        .and_then(Option::as_deref)
        .unwrap_or_default();
    if !text.contains(char::is_control) {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|c| {
            if c.is_control() {
                c.escape_default().collect()
            } else {
                vec![c]
            }
        })
        .collect()
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn padded(text: &str, to: usize, right: bool) -> String {
    let blanks = " ".repeat(to.saturating_sub(width(text)));
    if right {
        blanks + text
    } else {
        text.to_owned() + &blanks
    }
}

fn centered(text: &str, to: usize) -> String {
    let blanks = to.saturating_sub(width(text));
    let left = blanks / 2;
    format!("{}{text}{}", " ".repeat(left), " ".repeat(blanks - left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_aligns_its_values() {
        let mut list = Table::new(&["name", "value"]);
        list.push(["forward log".into(), "enabled".into()]);
        list.push(["generation since".into(), "2026-11-20".into()]);
        list.rows.push(vec![Some("suspended".into()), None]);
        assert!(list.is_list());
        assert_eq!(
            list.as_list(),
            "forward log      enabled\ngeneration since 2026-11-20\nsuspended        -\n"
        );
    }

    #[test]
    fn columns_are_aligned_and_numbers_stand_right() {
        let mut table = Table::new(&["database", "pages"]);
        table.push(["system".into(), "7".into()]);
        table.push(["shop".into(), "12345678".into()]);
        assert_eq!(
            table.as_columns(),
            "database     pages\nsystem           7\nshop      12345678\n"
        );
    }

    #[test]
    fn a_frame_looks_like_psql() {
        let mut table = Table::new(&["id", "name"]);
        table.push(["1".into(), "a".into()]);
        table.rows.push(vec![Some("22".into()), None]);
        assert_eq!(
            table.as_frame(),
            " id | name \n----+------\n  1 | a\n 22 |\n(2 rows)\n"
        );
    }

    #[test]
    fn control_characters_cannot_break_a_row() {
        let mut table = Table::new(&["t"]);
        table.push(["a\nb\x1b[2J".into()]);
        assert_eq!(table.as_columns(), "t\na\\nb\\u{1b}[2J\n");
    }
}
