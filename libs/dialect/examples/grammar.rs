//! Reads statements, each ended by a zero byte, and prints of each whether the grammar takes it: `ok` or the error's
//! SQLSTATE, position and message, each in a line, and with `--tree` the tree. For comparing with other parsers of PostgreSQL's grammar.
#![expect(clippy::print_stdout, reason = "a program for developers")]

use std::io::{self, Read};

fn main() -> io::Result<()> {
    let tree = std::env::args().any(|argument| argument == "--tree");
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    for sql in text.split_terminator('\0') {
        match dialect::syntax::parse(sql) {
            Ok(statement) if tree => println!("ok {statement:#?}"),
            Ok(_) => println!("ok"),
            Err(error) => println!(
                "{} {} {}",
                error.sqlstate.as_str(),
                error
                    .position
                    .map_or_else(|| "-".to_owned(), |position| position.to_string()),
                error.message.replace('\n', "\\n")
            ),
        }
    }
    Ok(())
}
