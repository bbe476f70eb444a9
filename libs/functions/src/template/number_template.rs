//! Templates of numbers.

use pgtypes::{SqlState, ValueError};

use crate::error::fail;

/// A piece of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Nine,
    Zero,
    Point,
    Comma,
    /// `L`: the currency, which is a blank.
    Currency,
    Roman,
    Ordinal {
        upper: bool,
    },
    Minus,
    Plus,
    Sign,
    Text(char),
}

/// Where the sign of `S` stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SignPlace {
    #[default]
    None,
    Before,
    Behind,
}

/// A template taken apart.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word that the template has or has not"
)]
pub(super) struct NumberTemplate {
    pub(super) pieces: Vec<Piece>,
    /// Digits before the point.
    pub(super) before: usize,
    /// Digits behind it.
    pub(super) behind: usize,
    /// Digits behind `V`.
    pub(super) shifted: usize,
    pub(super) decimal: bool,
    pub(super) bare: bool,
    /// The place of the first `0`, counted from 0.
    pub(super) zero_from: Option<usize>,
    pub(super) zero_to: usize,
    pub(super) sign: SignPlace,
    before_sign: usize,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) bracket: bool,
    pub(super) roman: bool,
    shift: bool,
    pub(super) scientific: bool,
}

const WORDS: &[&str] = &[
    "EEEE", "FM", "MI", "PL", "PR", "RN", "SG", "SP", "TH", ",", ".", "0", "9", "B", "C", "D", "G",
    "L", "S", "V",
];

fn word(rest: &str) -> Option<(&'static str, bool)> {
    WORDS.iter().find_map(|name| {
        let head = rest.get(..name.len())?;
        if head == *name {
            return Some((*name, true));
        }
        (head == name.to_ascii_lowercase()).then_some((*name, false))
    })
}

fn refused<T>(message: &str) -> Result<T, ValueError> {
    fail(SqlState::SYNTAX_ERROR, message)
}

impl NumberTemplate {
    pub(super) fn parse(text: &str) -> Result<Self, ValueError> {
        let mut template = Self::default();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some((name, upper)) = word(rest) {
                rest = rest.get(name.len()..).unwrap_or_default();
                template.take(name, upper)?;
                continue;
            }
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            match first {
                '"' => {
                    let mut chars = rest.chars();
                    while let Some(c) = chars.next().filter(|c| *c != '"') {
                        let c = if c == '\\' {
                            chars.next().unwrap_or(c)
                        } else {
                            c
                        };
                        template.pieces.push(Piece::Text(c));
                    }
                    rest = chars.as_str();
                }
                '\\' if rest.starts_with('"') => {
                    rest = rest.get(1..).unwrap_or_default();
                    template.pieces.push(Piece::Text('"'));
                }
                c => template.pieces.push(Piece::Text(c)),
            }
        }
        if template.sign == SignPlace::Before && template.before == template.before_sign {
            template.sign = SignPlace::Behind;
        }
        Ok(template)
    }

    fn take(&mut self, name: &str, upper: bool) -> Result<(), ValueError> {
        if self.scientific && name != "EEEE" {
            return refused("\"EEEE\" must be the last pattern used");
        }
        match name {
            "9" | "0" => return self.digit(name == "0"),
            "." | "D" => {
                if self.decimal {
                    return refused("multiple decimal points");
                }
                if self.shift {
                    return refused("cannot use \"V\" and decimal point together");
                }
                self.decimal = true;
                self.pieces.push(Piece::Point);
            }
            "," | "G" => self.pieces.push(Piece::Comma),
            "FM" => self.bare = true,
            "S" | "MI" | "PL" | "SG" | "PR" => return self.signed(name),
            "RN" => {
                self.roman = true;
                self.pieces.push(Piece::Roman);
            }
            "TH" => self.pieces.push(Piece::Ordinal { upper }),
            "L" => self.pieces.push(Piece::Currency),
            "V" => {
                if self.decimal {
                    return refused("cannot use \"V\" and decimal point together");
                }
                self.shift = true;
            }
            "EEEE" => {
                if self.scientific {
                    return refused("cannot use \"EEEE\" twice");
                }
                let other = self.bare
                    || self.sign != SignPlace::None
                    || self.bracket
                    || self.minus
                    || self.plus
                    || self.roman
                    || self.shift;
                if other {
                    return Err(ValueError::new(
                        SqlState::SYNTAX_ERROR,
                        "\"EEEE\" is incompatible with other formats",
                    )
                    .with_detail(
                        "\"EEEE\" may only be used together with digit and decimal point patterns.",
                    ));
                }
                self.scientific = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn digit(&mut self, zero: bool) -> Result<(), ValueError> {
        if self.bracket {
            return refused(if zero {
                "\"0\" must be ahead of \"PR\""
            } else {
                "\"9\" must be ahead of \"PR\""
            });
        }
        self.pieces
            .push(if zero { Piece::Zero } else { Piece::Nine });
        if self.shift && !zero {
            self.shifted += 1;
            return Ok(());
        }
        if zero && !self.decimal && self.zero_from.is_none() {
            self.zero_from = Some(self.before);
        }
        if self.decimal {
            self.behind += 1;
        } else {
            self.before += 1;
        }
        if zero {
            self.zero_to = self.before + self.behind;
        }
        Ok(())
    }

    fn signed(&mut self, name: &str) -> Result<(), ValueError> {
        if name == "S" {
            if self.sign != SignPlace::None {
                return refused("cannot use \"S\" twice");
            }
            if self.plus || self.minus || self.bracket {
                return refused("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
            }
            if self.decimal {
                self.sign = SignPlace::Behind;
            } else {
                self.sign = SignPlace::Before;
                self.before_sign = self.before;
            }
            return Ok(());
        }
        if self.sign != SignPlace::None {
            return refused(&format!("cannot use \"S\" and \"{name}\" together"));
        }
        if name == "PR" && (self.plus || self.minus) {
            return refused("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
        }
        match name {
            "MI" => {
                self.minus = true;
                self.pieces.push(Piece::Minus);
            }
            "PL" => {
                self.plus = true;
                self.pieces.push(Piece::Plus);
            }
            "SG" => {
                (self.minus, self.plus) = (true, true);
                self.pieces.push(Piece::Sign);
            }
            _ => self.bracket = true,
        }
        Ok(())
    }
}
