//! Where a statement ends: a lexer that knows just enough of SQL for that.

use crate::script::{Copy, Statement};

/// How many of the first words of a statement tell what it is.
const HEAD_WORDS: usize = 6;

/// Follows one statement from line to line.
pub(crate) struct Splitter {
    state: LexerState,
    begun: bool,
    parentheses: u32,
    /// Open BEGIN and CASE of a trigger's body, where semicolons do not end the statement.
    blocks: u32,
    /// First words, in capitals.
    head: Vec<String>,
    word: String,
    last_word: String,
    copy: Option<Copy>,
}

enum LexerState {
    Plain,
    /// In quotes of that kind; with backslash escapes in `E''`.
    Quoted {
        quote: char,
        escapes: bool,
    },
    /// In `$tag$`, with the whole delimiter.
    Dollar(String),
    /// In a block comment, so many deep.
    Comment(u32),
}

/// What a line gave to a statement: the bytes `start..end`. When the statement is complete, its
/// semicolon is at `end`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Feed {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) complete: bool,
}

impl Splitter {
    pub(crate) fn new() -> Self {
        Self {
            state: LexerState::Plain,
            begun: false,
            parentheses: 0,
            blocks: 0,
            head: Vec::new(),
            word: String::new(),
            last_word: String::new(),
            copy: None,
        }
    }

    /// Whether anything but blanks and comments has come, or a comment is open.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun || !matches!(self.state, LexerState::Plain)
    }

    /// Whether there is a statement.
    pub(crate) fn has_words(&self) -> bool {
        self.begun
    }

    /// Takes a line. The part before the first word is not given to the statement.
    pub(crate) fn feed(&mut self, line: &str) -> Feed {
        let mut start = if self.begun { Some(0) } else { None };
        let mut at = 0;
        while let Some(letter) = line.get(at..).and_then(|rest| rest.chars().next()) {
            let rest = line.get(at..).unwrap_or_default();
            if let LexerState::Plain = self.state {
                if rest.starts_with("--") {
                    self.end_word();
                    break;
                }
                if letter == ';' && self.at_top() {
                    self.end_word();
                    if self.at_top() {
                        return Feed {
                            start: start.unwrap_or(at),
                            end: at,
                            complete: true,
                        };
                    }
                }
                if !letter.is_whitespace() && !rest.starts_with("/*") && !self.begun {
                    self.begun = true;
                    start = Some(at);
                }
                at += self.plain(letter, rest);
            } else {
                at += self.enclosed(letter, rest);
            }
        }
        self.end_word_at_line_end();
        let end = if self.begun && start.is_some() {
            line.len()
        } else {
            0
        };
        Feed {
            start: start.unwrap_or(end),
            end,
            complete: false,
        }
    }

    fn at_top(&self) -> bool {
        // The word before the semicolon may be the END that closes the last block.
        let closes = self.blocks == 1 && self.is_trigger() && self.word.eq_ignore_ascii_case("END");
        self.parentheses == 0 && (self.blocks == 0 || closes)
    }

    fn end_word_at_line_end(&mut self) {
        if matches!(self.state, LexerState::Plain) {
            self.end_word();
        }
    }

    /// Looks at one letter outside of quotes and comments; gives the bytes that it took.
    fn plain(&mut self, letter: char, rest: &str) -> usize {
        if letter.is_alphanumeric() || letter == '_' || (letter == '$' && !self.word.is_empty()) {
            self.word.push(letter);
            return letter.len_utf8();
        }
        let escapes = self.word.eq_ignore_ascii_case("E");
        self.end_word();
        match letter {
            '\'' => {
                self.state = LexerState::Quoted {
                    quote: '\'',
                    escapes,
                }
            }
            '"' => {
                self.state = LexerState::Quoted {
                    quote: '"',
                    escapes: false,
                }
            }
            '$' => {
                if let Some(delimiter) = dollar_delimiter(rest) {
                    self.state = LexerState::Dollar(delimiter.to_owned());
                    return delimiter.len();
                }
            }
            '/' if rest.starts_with("/*") => {
                self.state = LexerState::Comment(1);
                return 2;
            }
            '(' => self.parentheses += 1,
            ')' => self.parentheses = self.parentheses.saturating_sub(1),
            _ => {}
        }
        letter.len_utf8()
    }

    /// Looks at one letter in quotes or a comment; gives the bytes that it took.
    fn enclosed(&mut self, letter: char, rest: &str) -> usize {
        let one = letter.len_utf8();
        let two = one + rest.chars().nth(1).map_or(0, char::len_utf8);
        match &mut self.state {
            LexerState::Quoted { escapes: true, .. } if letter == '\\' => return two,
            LexerState::Quoted { quote, .. } if letter == *quote => {
                if rest.chars().nth(1) == Some(letter) {
                    return two;
                }
                self.state = LexerState::Plain;
            }
            LexerState::Dollar(delimiter) if rest.starts_with(delimiter.as_str()) => {
                let length = delimiter.len();
                self.state = LexerState::Plain;
                return length;
            }
            LexerState::Comment(depth) if rest.starts_with("/*") => {
                *depth += 1;
                return 2;
            }
            LexerState::Comment(depth) if rest.starts_with("*/") => {
                *depth -= 1;
                if *depth == 0 {
                    self.state = LexerState::Plain;
                }
                return 2;
            }
            _ => {}
        }
        one
    }

    fn end_word(&mut self) {
        if self.word.is_empty() {
            return;
        }
        let word = std::mem::take(&mut self.word).to_uppercase();
        if self.head.len() < HEAD_WORDS {
            self.head.push(word.clone());
        }
        if self.is_trigger() {
            match word.as_str() {
                "BEGIN" | "CASE" => self.blocks += 1,
                "END" => self.blocks = self.blocks.saturating_sub(1),
                _ => {}
            }
        }
        if self.head.first().is_some_and(|first| first == "COPY") {
            match (self.last_word.as_str(), word.as_str()) {
                ("FROM", "STDIN") => self.copy = Some(Copy::In),
                ("TO", "STDOUT") => self.copy = Some(Copy::Out),
                _ => {}
            }
        }
        self.last_word = word;
    }

    fn is_trigger(&self) -> bool {
        self.head.first().is_some_and(|first| first == "CREATE")
            && self.head.iter().take(4).any(|word| word == "TRIGGER")
    }

    /// The statement, from its text and its first line.
    pub(crate) fn statement(self, sql: &str, line: usize) -> Statement {
        Statement {
            sql: sql.trim_end().to_owned(),
            line,
            copy: self.copy,
            verb: verb(&self.head),
        }
    }
}

