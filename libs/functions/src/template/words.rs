//! The words of templates for dates and times.

/// Words, of those that begin alike the longest first. Each is known in upper and in lower case;
/// the names of days and months also with a capital.
const WORDS: &[&str] = &[
    "A.D.", "A.M.", "AD", "AM", "B.C.", "BC", "CC", "DAY", "DDD", "DD", "DY", "D", "FF1", "FF2",
    "FF3", "FF4", "FF5", "FF6", "FX", "HH24", "HH12", "HH", "IDDD", "ID", "IW", "IYYY", "IYY",
    "IY", "I", "J", "MI", "MM", "MONTH", "MON", "MS", "OF", "P.M.", "PM", "Q", "RM", "SSSSS",
    "SSSS", "SS", "TZH", "TZM", "TZ", "US", "WW", "W", "Y,YYY", "YYYY", "YYY", "YY", "Y",
];
const CAPITALIZED: &[&str] = &["Day", "Dy", "Month", "Mon"];

/// How a word is written in the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Capital,
    Lower,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A word with what stands around it.
    Field(Word),
    /// A character that stands for itself.
    Text(char),
    /// A blank, or a character that is neither letter nor digit.
    Separator(char),
}

/// A word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// In upper case.
    pub(super) name: &'static str,
    pub(super) case: Case,
    /// `FM` before it: without padding.
    pub(super) bare: bool,
    /// `TH` or `th` behind it: an ordinal number.
    pub(super) ordinal: Option<Case>,
}

impl Word {
    /// As the template has it.
    pub(super) fn spelling(&self) -> String {
        match self.case {
            Case::Upper => self.name.to_owned(),
            Case::Lower => self.name.to_lowercase(),
            Case::Capital => {
                let (first, rest) = self.name.split_at(1);
                format!("{first}{}", rest.to_lowercase())
            }
        }
    }
}

/// A template taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(super) pieces: Vec<Piece>,
}

/// The word at the start, its case, and its length.
fn word(rest: &str) -> Option<(&'static str, Case)> {
    let capital = CAPITALIZED
        .iter()
        .find(|word| rest.starts_with(**word))
        .and_then(|word| WORDS.iter().find(|known| known.eq_ignore_ascii_case(word)));
    if let Some(name) = capital {
        return Some((name, Case::Capital));
    }
    WORDS.iter().find_map(|name| {
        let head = rest.get(..name.len())?;
        if head == *name {
            return Some((*name, Case::Upper));
        }
        (head == name.to_ascii_lowercase()).then_some((*name, Case::Lower))
    })
}

impl Template {
    /// Takes a template apart; what is no word stands for itself.
    pub(crate) fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let mut bare = false;
            let mut behind = rest;
            while let Some(prefix) = ["FM", "fm", "TM", "tm"]
                .into_iter()
                .find(|prefix| behind.starts_with(prefix))
            {
                bare = true;
                behind = behind.get(prefix.len()..).unwrap_or_default();
            }
            if let Some((name, case)) = word(behind) {
                rest = behind.get(name.len()..).unwrap_or_default();
                let ordinal = match rest.get(..2) {
                    Some("TH") => Some(Case::Upper),
                    Some("th") => Some(Case::Lower),
                    _ => None,
                };
                if ordinal.is_some() || matches!(rest.get(..2), Some("SP" | "sp")) {
                    rest = rest.get(2..).unwrap_or_default();
                }
                pieces.push(Piece::Field(Word {
                    name,
                    case,
                    bare,
                    ordinal,
                }));
                continue;
            }
            if bare {
                rest = behind;
                continue;
            }
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            match first {
                '"' => rest = quoted(rest, &mut pieces),
                '\\' if rest.starts_with('"') => {
                    rest = rest.get(1..).unwrap_or_default();
                    pieces.push(Piece::Text('"'));
                }
                c if c == ' ' || c.is_ascii_punctuation() => pieces.push(Piece::Separator(c)),
                c => pieces.push(Piece::Text(c)),
            }
        }
        Self { pieces }
    }
}

/// The text up to the closing quote; what is behind that is left.
fn quoted<'a>(text: &'a str, pieces: &mut Vec<Piece>) -> &'a str {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some(escaped) => pieces.push(Piece::Text(escaped)),
                None => pieces.push(Piece::Text('\\')),
            },
            c => pieces.push(Piece::Text(c)),
        }
    }
    chars.as_str()
}
