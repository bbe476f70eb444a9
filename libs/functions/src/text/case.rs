//! Upper and lower case, of any alphabet.

use pgtypes::SqlValueRef;

use crate::arguments::{Answer, text, written};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_lower", 1, |a| {
        written(text(a, 0)?.chars().map(lower).collect::<String>())
    }),
    Scalar::pure("pg_upper", 1, |a| {
        written(text(a, 0)?.chars().map(upper).collect::<String>())
    }),
    Scalar::pure("pg_initcap", 1, capitalized),
];

/// The dot of `İ` goes.
fn lower(c: char) -> char {
    match c {
        'İ' => 'i',
        c => one(c, c.to_lowercase()),
    }
}

/// Greek letters with an iota below them become those with one beside them.
fn upper(c: char) -> char {
    let by = match c {
        'ᾀ'..='ᾇ' | 'ᾐ'..='ᾗ' | 'ᾠ'..='ᾧ' => 8,
        'ᾳ' | 'ῃ' | 'ῳ' => 9,
        c => return one(c, c.to_uppercase()),
    };
    char::from_u32(u32::from(c) + by).unwrap_or(c)
}

/// Letters and digits; a number above the line or in a circle, and a small letter above another one, are none.
fn is_of_a_word(c: char) -> bool {
    let other = matches!(c,
        '²' | '³' | '¹' | '¼'..='¾' | '\u{363}'..='\u{36f}' | '⁰' | '⁴'..='⁹' | '₀'..='₉' | '⅐'..='⅟' | '①'..='⒛'
        | '⓪'..='⓿' | '❶'..='➓' | '㈠'..='㈩' | '㊀'..='㊉');
    c.is_alphanumeric() && !other
}

/// One character becomes one, as in the C library: `ß` has no upper case.
fn one(c: char, mut mapped: impl ExactSizeIterator<Item = char>) -> char {
    if mapped.len() == 1 {
        mapped.next().unwrap_or(c)
    } else {
        c
    }
}

fn capitalized(arguments: &[SqlValueRef<'_>]) -> Answer {
    let mut inside = false;
    let mut out = String::new();
    for c in text(arguments, 0)?.chars() {
        out.push(if inside { lower(c) } else { upper(c) });
        inside = is_of_a_word(c);
    }
    written(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_becomes_one_as_in_the_c_library() {
        for (character, small, large) in [
            ('İ', 'i', 'İ'),
            ('ᾀ', 'ᾀ', 'ᾈ'),
            ('ῳ', 'ῳ', 'ῼ'),
            ('ß', 'ß', 'ß'),
        ] {
            assert_eq!((lower(character), upper(character)), (small, large));
        }
    }

    #[test]
    fn a_number_above_the_line_ends_a_word() {
        let text = capitalized(&[SqlValueRef::Text("a²b c3d é½e")]).unwrap();
        assert_eq!(text, pgtypes::SqlValue::Text("A²B C3d É½E".to_owned()));
    }
}