/// `$$` or `$tag$` at the beginning of a text; `$1` is none.
fn dollar_delimiter(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('$')?;
    let length = inside.find('$')?;
    let tag = inside.get(..length)?;
    let letters = tag.chars().all(|c| c.is_alphanumeric() || c == '_');
    (letters && !tag.starts_with(|c: char| c.is_ascii_digit())).then(|| text.get(..length + 2))?
}

/// The words that a command tag begins with.
fn verb(head: &[String]) -> String {
    let fillers = [
        "OR",
        "REPLACE",
        "TEMP",
        "TEMPORARY",
        "UNIQUE",
        "UNLOGGED",
        "MATERIALIZED",
    ];
    let mut words = head.iter().map(String::as_str);
    let first = words.next().unwrap_or_default();
    if !["CREATE", "DROP", "ALTER"].contains(&first) {
        return first.to_owned();
    }
    match words.find(|word| !fillers.contains(word)) {
        Some(object) => format!("{first} {object}"),
        None => first.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The statements of a text on one or more lines.
    fn split(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let (mut splitter, mut sql) = (Splitter::new(), String::new());
        for line in text.split_inclusive('\n') {
            let mut line = line;
            loop {
                let feed = splitter.feed(line);
                sql.push_str(&line[feed.start..feed.end]);
                if !feed.complete {
                    break;
                }
                found.push(splitter.statement(&std::mem::take(&mut sql), 1).sql);
                splitter = Splitter::new();
                line = &line[feed.end + 1..];
            }
        }
        if splitter.has_words() {
            found.push(splitter.statement(&sql, 1).sql);
        }
        found
    }

    #[test]
    fn a_semicolon_in_quotes_or_comments_does_not_end_a_statement() {
        for text in [
            "SELECT ';', 'it''s;'",
            "SELECT \"a;b\"",
            "SELECT E'\\';'",
            "SELECT E'a''\\';'",
            "SELECT $$;$$, $x$ $$; $x$",
            "SELECT 1 /* ; /* ; */ ; */ + 1",
            "SELECT 1 -- ;\n+ 1",
            "SELECT '\n;\n'",
            "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
        ] {
            assert_eq!(split(&format!("{text}; SELECT 9")), [text, "SELECT 9"]);
        }
    }

    #[test]
    fn parameters_and_names_with_dollars_open_no_quotes() {
        assert_eq!(
            split("SELECT $1; SELECT a$b; SELECT 2$"),
            ["SELECT $1", "SELECT a$b", "SELECT 2$"]
        );
    }

    #[test]
    fn the_body_of_a_trigger_is_one_statement() {
        let trigger = "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN\n\
                       UPDATE b SET x = CASE WHEN y THEN 1 ELSE 2 END;\nDELETE FROM c;\nEND";
        assert_eq!(
            split(&format!("{trigger};\nSELECT 1;")),
            [trigger, "SELECT 1"]
        );
        let function = "CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f()";
        assert_eq!(
            split(&format!("{function};BEGIN;END;")),
            [function, "BEGIN", "END"]
        );
    }

    #[test]
    fn comments_before_a_statement_are_not_part_of_it() {
        assert_eq!(split("/* a\nb */ -- c\nSELECT 1;"), ["SELECT 1"]);
        assert_eq!(split("-- only\n/* comments */\n"), Vec::<String>::new());
    }

    #[test]
    fn copy_and_verb_are_recognized() {
        let statement = |text: &str| {
            let mut splitter = Splitter::new();
            splitter.feed(text);
            splitter.statement(text, 1)
        };
        assert_eq!(
            statement("copy t (a) from stdin with csv").copy,
            Some(Copy::In)
        );
        assert_eq!(statement("COPY (SELECT 1) TO STDOUT").copy, Some(Copy::Out));
        assert_eq!(statement("SELECT 'COPY t FROM STDIN'").copy, None);
        assert_eq!(
            statement("create or replace unique index i on t(a)").verb,
            "CREATE INDEX"
        );
        assert_eq!(statement("insert into t values (1)").verb, "INSERT");
    }
}
