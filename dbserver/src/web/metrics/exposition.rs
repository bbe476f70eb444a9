//! Prometheus' text format, version 0.0.4.
//!
//! ```text
//! # HELP eloqdb_commits_total Transactions that …
//! # TYPE eloqdb_commits_total counter
//! eloqdb_commits_total 17
//! eloqdb_replication_lag_seconds{slave="south"} 0.25
//! ```

use std::fmt::Write as _;

/// Whether a number only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// A text under way.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
    /// The family that samples belong to at present.
    name: &'static str,
}

impl Exposition {
    /// A family begins. Its head is written even where it has no samples, so that it is known what there can be.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> &mut Self {
        debug_assert_eq!(kind == Kind::Counter, name.ends_with("_total"), "{name}");
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.name = name;
        self.put(format_args!(
            "# HELP {name} {help}\n# TYPE {name} {}\n",
            kind.word()
        ))
    }

    /// A counter without labels.
    pub(super) fn counter(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(name, Kind::Counter, help).whole(&[], value);
    }

    /// A gauge without labels.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str, value: u64) {
        self.family(name, Kind::Gauge, help).whole(&[], value);
    }

    /// A whole number of the family.
    pub(super) fn whole(&mut self, labels: &[(&str, &str)], value: u64) -> &mut Self {
        self.sample(labels, format_args!("{value}"))
    }

    /// Microseconds, which are seconds there.
    pub(super) fn seconds(&mut self, labels: &[(&str, &str)], micros: u64) -> &mut Self {
        let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
        self.sample(labels, format_args!("{whole}.{rest:06}"))
    }

    /// 1 for what is true, else 0.
    pub(super) fn truth(&mut self, labels: &[(&str, &str)], value: bool) -> &mut Self {
        self.whole(labels, u64::from(value))
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: std::fmt::Arguments<'_>) -> &mut Self {
        self.text.push_str(self.name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            self.put(format_args!("{before}{label}=\"{}\"", escaped(text)));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        self.put(format_args!(" {value}\n"))
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) -> &mut Self {
        self.text.write_fmt(text).expect("a String takes all");
        self
    }

    /// All of it.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// The value of a label: backslash, quote and line feed are escaped.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_samples_and_labels_are_as_the_format_says() {
        let mut out = Exposition::default();
        out.family("a_seconds", Kind::Gauge, "How long.\nA back\\slash.")
            .seconds(&[("slave", "a\"b\\c\nd"), ("x", "")], 1_500_000)
            .seconds(&[], 7);
        out.counter("b_total", "How many.", 3);
        assert_eq!(
            out.into_text(),
            "# HELP a_seconds How long.\\nA back\\\\slash.\n# TYPE a_seconds gauge\n\
             a_seconds{slave=\"a\\\"b\\\\c\\nd\",x=\"\"} 1.500000\na_seconds 0.000007\n\
             # HELP b_total How many.\n# TYPE b_total counter\nb_total 3\n"
        );
    }
}
