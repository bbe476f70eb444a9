//! What tools ask the catalog.

use dbtests::Client;

use crate::answer;
use crate::script::Case;

/// A case that begins so is compared by its columns, and by whether there are rows.
const SHAPE: &str = "shape ";

/// A case that begins so has another answer here; the comment above it says why.
pub(crate) const DIFFERS: &str = "differs ";

/// The answer to a case.
pub(crate) fn ask(client: &Client, case: &Case) -> String {
    let line = case.line.strip_prefix(DIFFERS).unwrap_or(&case.line);
    let Some(sql) = line.strip_prefix(SHAPE) else {
        return answer::ask_whole(client, line);
    };
    let answer = answer::ask_whole(client, sql);
    if answer.starts_with("ERROR") {
        return answer;
    }
    let columns = answer.lines().next().unwrap_or_default();
    let rows = if answer.ends_with("\n(0)") {
        "no rows"
    } else {
        "rows"
    };
    format!("{columns}\n{rows}")
}
