//! PostgreSQL's key words, which drivers ask for to know what to quote.

use super::{Answer, CatalogFunction, of_all, text};

const DATA: &str = include_str!("../data/keywords.tsv");

pub(super) const FUNCTIONS: &[CatalogFunction] =
    &[of_all("pg_set_pg_get_keywords", 0, |_, _| keywords())];

fn keywords() -> Answer {
    let rows: Vec<String> = DATA.lines().filter_map(row).collect();
    text(format!("[{}]", rows.join(",")))
}

/// Word, kind, whether it may be a label, and both in words.
fn row(line: &str) -> Option<String> {
    let mut fields = line.split('\t');
    let (word, kind, label) = (fields.next()?, fields.next()?, fields.next()? == "t");
    let kind_in_words = match kind {
        "U" => "unreserved",
        "C" => "unreserved (cannot be function or type name)",
        "T" => "reserved (can be function or type name)",
        _ => "reserved",
    };
    let label_in_words = if label {
        "can be bare label"
    } else {
        "requires AS"
    };
    Some(format!(
        "[\"{word}\",\"{kind}\",{},\"{kind_in_words}\",\"{label_in_words}\"]",
        u8::from(label)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_a_row() {
        assert!(DATA.lines().all(|line| row(line).is_some()));
        assert_eq!(
            row("select\tR\tf").unwrap(),
            "[\"select\",\"R\",0,\"reserved\",\"requires AS\"]"
        );
    }
}
