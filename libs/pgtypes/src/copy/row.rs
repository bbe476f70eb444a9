//! One row of a COPY stream.

/// The fields of one row, in the order of the copied columns.
///
/// A row lends from the decoder it came from and lives until the next one is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    fields: &'a Fields,
}

/// Fields, one behind the other in one buffer that is used again for every row.
#[derive(Debug, Default)]
pub(super) struct Fields {
    bytes: Vec<u8>,
    /// The end of each field in `bytes`, and whether it is NULL.
    ends: Vec<(usize, bool)>,
}

impl<'a> Row<'a> {
    pub(super) fn new(fields: &'a Fields) -> Self {
        Self { fields }
    }

    /// How many fields the row has.
    pub fn len(self) -> usize {
        self.fields.len()
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The field of a column, `None` for NULL and where there is no such column.
    pub fn get(self, column: usize) -> Option<&'a [u8]> {
        self.fields.get(column)
    }

    /// The fields in order, `None` for NULL.
    pub fn iter(self) -> impl Iterator<Item = Option<&'a [u8]>> {
        (0..self.len()).map(move |column| self.get(column))
    }
}

impl Fields {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Appends to the field that is being read.
    pub(super) fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Appends to the field that is being read.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The bytes of the field that is being read.
    pub(super) fn current(&self) -> &[u8] {
        self.bytes
            .get(self.start_of(self.len())..)
            .unwrap_or_default()
    }

    /// Ends the field that is being read.
    pub(super) fn end_field(&mut self, is_null: bool) {
        self.ends.push((self.bytes.len(), is_null));
    }

    fn start_of(&self, column: usize) -> usize {
        column
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .map_or(0, |(end, _)| *end)
    }

    pub(super) fn get(&self, column: usize) -> Option<&[u8]> {
        match self.ends.get(column) {
            Some((end, false)) => self.bytes.get(self.start_of(column)..*end),
            _ => None,
        }
    }
}
