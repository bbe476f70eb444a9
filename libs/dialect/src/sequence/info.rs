//! What is known of a sequence.

/// A sequence, as its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceInfo {
    /// A number that no other sequence has or had.
    pub id: i64,
    /// Another number after each change of the definition.
    pub generation: i64,
    /// Its name.
    pub name: String,
    /// `smallint`, `integer` or `bigint`.
    pub data_type: String,
    /// START WITH
    pub start: i64,
    /// INCREMENT BY
    pub increment: i64,
    /// MINVALUE
    pub min: i64,
    /// MAXVALUE
    pub max: i64,
    /// CYCLE
    pub cycle: bool,
    /// CACHE
    pub cache: i64,
    /// Table and column of OWNED BY.
    pub owner: Option<(String, String)>,
    /// It counts for an identity column.
    pub identity: bool,
    /// The last number, or the border.
    pub last_value: i64,
    /// Whether that number was given out.
    pub is_called: bool,
}

impl SequenceInfo {
    /// The columns of the row, in the order of the fields; the owner has two.
    pub const COLUMNS: &'static str = "id, generation, name, data_type, start_value, increment_by, min_value, max_value, \
         cycle, cache_size, owner_table, owner_column, identity, last_value, is_called";
    /// The same, with the number that the sequence is at instead of the border.
    pub const PRESENT: &'static str = "id, generation, name, data_type, start_value, increment_by, min_value, max_value, \
         cycle, cache_size, owner_table, owner_column, identity, eq_sequence_last(id, generation, last_value), \
         eq_sequence_called(id, generation, is_called)";
    /// The table.
    pub const TABLE: &'static str = "eloqdb_sequence";
}
