//! What a server answers to a statement.

/// Results of one or more statements, and the error that ended them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) results: Vec<Rows>,
    pub(crate) fault: Option<Fault>,
}

/// The result of one statement.
#[expect(clippy::struct_field_names, reason = "rows have rows, too")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    /// Name, type and modifier.
    pub(crate) columns: Vec<(String, u32, i32)>,
    pub(crate) rows: Vec<Vec<Option<Vec<u8>>>>,
    pub(crate) tag: String,
}

/// An error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Fault {
    /// The error is one of values, found while rows were computed.
    pub(crate) fn is_of_values(&self) -> bool {
        ["21", "22", "23", "2B", "0A000", "42601"]
            .iter()
            .any(|class| self.code.starts_with(class))
    }
}

impl Answer {
    /// The same without the modifiers of columns that have none there.
    pub(crate) fn without_modifiers(&self, others: &[Rows]) -> Self {
        let mut copy = self.clone();
        for (rows, other) in copy.results.iter_mut().zip(others) {
            for (column, (.., modifier)) in rows.columns.iter_mut().zip(&other.columns) {
                if *modifier == -1 {
                    column.2 = -1;
                }
            }
        }
        copy
    }

    /// It is said that this is not to be had here.
    pub(crate) fn refusal(&self) -> Option<&str> {
        let fault = self.fault.as_ref()?;
        (fault.code == "0A000").then_some(fault.message.as_str())
    }

    /// The answer took too long, or was too large.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.fault.as_ref().is_some_and(|fault| {
            ["57014", "54000", "54001", "53200"].contains(&fault.code.as_str())
        })
    }

    /// On one line: the rows of a statement without an order are sorted.
    pub(crate) fn line(&self, ordered: bool) -> String {
        let mut out = String::new();
        for rows in &self.results {
            for (name, ty, modifier) in &rows.columns {
                out.push_str(&[name, ":", &ty.to_string()].concat());
                // Intervals are told without theirs.
                if *modifier != -1 && *ty != 1186 {
                    out.push_str(&["(", &modifier.to_string(), ")"].concat());
                }
                out.push(' ');
            }
            let mut lines: Vec<String> = rows.rows.iter().map(|row| row_text(row)).collect();
            if !ordered {
                lines.sort();
            }
            out.push_str(&["[", &lines.join(";"), "] ", &rows.tag, " "].concat());
        }
        if let Some(fault) = &self.fault {
            out.push_str(&[&fault.code, " ", &fault.message.replace('\n', "\\n")].concat());
        }
        out.truncate(out.trim_end().len());
        out
    }
}

fn escaped(c: char) -> String {
    match c {
        '\\' => "\\\\".to_owned(),
        '|' | ';' | '~' => format!("\\{c}"),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    }
}

fn row_text(row: &[Option<Vec<u8>>]) -> String {
    let fields = row.iter().map(|field| match field {
        None => "~".to_owned(),
        Some(bytes) => {
            if let Ok(text) = std::str::from_utf8(bytes) {
                text.chars().map(escaped).collect()
            } else {
                let shown = bytes.iter().map(|byte| format!("\\x{byte:02x}"));
                shown.collect::<Vec<_>>().concat()
            }
        }
    });
    fields.collect::<Vec<_>>().join("|")
}
