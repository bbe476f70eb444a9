//! Prometheus' text format, read as strictly as it is written down: what promtool and the server accept, and nothing more.

use std::collections::{BTreeMap, BTreeSet};

/// A family as it was read.
#[derive(Debug, Default)]
pub(crate) struct Family {
    /// `counter` or `gauge`.
    pub(crate) kind: String,
    /// What it says of itself.
    pub(crate) help: String,
    /// Labels and values.
    pub(crate) samples: Vec<(BTreeMap<String, String>, f64)>,
}

/// All families by name.
pub(crate) type Metrics = BTreeMap<String, Family>;

/// Reads a text; panics with the line that is wrong.
#[track_caller]
pub(crate) fn read(text: &str) -> Metrics {
    assert!(text.ends_with('\n'), "the last line has an end");
    let mut families = Metrics::new();
    let mut present = String::new();
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect(line);
            assert!(is_name(name, true), "{line}");
            assert!(!help.is_empty(), "{line}");
            let family = Family {
                help: help.to_owned(),
                ..Family::default()
            };
            assert!(
                families.insert(name.to_owned(), family).is_none(),
                "twice: {line}"
            );
            name.clone_into(&mut present);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect(line);
            assert_eq!(name, present, "TYPE follows its HELP: {line}");
            assert!(["counter", "gauge"].contains(&kind), "{line}");
            let family = families.get_mut(name).expect(line);
            assert!(
                family.kind.is_empty() && family.samples.is_empty(),
                "twice: {line}"
            );
            kind.clone_into(&mut family.kind);
        } else {
            let (name, labels, value) = sample(line);
            assert_eq!(name, present, "a sample follows its family: {line}");
            assert!(seen.insert((name.clone(), labels.clone())), "twice: {line}");
            let family = families.get_mut(&name).expect(line);
            assert!(!family.kind.is_empty(), "{line}");
            assert!(family.kind != "counter" || value >= 0.0, "{line}");
            family.samples.push((labels, value));
        }
    }
    families
}

/// The conventions of names: our prefix, base units, `_total` for counters alone.
#[track_caller]
pub(crate) fn hold_conventions(metrics: &Metrics) {
    for (name, family) in metrics {
        assert!(name.starts_with("eloqdb_"), "{name}");
        assert_eq!(family.kind == "counter", name.ends_with("_total"), "{name}");
        for unit in [
            "_ms",
            "_millis",
            "_milliseconds",
            "_micros",
            "_kib",
            "_mib",
            "_minutes",
        ] {
            assert!(
                !name.contains(unit),
                "{name}: seconds and bytes are the units"
            );
        }
        for reserved in ["_count", "_sum", "_bucket"] {
            assert!(!name.ends_with(reserved), "{name}");
        }
        assert!(
            family.help.ends_with('.') || family.help.ends_with(')'),
            "{name}: {}",
            family.help
        );
    }
}

/// `name{label="value",…} number`
fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let end = line.find(['{', ' ']).expect(line);
    let (name, rest) = line.split_at(end);
    assert!(is_name(name, true), "{line}");
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => read_labels(rest, line),
        None => (BTreeMap::new(), rest),
    };
    let value = rest.strip_prefix(' ').expect(line);
    assert!(!value.contains(' ') && !value.is_empty(), "{line}");
    (name.to_owned(), labels, value.parse().expect(line))
}

/// Labels up to the brace, and what follows it.
fn read_labels<'a>(mut rest: &'a str, line: &str) -> (BTreeMap<String, String>, &'a str) {
    let mut labels = BTreeMap::new();
    loop {
        let (label, after) = rest.split_once("=\"").expect(line);
        assert!(is_name(label, false), "{line}");
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next().expect(line) {
                (at, '"') => break at + 1,
                (_, '\\') => value.push(match chars.next().expect(line).1 {
                    'n' => '\n',
                    escaped @ ('\\' | '"') => escaped,
                    other => panic!("\\{other} is no escape: {line}"),
                }),
                (_, plain) => value.push(plain),
            }
        };
        assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
        rest = &after[end..];
        if let Some(more) = rest.strip_prefix(',') {
            rest = more;
        } else {
            return (labels, rest.strip_prefix('}').expect(line));
        }
    }
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`, without colons for labels.
fn is_name(name: &str, colons: bool) -> bool {
    let mut chars = name.chars();
    let good = |c: char| c.is_ascii_alphabetic() || c == '_' || (colons && c == ':');
    chars.next().is_some_and(good) && chars.all(|c| good(c) || c.is_ascii_digit())
}

impl Family {
    /// The value of the sample with these labels, in any company.
    pub(crate) fn of(&self, labels: &[(&str, &str)]) -> Option<f64> {
        let has = |sample: &BTreeMap<String, String>| {
            labels
                .iter()
                .all(|(label, value)| sample.get(*label).is_some_and(|known| known == value))
        };
        let found = self.samples.iter().find(|(sample, _)| has(sample));
        found.map(|(_, value)| *value)
    }

    /// The whole number of a family without labels.
    #[track_caller]
    pub(crate) fn only(&self) -> u64 {
        assert_eq!(self.samples.len(), 1, "{self:?}");
        let value = self.samples[0].1.to_string();
        value.parse().expect("a whole number")
    }
}

#[test]
fn what_is_not_of_the_format_is_refused() {
    let good = "# HELP a_total x.\n# TYPE a_total counter\na_total{b=\"c\\\"\"} 1\n";
    assert_eq!(read(good)["a_total"].of(&[("b", "c\"")]), Some(1.0));
    for bad in [
        "a 1\n",
        "# HELP a x.\na 1\n",
        "# HELP a x.\n# TYPE a gauge\na 1\na 1\n",
        "# HELP a x.\n# TYPE a gauge\na{b=\"\\x\"} 1\n",
        "# HELP a x.\n# TYPE a gauge\na{b=\"c} 1\n",
        "# HELP a x.\n# TYPE a gauge\na{1b=\"c\"} 1\n",
        "# HELP a x.\n# TYPE a gauge\na one\n",
        "# HELP a x.\n# TYPE a gauge\n\n",
        "# HELP a x.\n# TYPE b gauge\n",
        "# HELP a x.\n# TYPE a gauge\na 1",
    ] {
        let refused = std::panic::catch_unwind(|| read(bad));
        assert!(refused.is_err(), "{bad:?}");
    }
}
