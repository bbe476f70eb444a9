//! What a client wrote for an expression of a definition, as a comment before the text that SQLite runs: so that the
//! catalog can show it.

const BEGIN: &str = "/*sql ";
const END: &str = "*/";

/// The comment.
pub(crate) fn write(expression: &str) -> String {
    // A comment of the client's own must not end this one.
    format!("{BEGIN}{}{END}", expression.replace("*/", "*\\/"))
}

/// The expression of such a comment at the end of what stands before SQLite's text.
pub(crate) fn read(before: &str) -> Option<String> {
    let note = before.trim_end().strip_suffix(END)?;
    let note = note.get(note.find(BEGIN)? + BEGIN.len()..)?;
    Some(note.replace("*\\/", "*/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_comes_back_as_it_was_written() {
        for text in ["now()", "a /* b */ > 1", "'/*sql '"] {
            assert_eq!(read(&format!("({}", write(text))).as_deref(), Some(text));
        }
        assert_eq!(read("("), None);
        assert_eq!(read("/*integer*/"), None);
    }
}
