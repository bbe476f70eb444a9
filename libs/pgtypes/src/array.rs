//! Array literals: reading and writing.

use crate::{SqlState, ValueError};

/// An element: a text, NULL, or in an array of more dimensions an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// NULL
    Null,
    /// The text of a value.
    Value(String),
    /// An array within.
    Array(Vec<Element>),
}

/// An array with the bounds that are not those by which it is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// The elements.
    pub elements: Vec<Element>,
    /// The numbers of the first elements in each dimension, where they are written.
    pub lower: Vec<i64>,
}

/// The text of an array of one dimension.
pub fn text_of<'a>(elements: impl Iterator<Item = Option<&'a str>>) -> String {
    let mut out = String::from("{");
    for (at, element) in elements.enumerate() {
        if at > 0 {
            out.push(',');
        }
        match element {
            None => out.push_str("NULL"),
            Some(text) => put(text, &mut out),
        }
    }
    out.push('}');
    out
}

/// The text of an `int2vector` or `oidvector`, which is kept as an array.
pub fn vector_text(stored: &str) -> Result<String, ValueError> {
    Ok(Array::parse(stored)?.texts().join(" "))
}

/// The array that is kept for the text of an `int2vector` or `oidvector`: its first element has the number 0.
pub(crate) fn vector_array(text: &str) -> Array {
    let elements = text.split_ascii_whitespace();
    Array {
        elements: elements.map(|one| Element::Value(one.to_owned())).collect(),
        lower: vec![0],
    }
}

/// Appends an element, in quotes where it could be mistaken.
fn put(text: &str, out: &mut String) {
    let plain = !text.is_empty()
        && !text.eq_ignore_ascii_case("null")
        && !text
            .chars()
            .any(|c| matches!(c, '"' | '\\' | '{' | '}' | ',') || is_blank(c));
    if plain {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

impl Array {
    /// An array whose elements are counted from 1.
    pub fn new(elements: Vec<Element>) -> Self {
        Self {
            elements,
            lower: Vec::new(),
        }
    }

    /// Reads a literal; 22P02 for what is none.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let malformed = |detail: &str| {
            ValueError::new(
                SqlState::INVALID_TEXT_REPRESENTATION,
                format!("malformed array literal: \"{text}\""),
            )
            .with_detail(detail)
        };
        let trimmed = text.trim_matches(is_blank);
        let (bounds, body) = match trimmed.split_once('=') {
            Some((bounds, body)) if bounds.trim_end_matches(is_blank).ends_with(']') => {
                (Some(bounds), body.trim_matches(is_blank))
            }
            _ => (None, trimmed),
        };
        let lower = match bounds {
            Some(bounds) => read_bounds(bounds).ok_or_else(|| {
                malformed("Array value must start with \"{\" or dimension information.")
            })?,
            None => Vec::new(),
        };
        if !body.starts_with('{') {
            return Err(malformed(
                "Array value must start with \"{\" or dimension information.",
            ));
        }
        let mut reader = Reader { text: body, at: 0 };
        let elements = reader.array(0).map_err(|detail| malformed(&detail))?;
        if reader.at < body.len() {
            return Err(malformed("Junk after closing right brace."));
        }
        if !is_even(&elements) {
            return Err(malformed(
                "Multidimensional arrays must have sub-arrays with matching dimensions.",
            ));
        }
        Ok(Self { elements, lower })
    }

    /// The lengths of the dimensions.
    pub fn lengths(&self) -> Vec<usize> {
        let mut lengths = Vec::new();
        let mut elements = &self.elements;
        while !elements.is_empty() {
            lengths.push(elements.len());
            match elements.first() {
                Some(Element::Array(inner)) => elements = inner,
                _ => break,
            }
        }
        lengths
    }

    /// The number of the first element in a dimension, counted from 0.
    pub fn lower_bound(&self, dimension: usize) -> i64 {
        self.lower.get(dimension).copied().unwrap_or(1)
    }

    /// The values of all dimensions in their order; `None` for NULL.
    pub fn leaves(&self) -> impl Iterator<Item = Option<&str>> {
        leaves(&self.elements)
    }

    /// Puts other elements in the place of the values.
    pub fn each_value(
        &mut self,
        other: &mut dyn FnMut(&str) -> Result<Element, ValueError>,
    ) -> Result<(), ValueError> {
        each_value(&mut self.elements, other)
    }

    /// The text values of an array of one dimension or more; NULLs left out.
    pub fn texts(&self) -> Vec<String> {
        self.leaves().flatten().map(str::to_owned).collect()
    }
}

fn each_value(
    elements: &mut [Element],
    other: &mut dyn FnMut(&str) -> Result<Element, ValueError>,
) -> Result<(), ValueError> {
    for element in elements {
        match element {
            Element::Null => {}
            Element::Value(text) => *element = other(text)?,
            Element::Array(inner) => each_value(inner, other)?,
        }
    }
    Ok(())
}

