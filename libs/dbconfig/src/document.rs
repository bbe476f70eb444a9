//! The configuration file as lines: where each entry stands, and changes that leave everything
//! else as it was.

use std::fmt;
use std::ops::Range;

use crate::error::Problem;
use crate::keys::{ALIASES, Key};
use crate::line::{explains, quote, split_line, unquote};
use crate::place::Place;

/// A file that was split into sections and entries, with all its comments.
///
/// `Display` gives the text back byte for byte, except for entries changed by [`Document::set`].
#[derive(Debug, Clone)]
pub struct Document {
    /// Each line with its line end.
    lines: Vec<String>,
    items: Vec<Item>,
}

/// One `key = value` of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Name of the section as it is written.
    pub section: &'a str,
    /// Key as it is written.
    pub key: &'a str,
    /// Value as it is written: without comment and blanks, with its quotes.
    pub raw: &'a str,
    /// Line number, from 1.
    pub line: usize,
}

impl<'a> Entry<'a> {
    /// The value without quotes.
    pub fn text(&self) -> &'a str {
        unquote(self.raw)
    }
}

/// A section head as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// Name of the section.
    pub section: &'a str,
    /// Line number, from 1.
    pub line: usize,
}

#[derive(Debug, Clone)]
struct Item {
    /// Index into `lines`.
    line: usize,
    /// Section name, or key: bytes of the line.
    name: Range<usize>,
    /// Value with its quotes; none for a section head.
    value: Option<Range<usize>>,
}

