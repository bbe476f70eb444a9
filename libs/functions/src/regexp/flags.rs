//! The flags of the functions of regular expressions.

use pgtypes::ValueError;

use crate::error::invalid;

/// What the flags and the options in a pattern say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own, and they do not exclude each other"
)]
pub(super) struct Flags {
    /// `g`: every match.
    pub(super) global: bool,
    /// `i`: in any case.
    pub(super) any_case: bool,
    /// `x`: blanks and comments in the pattern mean nothing.
    pub(super) expanded: bool,
    /// `q`: the pattern is a text.
    pub(super) literal: bool,
    /// `n`, `p`: `.` and `[^…]` match no end of a line.
    pub(super) dot_stops: bool,
    /// `n`, `w`: `^` and `$` match at each line.
    pub(super) lines: bool,
    /// `b`, `e`: another kind of expression.
    pub(super) other_kind: bool,
}

impl Flags {
    /// Reads flags; the later of two that exclude each other counts.
    pub(super) fn parse(text: &str) -> Result<Self, ValueError> {
        let mut flags = Self::default();
        for letter in text.chars() {
            if letter == 'g' {
                flags.global = true;
            } else if !flags.option(letter) {
                return invalid(format!("invalid regular expression option: \"{letter}\""));
            }
        }
        Ok(flags)
    }

    /// Takes in an option that a pattern may have, too.
    pub(super) fn option(&mut self, letter: char) -> bool {
        match letter {
            'i' => self.any_case = true,
            'c' => self.any_case = false,
            'x' => self.expanded = true,
            't' => self.expanded = false,
            'q' => self.literal = true,
            'n' | 'm' => (self.dot_stops, self.lines) = (true, true),
            's' => (self.dot_stops, self.lines) = (false, false),
            'p' => (self.dot_stops, self.lines) = (true, false),
            'w' => (self.dot_stops, self.lines) = (false, true),
            'b' | 'e' => self.other_kind = true,
            _ => return false,
        }
        true
    }

    /// Refuses `g` for a function that finds all matches anyway, or one only.
    pub(super) fn without_global(self, function: &str) -> Result<Self, ValueError> {
        if !self.global {
            return Ok(self);
        }
        let error = ValueError::new(
            pgtypes::SqlState::INVALID_PARAMETER_VALUE,
            format!("{function} does not support the \"global\" option"),
        );
        Err(if function == "regexp_match()" {
            error.with_detail("Use the regexp_matches function instead.")
        } else {
            error
        })
    }
}
