//! Constants as SQLite writes them.

use pgtypes::SqlValue;

use crate::sqlite::Printer;

impl Printer<'_> {
    pub(crate) fn constant(&mut self, value: &SqlValue) {
        match value {
            SqlValue::Null => self.push("NULL"),
            SqlValue::Integer(number) => self.push(&number.to_string()),
            SqlValue::Real(number) => self.push(&real(*number)),
            SqlValue::Text(text) => self.text(text),
            SqlValue::Blob(bytes) => {
                self.push("x'");
                self.push(&hex::encode(bytes));
                self.push("'");
            }
        }
    }

    /// A text in quotes.
    pub(crate) fn text(&mut self, text: &str) {
        self.push("'");
        for (index, part) in text.split('\'').enumerate() {
            if index > 0 {
                self.push("''");
            }
            self.push(part);
        }
        self.push("'");
    }
}

/// A floating point number: SQLite reads all digits, and an exponent that is too large as infinity.
fn real(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "9e999" } else { "-9e999" }.to_owned();
    }
    format!("{number:e}")
}
