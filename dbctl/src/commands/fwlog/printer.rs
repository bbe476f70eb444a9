//! Lines of a result in three forms: text, JSON, CSV.

use std::fmt::Write as _;

use crate::error::Result;
use crate::output;

/// So much is kept before it is printed.
const BUFFER: usize = 64 << 10;

/// A field of a line.
pub(crate) enum Cell {
    /// A text; none is NULL.
    Text(Option<String>),
    /// JSON as it is; in CSV its text.
    Json(String),
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(Some(text.into()))
    }
}

/// The form of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
    Csv,
}

/// Prints line after line, many at a time.
pub(crate) struct Printer {
    pub(crate) form: Form,
    buffer: String,
    /// The head of a CSV stands above the first line.
    has_head: bool,
}

impl Printer {
    pub(crate) fn new(json: bool, csv: bool) -> Self {
        let form = match (json, csv) {
            (true, _) => Form::Json,
            (_, true) => Form::Csv,
            _ => Form::Text,
        };
        Self {
            form,
            buffer: String::new(),
            has_head: false,
        }
    }

    /// A line of text as it is.
    pub(crate) fn line(&mut self, line: &str) -> Result<()> {
        self.buffer.push_str(line);
        self.buffer.push('\n');
        self.print_if_much()
    }

    /// A line of fields: an object of JSON, or a record of CSV.
    pub(crate) fn fields(&mut self, fields: &[(&str, Cell)]) -> Result<()> {
        if self.form == Form::Json {
            self.object(fields);
        } else {
            self.record(fields);
        }
        self.print_if_much()
    }

    /// Prints what is kept.
    pub(crate) fn print(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let printed = output::text(&self.buffer);
        self.buffer.clear();
        printed
    }

    fn print_if_much(&mut self) -> Result<()> {
        if self.buffer.len() < BUFFER {
            return Ok(());
        }
        self.print()
    }

    fn object(&mut self, fields: &[(&str, Cell)]) {
        for (index, (name, cell)) in fields.iter().enumerate() {
            self.buffer.push(if index == 0 { '{' } else { ',' });
            put_json(&mut self.buffer, name);
            self.buffer.push(':');
            match cell {
                Cell::Text(None) => self.buffer.push_str("null"),
                Cell::Text(Some(text)) => put_json(&mut self.buffer, text),
                Cell::Json(json) => self.buffer.push_str(json),
            }
        }
        self.buffer.push_str("}\n");
    }

    fn record(&mut self, fields: &[(&str, Cell)]) {
        if !self.has_head {
            self.has_head = true;
            let names = fields.iter().map(|(name, _)| Some((*name).to_owned()));
            let names: Vec<_> = names.collect();
            self.csv_line(names.iter().map(Option::as_deref));
        }
        let texts = fields.iter().map(|(_, cell)| match cell {
            Cell::Text(text) => text.as_deref(),
            Cell::Json(json) => Some(json.as_str()),
        });
        self.csv_line(texts);
    }

    /// As RFC 4180 has it; NULL is nothing, an empty text is in quotes, as PostgreSQL's COPY does it.
    fn csv_line<'a>(&mut self, texts: impl Iterator<Item = Option<&'a str>>) {
        for (index, text) in texts.enumerate() {
            if index > 0 {
                self.buffer.push(',');
            }
            let Some(text) = text else { continue };
            if text.is_empty() || text.contains(['"', ',', '\n', '\r']) {
                // Writing to a String can't fail.
                let _ignored = write!(self.buffer, "\"{}\"", text.replace('"', "\"\""));
            } else {
                self.buffer.push_str(text);
            }
        }
        self.buffer.push('\n');
    }
}

/// Appends a text as a string of JSON.
pub(crate) fn put_json(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_three_forms() {
        let fields = [
            ("commit", Cell::text("7")),
            ("user", Cell::Text(None)),
            ("what", Cell::text("say \"x\",\ny")),
            ("row", Cell::Json("{\"a\":\"b\"}".to_owned())),
        ];
        let mut json = Printer::new(true, false);
        json.fields(&fields).unwrap();
        assert_eq!(
            json.buffer,
            "{\"commit\":\"7\",\"user\":null,\"what\":\"say \\\"x\\\",\\ny\",\"row\":{\"a\":\"b\"}}\n"
        );
        let mut csv = Printer::new(false, true);
        csv.fields(&fields).unwrap();
        assert_eq!(
            csv.buffer,
            "commit,user,what,row\n7,,\"say \"\"x\"\",\ny\",\"{\"\"a\"\":\"\"b\"\"}\"\n"
        );
    }
}
