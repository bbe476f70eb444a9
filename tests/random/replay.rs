//! The recorded statements again.

use dbtests::data::manifest;

use crate::node::{Node, Sort};
use crate::pair;
use crate::queries::Statement;
use crate::record::{FILES, kept};
use crate::wire::Wire;

/// What differs from the recorded answers.
pub(crate) fn differences(wire: &mut Wire) -> Vec<String> {
    let mut found = Vec::new();
    let mut count = 0;
    for file in FILES {
        let text = dbtests::files::read(&manifest(file));
        let text = String::from_utf8(text).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        for two in lines.chunks_exact(2) {
            let (flags, sql) = two[0].split_once(": ").expect("flags");
            let statement = Statement {
                node: Node::leaf(Sort::Fixed, sql),
                ordered: flags.contains('o'),
                binary: flags.contains('b'),
                changes: ["t", "u", "w"]
                    .into_iter()
                    .find(|table| flags.contains(table)),
            };
            count += 1;
            let answer = pair::ask(wire, &statement, sql).line(statement.ordered);
            if kept(&answer) != two[1] {
                found.push(format!("{sql}\n  ours   {answer}\n  theirs {}", two[1]));
            }
        }
    }
    assert!(count >= 5000, "{count} statements are recorded");
    found
}
