//! Holds the table of messages in `docs/replication.md` against the type bytes.

#![expect(clippy::unwrap_used, reason = "a test that can't read the page fails")]

use dbproto::base::BASE_MESSAGES;
use dbproto::{MESSAGES, state};

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/replication.md");
    std::fs::read_to_string(path).unwrap()
}

/// The first three cells of the rows of a message table, without the marks of code.
fn rows(page: &str, head: &str) -> Vec<[String; 3]> {
    let table = page
        .lines()
        .skip_while(|line| !line.starts_with(head))
        .skip(2);
    table
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let mut cells = line
                .split('|')
                .skip(1)
                .map(|cell| cell.trim().replace('`', ""));
            std::array::from_fn(|_| cells.next().unwrap())
        })
        .collect()
}

#[test]
fn the_page_lists_every_message_with_its_type_byte_and_direction() {
    for (head, messages) in [
        ("| message |", MESSAGES),
        ("| base message |", BASE_MESSAGES),
    ] {
        let real: Vec<_> = messages
            .iter()
            .map(|(name, kind, way)| {
                [
                    (*name).to_owned(),
                    char::from(*kind).to_string(),
                    (*way).to_owned(),
                ]
            })
            .collect();
        assert_eq!(rows(&page(), head), real);
    }
}

#[test]
fn the_page_explains_the_sqlstates_of_this_protocol() {
    let page = page();
    for own in [
        state::OTHER_ENVIRONMENT,
        state::DIVERGED,
        state::DAMAGED,
        state::LOG_MISSING,
        state::SOURCE_DAMAGED,
    ] {
        assert!(page.contains(&format!("`{own}`")), "{own}");
    }
}

#[test]
fn the_page_of_messages_lists_those_of_instances() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/messages.md");
    let page = std::fs::read_to_string(path).unwrap();
    for own in [
        state::SAME_NAME,
        state::NAME_TAKEN,
        state::PARTIAL,
        state::GATE_DOWN,
        state::CYCLE,
        state::TOO_DEEP,
    ] {
        assert!(page.contains(&format!("| `{own}` |")), "{own}");
    }
}
