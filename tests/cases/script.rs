//! The files of cases: a line each.

/// One case.
pub(crate) struct Case {
    /// As it is written.
    pub(crate) line: String,
    /// Its statements.
    pub(crate) statements: Vec<String>,
    /// The values of its parameters; `None` is NULL.
    pub(crate) parameters: Vec<Option<String>>,
}

/// The cases of a file: lines that are no comment.
pub(crate) fn cases(text: &str) -> Vec<Case> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("--"))
        .map(case)
        .collect()
}

/// Statements are parted by `; `, values by ` | `.
fn case(line: &str) -> Case {
    let mut parts = line.split(" | ");
    let sql = if line.contains('$') {
        parts.next().unwrap_or_default()
    } else {
        parts = "".split(" | ");
        parts.next();
        line
    };
    Case {
        line: line.to_owned(),
        statements: sql.split("; ").map(str::to_owned).collect(),
        parameters: parts
            .map(|value| (value != "NULL").then(|| value.to_owned()))
            .collect(),
    }
}
