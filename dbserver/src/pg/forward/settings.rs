//! The settings of the session on the master: what differs is set before a transaction begins.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The statements that make them `wanted`; empty where nothing differs. `known`: what they are; `None`: nobody knows,
/// since a transaction there has set some.
pub(super) fn difference(
    known: Option<&BTreeMap<String, String>>,
    wanted: &BTreeMap<String, String>,
) -> String {
    let mut sql = String::new();
    let none = BTreeMap::new();
    let known = known.unwrap_or_else(|| {
        sql.push_str("RESET ALL; ");
        &none
    });
    for name in known.keys().filter(|name| !wanted.contains_key(*name)) {
        write_to(&mut sql, format_args!("RESET {}; ", identifier(name)));
    }
    for (name, value) in wanted {
        if known.get(name) != Some(value) {
            let (name, value) = (literal(name), literal(value));
            write_to(
                &mut sql,
                format_args!("SELECT set_config({name}, {value}, false); "),
            );
        }
    }
    sql
}

fn write_to(sql: &mut String, text: std::fmt::Arguments<'_>) {
    // A String takes all.
    let _infallible = sql.write_fmt(text);
}

/// Backslashes are ordinary characters: `standard_conforming_strings` is always on.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name with dots has parts.
fn identifier(name: &str) -> String {
    let parts = name
        .split('.')
        .map(|part| format!("\"{}\"", part.replace('"', "\"\"")));
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        owned.collect()
    }

    #[test]
    fn only_what_differs_is_said() {
        let known = values(&[("TimeZone", "UTC"), ("my.tag", "x"), ("work_mem", "1MB")]);
        assert_eq!(difference(Some(&known), &known), "");
        let wanted = values(&[("TimeZone", "Europe/Paris"), ("work_mem", "1MB")]);
        assert_eq!(
            difference(Some(&known), &wanted),
            "RESET \"my\".\"tag\"; SELECT set_config('TimeZone', 'Europe/Paris', false); "
        );
        let wanted = values(&[("my.tag", "it's \\ here")]);
        assert_eq!(
            difference(None, &wanted),
            "RESET ALL; SELECT set_config('my.tag', 'it''s \\ here', false); "
        );
        assert_eq!(difference(None, &values(&[])), "RESET ALL; ");
    }
}