fn leaves<'a>(elements: &'a [Element]) -> Box<dyn Iterator<Item = Option<&'a str>> + 'a> {
    Box::new(elements.iter().flat_map(
        |element| -> Box<dyn Iterator<Item = Option<&'a str>> + 'a> {
            match element {
                Element::Null => Box::new(std::iter::once(None)),
                Element::Value(text) => Box::new(std::iter::once(Some(text.as_str()))),
                Element::Array(inner) => leaves(inner),
            }
        },
    ))
}

/// Whether the arrays within have one shape.
fn is_even(elements: &[Element]) -> bool {
    fn shape(elements: &[Element]) -> Option<Vec<usize>> {
        let mut shapes = elements.iter().map(|element| match element {
            Element::Array(inner) => shape(inner),
            _ => Some(Vec::new()),
        });
        let first = match shapes.next() {
            Some(first) => first?,
            None => return Some(vec![0]),
        };
        let is_array = |element: &Element| matches!(element, Element::Array(_));
        let mixed = elements.iter().any(is_array) && !elements.iter().all(is_array);
        if mixed || shapes.any(|other| other.as_ref() != Some(&first)) {
            return None;
        }
        let mut all = vec![elements.len()];
        all.extend(first);
        Some(all)
    }
    shape(elements).is_some()
}

/// `[1:3][0:2]`: the lower bounds.
fn read_bounds(text: &str) -> Option<Vec<i64>> {
    text.trim_matches(is_blank)
        .strip_prefix('[')?
        .strip_suffix(']')?
        .split("][")
        .map(|bounds| {
            let (lower, _) = bounds.split_once(':').unwrap_or(("1", bounds));
            lower.trim().parse().ok()
        })
        .collect()
}

impl std::fmt::Display for Array {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.lower.iter().any(|lower| *lower != 1) {
            for (length, lower) in self.lengths().iter().zip(&self.lower) {
                let upper = i64::try_from(*length).unwrap_or(0) + lower - 1;
                write!(f, "[{lower}:{upper}]")?;
            }
            if !self.elements.is_empty() {
                f.write_str("=")?;
            }
        }
        let mut out = String::new();
        put_elements(&self.elements, &mut out);
        f.write_str(&out)
    }
}

fn put_elements(elements: &[Element], out: &mut String) {
    out.push('{');
    for (at, element) in elements.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match element {
            Element::Null => out.push_str("NULL"),
            Element::Value(text) => put(text, out),
            Element::Array(inner) => put_elements(inner, out),
        }
    }
    out.push('}');
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// Dimensions that an array may have.
const MAX_DIMENSIONS: usize = 6;

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn skip_blanks(&mut self) {
        while let Some(c) = self.peek().filter(|c| is_blank(*c)) {
            self.at += c.len_utf8();
        }
    }

    /// The elements behind an opening brace, which stands here.
    fn array(&mut self, depth: usize) -> Result<Vec<Element>, String> {
        if depth >= MAX_DIMENSIONS {
            return Err("The number of array dimensions exceeds the maximum allowed.".to_owned());
        }
        self.at += 1;
        let mut elements = Vec::new();
        self.skip_blanks();
        if self.peek() == Some('}') {
            // Nothing is an array of no dimension, which can't stand in another.
            if depth > 0 {
                return Err("Unexpected \"}\" character.".to_owned());
            }
            self.at += 1;
            return Ok(elements);
        }
        loop {
            self.skip_blanks();
            elements.push(match self.peek() {
                Some('{') => Element::Array(self.array(depth + 1)?),
                Some('"') => Element::Value(self.quoted()?),
                _ => self.bare()?,
            });
            self.skip_blanks();
            match self.peek() {
                Some(',') => self.at += 1,
                Some('}') => {
                    self.at += 1;
                    return Ok(elements);
                }
                None => return Err("Unexpected end of input.".to_owned()),
                Some('"') => return Err("Unexpected array element.".to_owned()),
                Some(other) => return Err(format!("Unexpected \"{other}\" character.")),
            }
        }
    }

    fn quoted(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let c = self.next()?;
            match c {
                '"' => return Ok(out),
                '\\' => out.push(self.next()?),
                c => out.push(c),
            }
        }
    }

    fn next(&mut self) -> Result<char, String> {
        let c = self
            .peek()
            .ok_or_else(|| "Unexpected end of input.".to_owned())?;
        self.at += c.len_utf8();
        Ok(c)
    }

    fn bare(&mut self) -> Result<Element, String> {
        let mut out = String::new();
        let mut kept = 0;
        let mut escaped = false;
        while let Some(c) = self.peek() {
            match c {
                ',' | '}' | '{' | '"' => break,
                '\\' => {
                    self.at += 1;
                    out.push(self.next()?);
                    escaped = true;
                    kept = out.len();
                    continue;
                }
                c => {
                    out.push(c);
                    if !is_blank(c) {
                        kept = out.len();
                    }
                }
            }
            self.at += c.len_utf8();
        }
        out.truncate(kept);
        if out.is_empty() {
            let found = self.peek().unwrap_or('}');
            return Err(format!("Unexpected \"{found}\" character."));
        }
        if !escaped && out.eq_ignore_ascii_case("null") {
            return Ok(Element::Null);
        }
        Ok(Element::Value(out))
    }
}
