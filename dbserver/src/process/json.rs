//! Log lines as JSON (`LogFormat = json`): an object a line.

use std::fmt::{self, Write as _};

use dbconfig::syslog::Severity;
use fwlog::Timestamp;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::process::lines::plain;
use crate::process::sink::Sink;

/// The keys that every line has; a field of an event has another name.
const KEYS: [&str; 4] = ["time", "level", "target", "message"];

/// Fields that are lists: of addresses, which have no commas in them.
const LISTS: [&str; 1] = ["addresses"];

/// Such a list as an array.
fn list(text: &str) -> Value {
    let text = text.strip_prefix('[').unwrap_or(text);
    let text = text.strip_suffix(']').unwrap_or(text);
    let items = text.split(", ").filter(|item| !item.is_empty());
    items.map(Value::from).collect()
}

/// Makes a line of each event.
#[derive(Debug)]
pub(super) struct JsonLayer(pub(super) Sink);

impl<S: Subscriber> Layer<S> for JsonLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = Line {
            time: time(Timestamp::now()),
            level: level_word(*metadata.level()),
            target: metadata.target(),
            message: &fields.message,
            fields: &fields.fields,
        };
        let words = line.words();
        let severity = Severity::of_level(metadata.level().as_str());
        // There is nowhere to say that it could not be said.
        drop(
            self.0
                .tell(severity, &plain(&words), line.to_json().as_bytes()),
        );
    }
}

/// The line about what has come again, from its words and the number.
pub(super) fn repeated(words: &str, count: u64) -> String {
    let words = words.trim_start();
    let (level, rest) = words.split_once(' ').unwrap_or(("", words));
    let (target, message) = rest.split_once(": ").unwrap_or(("", rest));
    let message = format!("{message} ({count} times more)");
    Line {
        time: time(Timestamp::now()),
        level: level.parse().map_or("warn", level_word),
        target,
        message: &message,
        fields: &[("repeated".to_owned(), count.into())],
    }
    .to_json()
}

/// RFC 3339.
fn time(time: Timestamp) -> String {
    time.to_string().replace(' ', "T")
}

/// As `LogFlags` spells it.
fn level_word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// One line of the log.
struct Line<'a> {
    time: String,
    level: &'static str,
    target: &'a str,
    message: &'a str,
    fields: &'a [(String, Value)],
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in
            KEYS.into_iter()
                .zip([&*self.time, self.level, self.target, self.message])
        {
            map.serialize_entry(key, value)?;
        }
        for (name, value) in self.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Line<'_> {
    /// With its line feed. Characters that would command a terminal are escaped.
    fn to_json(&self) -> String {
        let Ok(json) = serde_json::to_string(self) else {
            // Texts, numbers and truth values can always be written.
            return String::new();
        };
        let mut line = String::with_capacity(json.len() + 1);
        for c in json.chars() {
            if c.is_control() {
                write!(line, "\\u{:04x}", u32::from(c)).expect("a String takes all");
            } else {
                line.push(c);
            }
        }
        line.push('\n');
        line
    }

    /// What a line of text would say behind its time: the same failure has the same words.
    fn words(&self) -> String {
        let level = self.level.to_ascii_uppercase();
        let mut words = format!("{level} {}: {}", self.target, self.message);
        for (name, value) in self.fields {
            let value = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            words = format!("{words} {name}={value}");
        }
        words
    }
}

/// The words and the fields of an event, in their order.
#[derive(Default)]
struct Fields {
    message: String,
    fields: Vec<(String, Value)>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        let name = field.name();
        let name = if KEYS.contains(&name) {
            format!("{name}_")
        } else {
            name.to_owned()
        };
        self.fields.push((name, value));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else if LISTS.contains(&field.name()) {
            self.put(field, list(&text));
        } else {
            self.put(field, Value::String(text));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.put(field, value.into());
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::process::log_file::LogFile;
    use crate::process::recent::Recent;
    use crate::process::sink::{Format, Place};

    fn told(tell: impl FnOnce()) -> Vec<Value> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let place = Place::File(LogFile::open(&path).unwrap());
        let sink = Sink::new(place, Format::Json, Recent::default());
        let subscriber = tracing_subscriber::registry().with(JsonLayer(sink));
        tracing::subscriber::with_default(subscriber, tell);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.is_ascii() || !text.contains('\u{9b}'), "{text}");
        text.lines()
            .map(|line| serde_json::from_str(line).expect(line))
            .collect()
    }

    #[test]
    fn an_event_is_an_object_with_its_fields() {
        let lines = told(|| {
            let (bytes, user) = (7_u64, "a \"b\"\n\u{1b}[2J\u{9b}");
            tracing::info!(user, bytes, ok = true, lag = 1.5, shown = %"x y", "{} is made", "shop");
        });
        let [line] = lines.as_slice() else {
            panic!("{lines:?}");
        };
        let time = line["time"].as_str().unwrap();
        assert!(
            time.len() == 24 && time.ends_with('Z') && time.contains('T'),
            "{time}"
        );
        assert_eq!(line["level"], "info");
        assert_eq!(line["target"], module_path!());
        assert_eq!(line["message"], "shop is made");
        assert_eq!(line["user"], "a \"b\"\n\u{1b}[2J\u{9b}");
        assert_eq!((&line["bytes"], &line["ok"]), (&7.into(), &true.into()));
        assert_eq!((&line["lag"], &line["shown"]), (&1.5.into(), &"x y".into()));
    }

    #[test]
    fn addresses_are_an_array() {
        let addresses = |texts: &[&str]| -> Vec<std::net::SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        for texts in [
            &[][..],
            &["127.0.0.1:8102"],
            &["[::1]:1", "10.0.0.1:2", "[fe80::2]:3"],
        ] {
            let lines = told(|| tracing::info!(addresses = ?addresses(texts), "ready"));
            assert_eq!(lines[0]["addresses"], Value::from(texts));
        }
    }

    #[test]
    fn a_field_never_takes_the_place_of_what_every_line_has() {
        let lines = told(|| tracing::warn!(time = 1, level = "none", "said"));
        assert_eq!(lines[0]["level"], "warn");
        assert_eq!(
            (&lines[0]["time_"], &lines[0]["level_"]),
            (&1.into(), &"none".into())
        );
    }

    #[test]
    fn a_failure_that_comes_again_is_told_a_few_times_then_counted() {
        let lines = told(|| {
            for _ in 0..1000 {
                tracing::error!(disk = "full", "no room");
            }
        });
        assert_eq!(lines.len(), 3);
        let line = repeated("ERROR dbserver::guard: no room disk=full", 997);
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["message"], "no room disk=full (997 times more)");
        assert_eq!(
            (&line["level"], &line["target"]),
            (&"error".into(), &"dbserver::guard".into())
        );
        assert_eq!(line["repeated"], 997);
    }
}