impl Document {
    /// Splits a text. All lines that are neither blank, comment, section nor entry are reported.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let mut document = Self {
            lines: text.split_inclusive('\n').map(str::to_owned).collect(),
            items: Vec::new(),
        };
        let problems = document.scan();
        if problems.is_empty() {
            Ok(document)
        } else {
            Err(problems)
        }
    }

    fn scan(&mut self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut in_section = false;
        self.items.clear();
        for (index, line) in self.lines.iter().enumerate() {
            match split_line(line) {
                Ok(None) => {}
                Ok(Some((name, value))) => {
                    in_section |= value.is_none();
                    if !in_section {
                        let message = "this stands before the first [section]";
                        problems.push(Problem::at(index + 1, message));
                    }
                    self.items.push(Item {
                        line: index,
                        name,
                        value,
                    });
                }
                Err(message) => problems.push(Problem::at(index + 1, message)),
            }
        }
        problems
    }

    fn slice(&self, line: usize, range: &Range<usize>) -> &str {
        self.lines
            .get(line)
            .and_then(|line| line.get(range.clone()))
            .unwrap_or_default()
    }

    /// The section heads, in order.
    pub fn heads(&self) -> impl Iterator<Item = Head<'_>> {
        self.items
            .iter()
            .filter(|item| item.value.is_none())
            .map(|item| Head {
                section: self.slice(item.line, &item.name),
                line: item.line + 1,
            })
    }

    /// The entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut section = "";
        self.items.iter().filter_map(move |item| {
            let name = self.slice(item.line, &item.name);
            let Some(value) = &item.value else {
                section = name;
                return None;
            };
            let raw = self.slice(item.line, value);
            Some(Entry {
                section,
                key: name,
                raw,
                line: item.line + 1,
            })
        })
    }

    /// The entry of a key, whatever the case of its names. The last one, where there are several.
    pub fn get(&self, section: &str, key: &str) -> Option<Entry<'_>> {
        self.entries()
            .filter(|entry| {
                entry.section.eq_ignore_ascii_case(section) && entry.key.eq_ignore_ascii_case(key)
            })
            .last()
    }

    /// Gives a key a value. An entry that exists keeps its line, its spelling and its comment.
    /// A new one goes below the line that explains it (`# key = …` in the section), else to the
    /// end of the section, which is made when the file has none of that name.
    pub fn set(&mut self, section: &str, key: &str, value: &str) -> Result<(), String> {
        let value = quote(value)?;
        let existing = self.get(section, key).map(|entry| entry.line - 1);
        if let Some(line) = existing {
            self.replace_value(line, &value);
        } else {
            self.insert(section, key, &value);
        }
        let problems = self.scan();
        assert!(
            problems.is_empty(),
            "an edited document must stay readable: {problems:?}"
        );
        Ok(())
    }

    /// [`Document::set`] for a key of the table. A line that has another accepted spelling of its
    /// name keeps that.
    pub fn set_key(&mut self, key: &Key, value: &str) -> Result<(), String> {
        self.set_key_at(&key.section.into(), key, value)
    }

    /// The same in a section that may be for a database. Its head keeps its spelling.
    pub fn set_key_at(&mut self, place: &Place, key: &Key, value: &str) -> Result<(), String> {
        let heads = self.heads().map(|head| head.section);
        let head = heads
            .filter(|head| Place::find(&[place.section], head).as_ref() == Some(place))
            .last();
        let head = head.map_or_else(|| place.to_string(), str::to_owned);
        let alias = ALIASES
            .iter()
            .filter(|(section, _, name)| *section == key.section && *name == key.name)
            .map(|(_, alias, _)| *alias)
            .find(|alias| self.get(&head, alias).is_some());
        self.set(&head, alias.unwrap_or(key.name), value)
    }

    fn replace_value(&mut self, line: usize, value: &str) {
        let range = self
            .items
            .iter()
            .find(|item| item.line == line)
            .and_then(|i| i.value.clone());
        if let (Some(text), Some(range)) = (self.lines.get_mut(line), range) {
            // `key=` has no blank that could stay in front of the new value.
            let blank = if text.get(..range.start).is_some_and(|t| t.ends_with('=')) {
                " "
            } else {
                ""
            };
            text.replace_range(range, &format!("{blank}{value}"));
        }
    }

    fn insert(&mut self, section: &str, key: &str, value: &str) {
        let end = self.line_end();
        if let Some(last) = self.lines.last_mut().filter(|line| !line.ends_with('\n')) {
            last.push_str(end);
        }
        let entry = format!("{key} = {value}").trim_end().to_owned() + end;
        let head = self
            .heads()
            .filter(|h| h.section.eq_ignore_ascii_case(section))
            .last();
        if let Some(head) = head {
            let place = self.place_in_section(head.line, key);
            self.lines.insert(place, entry);
        } else {
            if !self.lines.is_empty() {
                self.lines.push(end.to_owned());
            }
            self.lines.push(format!("[{section}]{end}"));
            self.lines.push(entry);
        }
    }

    /// Index of the line before which a new entry goes; `head` is the index after the head line.
    fn place_in_section(&self, head: usize, key: &str) -> usize {
        let next_head = self.heads().map(|h| h.line - 1).find(|line| *line >= head);
        let end = next_head.unwrap_or(self.lines.len());
        let body = || self.lines.iter().enumerate().take(end).skip(head);
        let explained = body()
            .find(|(_, line)| explains(line, key))
            .map(|(index, _)| index + 1);
        let after_entries = || {
            let items = self
                .items
                .iter()
                .filter(|item| (head..end).contains(&item.line));
            items.map(|item| item.line + 1).max()
        };
        explained.or_else(after_entries).unwrap_or(head)
    }

    fn line_end(&self) -> &'static str {
        if self
            .lines
            .first()
            .is_some_and(|line| line.ends_with("\r\n"))
        {
            "\r\n"
        } else {
            "\n"
        }
    }

    /// The text without comments, line for line: what a parser that knows no quotes can read.
    pub(crate) fn without_comments(&self) -> String {
        let mut plain = vec![String::new(); self.lines.len()];
        for item in &self.items {
            let name = self.slice(item.line, &item.name);
            let text = match &item.value {
                None => format!("[{name}]"),
                Some(value) => format!("{name} = {}", self.slice(item.line, value)),
            };
            if let Some(line) = plain.get_mut(item.line) {
                *line = text;
            }
        }
        plain.join("\n")
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| f.write_str(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::parse(text).expect("a readable document")
    }

    fn first_value(text: &str) -> String {
        document(text)
            .entries()
            .next()
            .expect("an entry")
            .text()
            .to_owned()
    }

    fn message(text: &str) -> String {
        let problems = Document::parse(text).expect_err("an unreadable document");
        format!("{}: {}", problems[0].line.unwrap(), problems[0].message)
    }

    #[test]
    fn an_entry_without_a_value_gets_one_on_its_own_line() {
        for (before, after) in [
            ("[a]\nk =\nl = 1\n", "[a]\nk = x\nl = 1\n"),
            ("[a]\nk = \r\nl = 1\r\n", "[a]\nk = x \r\nl = 1\r\n"),
            ("[a]\nk = # why\n", "[a]\nk = x # why\n"),
            ("[a]\nk =", "[a]\nk = x"),
        ] {
            let mut document = Document::parse(before).unwrap();
            document.set("a", "k", "x").unwrap();
            assert_eq!(document.to_string(), after);
        }
    }

    #[test]
    fn comments_end_a_value_and_quotes_protect_it() {
        assert_eq!(first_value("[a]\nk = v # c"), "v");
        assert_eq!(first_value("[a]\nk = v;c"), "v");
        assert_eq!(
            first_value("[a] ; head [x]\nk = \" v # c \" # d"),
            " v # c "
        );
        assert_eq!(first_value("[a]\nk="), "");
        assert_eq!(first_value("[a]\r\nk = v = w\r\n"), "v = w");
    }

    #[test]
    fn what_is_no_line_of_the_grammar_is_named_with_its_line() {
        assert_eq!(
            message("\nk = v\n"),
            "2: this stands before the first [section]"
        );
        assert_eq!(
            message("[a]\nhello"),
            "2: expected `key = value` or `[section]`"
        );
        assert_eq!(
            message("[a\nk = v"),
            "1: the closing `]` of the section is missing"
        );
        assert_eq!(message("[a] b"), "1: only a comment may follow `]`");
        assert_eq!(message("[a]\nk = \"v"), "2: the closing quote is missing");
        assert_eq!(
            message("[a]\nk = \"v\" w"),
            "2: only a comment may follow the closing quote"
        );
        assert_eq!(
            message("[a]\nk = v \"w\""),
            "2: quotes must enclose the whole value"
        );
        assert_eq!(message("[a]\n= v"), "2: there is no key before the `=`");
        assert_eq!(message("[]"), "1: this is no name of a section");
    }

    #[test]
    fn the_text_comes_back_byte_for_byte() {
        let text = "# top\r\n\n[A]  # x\n  k\t=  \"v\" ; y\n\n[b]\nlast = 1";
        assert_eq!(document(text).to_string(), text);
    }

    #[test]
    fn set_keeps_line_spelling_and_comment_of_an_entry() {
        let mut edited = document("[A]\n  Key =old   # why\nother = 1\n");
        edited.set("a", "key", "new").unwrap();
        assert_eq!(edited.to_string(), "[A]\n  Key = new   # why\nother = 1\n");
    }

    #[test]
    fn set_puts_a_new_entry_below_its_explanation() {
        let mut edited = document("[A]\n# One\n# k = 1\n# Two\n# l = 2\n[B]\n# k = 3\n");
        edited.set("A", "k", "9").unwrap();
        assert_eq!(
            edited.to_string(),
            "[A]\n# One\n# k = 1\nk = 9\n# Two\n# l = 2\n[B]\n# k = 3\n"
        );
    }

    #[test]
    fn set_makes_what_is_missing() {
        let mut edited = document("[A]\nx = 1\n\n# about b\n[B]");
        edited.set("A", "k", "9").unwrap();
        edited.set("B", "k", "a;b").unwrap();
        edited.set("C", "k", "").unwrap();
        let expected = "[A]\nx = 1\nk = 9\n\n# about b\n[B]\nk = \"a;b\"\n\n[C]\nk =\n";
        assert_eq!(edited.to_string(), expected);
        assert_eq!(edited.get("b", "K").unwrap().text(), "a;b");
    }

    #[test]
    fn an_old_spelling_of_a_key_is_set_in_its_place() {
        let key = crate::keys::find(crate::keys::Section::Replication, "RedirectWrite").unwrap();
        let mut edited = document("[Replication]\nRedicectWrite = a:1\n");
        edited.set_key(key, "b:2").unwrap();
        assert_eq!(edited.to_string(), "[Replication]\nRedicectWrite = b:2\n");
    }

    #[test]
    fn the_section_of_a_database_is_found_however_it_is_spelled_and_made_if_it_is_missing() {
        let key = crate::keys::find(crate::keys::Section::DbAccess, "allow").unwrap();
        let place = Place::find(&[key.section], "db-access my shop").unwrap();
        let mut edited =
            document("[db-access]\nallow = all\n[DB-Access  \"My Shop\"]\ndeny = ::1\n");
        edited.set_key_at(&place, key, "10.0.0.1").unwrap();
        let expected =
            "[db-access]\nallow = all\n[DB-Access  \"My Shop\"]\ndeny = ::1\nallow = 10.0.0.1\n";
        assert_eq!(edited.to_string(), expected);
        let mut made = document("[db-access]\nallow = all\n");
        made.set_key_at(&place, key, "10.0.0.1").unwrap();
        let expected = "[db-access]\nallow = all\n\n[db-access my shop]\nallow = 10.0.0.1\n";
        assert_eq!(made.to_string(), expected);
    }

    #[test]
    fn a_value_that_the_grammar_cannot_write_is_refused() {
        let mut edited = document("[A]\nk = 1\n");
        assert!(edited.set("A", "k", "a\"b").is_err());
        assert!(edited.set("A", "k", "a\nb = c").is_err());
        assert_eq!(edited.to_string(), "[A]\nk = 1\n");
    }
}
