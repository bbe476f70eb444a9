//! What the log tells afterwards: who has done what, and which rows it has changed.

mod alone;
mod records;
mod rows;

use dbtests::Server;
use serde_json::Value;

/// The lines that `dbctl fwlog` prints with `--json` for this server's log.
fn told(server: &Server, words: &[&str]) -> Vec<Value> {
    let words: Vec<&str> = ["--json", "fwlog"].iter().chain(words).copied().collect();
    let text = server.dbctl(&words).ok();
    let line = |line: &str| serde_json::from_str(line).expect("a line of JSON");
    text.lines().map(line).collect()
}

/// The texts of some fields of the lines.
fn fields<const N: usize>(lines: &[Value], names: [&str; N]) -> Vec<[String; N]> {
    let text = |line: &Value, name: &str| match &line[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let fields = |line| names.map(|name| text(line, name));
    lines.iter().map(fields).collect()
}
