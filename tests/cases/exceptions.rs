//! The cases that differ from PostgreSQL for a reason, which the manual gives.

use std::fs;

use dbtests::data::manifest;

/// No more than this.
pub(crate) const MOST: usize = 8;

const HEADING: &str = "## Answers that differ";

/// The statements named in `docs/sql.md`: items that begin with one.
pub(crate) fn of_manual() -> Vec<String> {
    let page = fs::read_to_string(manifest("../docs/sql.md")).expect("the manual");
    let (_, section) = page.split_once(HEADING).expect("the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let items = section.lines().filter_map(|line| line.strip_prefix("- `"));
    items
        .filter_map(|item| Some(item.split_once('`')?.0.to_owned()))
        .collect()
}
