//! Types of characters.

mod case;
mod codes;
mod coercion;
mod cut;
mod format;
mod ident;
mod join;
mod like;
mod normal;
mod quote;
mod search;
mod size;
mod trim;

pub(crate) use crate::text::cut::{bounds, overlay_bounds};
pub use crate::text::quote::identifier;
pub(crate) use crate::text::quote::literal;

use pgtypes::{SqlState, ValueError};

use crate::registry::Scalar;

/// The functions of text.
pub(crate) const FUNCTIONS: &[&[Scalar]] = &[
    case::FUNCTIONS,
    codes::FUNCTIONS,
    coercion::FUNCTIONS,
    cut::FUNCTIONS,
    format::FUNCTIONS,
    ident::FUNCTIONS,
    join::FUNCTIONS,
    like::FUNCTIONS,
    normal::FUNCTIONS,
    quote::FUNCTIONS,
    search::FUNCTIONS,
    size::FUNCTIONS,
    trim::FUNCTIONS,
];

/// Bytes that a value may have.
const LONGEST: usize = 0x3fff_ffff;

/// Refuses a length that no value may have, 54000.
pub(crate) fn bounded(length: Option<usize>) -> Result<usize, ValueError> {
    length.filter(|length| *length < LONGEST).ok_or_else(|| {
        ValueError::new(
            SqlState::PROGRAM_LIMIT_EXCEEDED,
            "requested length too large",
        )
    })
}

/// A number of characters or bytes; none for a negative one.
pub(crate) fn length(value: i64) -> usize {
    usize::try_from(value.max(0)).unwrap_or(usize::MAX)
}

/// The byte where the character of a number, counted from 0, begins; the end beyond the last.
pub(crate) fn byte_of(text: &str, character: usize) -> usize {
    if character >= text.len() {
        return text.len();
    }
    text.char_indices()
        .nth(character)
        .map_or(text.len(), |(at, _)| at)
}

/// The characters from one number up to another, counted from 0.
pub(crate) fn between(text: &str, from: usize, to: usize) -> &str {
    let start = byte_of(text, from);
    let rest = text.get(start..).unwrap_or_default();
    let end = byte_of(rest, to.saturating_sub(from));
    rest.get(..end).unwrap_or_default()
}
