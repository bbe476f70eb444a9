//! A program on a terminal of its own.

use std::path::Path;
use std::process::Command;

use crate::files;
use crate::process::{Run, run};
use crate::programs::needed;

/// Runs a command to its end on a terminal of so many columns; gives its exit code and all that the terminal was
/// sent, as it was sent. `folder` is for that text.
pub fn on_terminal(command: &Command, columns: usize, folder: &Path) -> Run {
    let shown = folder.join("terminal");
    let words: Vec<String> = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy().replace('\'', "'\\''")))
        .collect();
    let line = format!("stty cols {columns} rows 24; exec {}", words.join(" "));
    let mut script = needed("script", "bsdutils");
    script.args(["-q", "-e", "-f", "-c", &line]).arg(&shown);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    script.env("TERM", "xterm");
    let mut run = run(&mut script, b"");
    run.out = String::from_utf8_lossy(&files::read(&shown)).into_owned();
    run
}

/// The rows that a terminal was sent, without what moves the cursor and clears.
pub fn rows(sent: &str) -> Vec<String> {
    let mut rows = vec![String::new()];
    let mut characters = sent.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => {
                characters.next();
                characters.find(char::is_ascii_alphabetic);
                rows.push(String::new());
            }
            '\r' | '\n' => rows.push(String::new()),
            other => rows.last_mut().expect("a row").push(other),
        }
    }
    rows.retain(|row| !row.trim().is_empty());
    rows
}
