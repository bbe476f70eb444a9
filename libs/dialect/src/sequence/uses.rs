//! Which sequences a printed statement calls: the server has to know them before it runs.

/// How printed statements call nextval.
pub(crate) const NEXTVAL: &str = "pg_nextval_oid(";
/// The calls that move a sequence.
const MOVING: &[&str] = &[NEXTVAL, "pg_setval_oid(", "pg_setval3_oid("];
/// The calls that look at what the session was given.
const LOOKING: &[&str] = &[
    "pg_currval_oid(",
    "pg_lastval(",
    "pg_pg_get_serial_sequence(",
];

/// The sequences that a statement may call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Sequences {
    /// None.
    #[default]
    None,
    /// These.
    Named(Vec<String>),
    /// Some whose names are computed.
    Any,
}

/// What a text of SQLite's does with sequences.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Uses {
    pub(crate) sequences: Sequences,
    /// It gives numbers out, or sets them.
    pub(crate) moves: bool,
}

/// The sequences that a text of SQLite's calls.
pub fn sequences_of(text: &str) -> Sequences {
    of(text).sequences
}

/// What a text does. A string literal that looks like a call makes no harm: its name is not found.
pub(crate) fn of(text: &str) -> Uses {
    let mut uses = Uses::default();
    // Few statements have any of this.
    if !text.contains("pg_") {
        return uses;
    }
    for name in MOVING {
        uses.moves |= collect(text, name, &mut uses.sequences);
    }
    for name in LOOKING {
        collect(text, name, &mut uses.sequences);
    }
    uses
}

fn collect(text: &str, call: &str, sequences: &mut Sequences) -> bool {
    let mut found = false;
    for (at, _) in text.match_indices(call) {
        found = true;
        let rest = text.get(at + call.len()..).unwrap_or_default();
        match (literal(rest), &mut *sequences) {
            (_, Sequences::Any) => {}
            (None, _) => *sequences = Sequences::Any,
            (Some(name), Sequences::Named(names)) => {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            (Some(name), Sequences::None) => *sequences = Sequences::Named(vec![name]),
        }
    }
    found
}

/// The name in the literal that is the call's first argument, without schema and quotes.
fn literal(rest: &str) -> Option<String> {
    written(rest).map(|name| super::bare(&name))
}

fn written(rest: &str) -> Option<String> {
    let inner = rest.strip_prefix('\'')?;
    let mut name = String::new();
    let mut chars = inner.chars().peekable();
    while let Some(next) = chars.next() {
        if next != '\'' {
            name.push(next);
        } else if chars.peek() == Some(&'\'') {
            chars.next();
            name.push('\'');
        } else {
            return matches!(chars.next(), Some(',' | ')')).then_some(name);
        }
    }
    None
}

/// The sequence that a default takes its values from.
pub fn default_name(default: &str) -> Option<String> {
    default_literal(default).map(|name| super::bare(&name))
}

/// The same name as it was written.
fn default_literal(default: &str) -> Option<String> {
    let at = default.find(NEXTVAL)?;
    written(default.get(at + NEXTVAL.len()..)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_literals_are_known_before_the_statement_runs() {
        let uses = of(
            "SELECT pg_nextval_oid('s'), pg_nextval_oid('public.\"T''\"'), pg_setval_oid('s', 1)",
        );
        assert_eq!(
            uses.sequences,
            Sequences::Named(vec!["s".into(), "T'".into()])
        );
        assert!(uses.moves);
        assert_eq!(of("SELECT pg_lastval()").sequences, Sequences::Any);
        assert_eq!(of("SELECT pg_currval_oid(?1)").sequences, Sequences::Any);
        assert_eq!(of("SELECT pg_textlen('x')"), Uses::default());
    }
}
