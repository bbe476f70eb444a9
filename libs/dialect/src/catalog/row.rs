//! Lines of tab-separated fields.

use super::TypeId;

/// The fields of one line, taken from the left.
pub(super) struct Row(std::str::Split<'static, char>);

impl Row {
    fn new(line: &'static str) -> Self {
        Self(line.split('\t'))
    }

    pub(super) fn text(&mut self) -> Option<&'static str> {
        self.0.next()
    }

    pub(super) fn number(&mut self) -> Option<u32> {
        self.text()?.parse().ok()
    }

    pub(super) fn type_id(&mut self) -> Option<TypeId> {
        self.number().map(TypeId::new)
    }

    pub(super) fn boolean(&mut self) -> Option<bool> {
        match self.text()? {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        }
    }

    pub(super) fn letter(&mut self) -> Option<char> {
        self.text()?.chars().next()
    }

    /// The parts between separators; an empty field has none.
    pub(super) fn list(&mut self, separator: char) -> Option<Box<[&'static str]>> {
        match self.text()? {
            "" => Some(Box::default()),
            text => Some(text.split(separator).collect()),
        }
    }

    pub(super) fn type_list(&mut self) -> Option<Box<[TypeId]>> {
        let parse = |number: &'static str| number.parse().ok().map(TypeId::new);
        self.text()?
            .split(' ')
            .filter(|number| !number.is_empty())
            .map(parse)
            .collect()
    }
}

/// A number that may refer to nothing: 0 stands for none.
pub(super) fn reference(number: u32) -> Option<u32> {
    Some(number).filter(|number| *number != 0)
}

/// A type that need not be there: 0 stands for none.
pub(super) fn optional(id: TypeId) -> Option<TypeId> {
    Some(id).filter(|id| id.get() != 0)
}

/// The entries of a table. A test holds that no line is left out.
pub(super) fn read<T>(table: &'static str, entry: impl Fn(&mut Row) -> Option<T>) -> Vec<T> {
    table
        .lines()
        .filter_map(|line| entry(&mut Row::new(line)))
        .collect()
}
