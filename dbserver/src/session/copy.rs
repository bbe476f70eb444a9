//! COPY FROM: a table's columns, the INSERT behind it, and the stream's options.

use dialect::{ColumnSet, CopyFormat, CopyHeader, SchemaView, Sequences};
use pgtypes::copy::{self, Force, Header, Row};
use pgtypes::{Context, Format, PgType, SqlState, SqlValue, SqlValueRef, ValueError, decode_in};

use crate::databases::permit::Interrupt;
use crate::failure::Failure;
use crate::session::mapping;
use crate::session::schema::View;
use crate::session::sequences;
use crate::session::sqlite::Sqlite;
use crate::session::violated_row;

/// Rows between two looks at the interrupt.
const ROWS_PER_LOOK: u64 = 256;

/// Where a COPY FROM puts its rows.
pub struct Target {
    /// The table, as errors name it.
    pub table: String,
    /// Names and types of the copied columns, in the order of the stream.
    columns: Vec<(String, PgType)>,
    insert: String,
    sequences: Sequences,
}

impl Target {
    /// The table's columns, or those that the statement names.
    ///
    /// Errors: 42P01, 42703, 42701.
    pub fn find(sqlite: &Sqlite, table: &str, wanted: &[String]) -> Result<Self, Failure> {
        let known = View::new(sqlite).columns(table).ok_or_else(|| {
            Failure::new(
                SqlState::UNDEFINED_TABLE,
                format!("relation \"{table}\" does not exist"),
            )
        })?;
        let mut columns = Vec::with_capacity(known.len());
        let names: Vec<&str> = if wanted.is_empty() {
            known.iter().map(|column| column.name.as_str()).collect()
        } else {
            wanted.iter().map(String::as_str).collect()
        };
        for name in names {
            let Some(column) = known.iter().find(|c| c.name.eq_ignore_ascii_case(name)) else {
                return Err(Failure::new(
                    SqlState::UNDEFINED_COLUMN,
                    format!("column \"{name}\" of relation \"{table}\" does not exist"),
                ));
            };
            if columns.iter().any(|(other, _)| *other == column.name) {
                return Err(Failure::new(
                    SqlState::DUPLICATE_COLUMN,
                    format!("column \"{name}\" specified more than once"),
                ));
            }
            let ty = column.type_name.map_or(PgType::Text, PgType::sent_as);
            columns.push((column.name.clone(), ty));
        }
        let mut names: Vec<String> = columns.iter().map(|(name, _)| quoted(name)).collect();
        let places = columns.iter().map(|(_, ty)| dialect::bound_place(ty));
        let mut places: Vec<String> = places.collect();
        // A column that counts and is SQLite's rowid has no default of its own there.
        for column in known {
            let copied = columns.iter().any(|(name, _)| *name == column.name);
            let default = column.default.filter(|_| !copied);
            if let Some(default) = default.filter(|text| dialect::default_sequence(text).is_some())
            {
                names.push(quoted(&column.name));
                places.push(format!("({default})"));
            }
        }
        let temporary = View::new(sqlite)
            .table(table)
            .is_some_and(|info| info.temporary);
        let insert = format!(
            "INSERT INTO {}.{} ({}) VALUES ({})",
            if temporary { "temp" } else { "main" },
            quoted(table),
            names.join(", "),
            places.join(", ")
        );
        Ok(Self {
            table: table.to_owned(),
            columns,
            sequences: dialect::sequences_of(&insert),
            insert,
        })
    }

    /// The names of the copied columns.
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }

    /// How many columns there are.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Inserts the rows that the decoder has; gives their number.
    pub fn insert(
        &self,
        sqlite: &Sqlite,
        interrupt: &Interrupt,
        decoder: &mut copy::Decoder,
    ) -> Result<u64, Failure> {
        sequences::make_ready(sqlite, &self.sequences)?;
        let mut statement = sqlite.prepare(&self.insert)?;
        let format = decoder.value_format();
        let context = sqlite.context();
        let mut rows = 0;
        loop {
            let row = match decoder.next_row() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(rows),
                Err(error) => return Err(mapping::copy(&error, &self.table)),
            };
            if let Err((column, error)) = self.bind(&mut statement, row, format, &context) {
                let error = decoder.value_error(error, column);
                return Err(mapping::copy(&error, &self.table));
            }
            if let Err(error) = statement.raw_execute() {
                let values = self.values(row, format, &context);
                let failure = mapping::sqlite(&error);
                let failure = violated_row::explained(sqlite, &self.insert, &values, failure);
                return Err(self.at_line(failure, decoder));
            }
            rows += 1;
            if rows % ROWS_PER_LOOK == 0 {
                interrupt.check()?;
            }
        }
    }

    /// Binds the fields of a row; an error is that of a column.
    fn bind(
        &self,
        statement: &mut rusqlite::Statement<'_>,
        row: Row<'_>,
        format: Format,
        context: &Context,
    ) -> Result<(), (usize, ValueError)> {
        for (index, (_, ty)) in self.columns.iter().enumerate() {
            let bound = match row.get(index) {
                None => statement.raw_bind_parameter(index + 1, mapping::bound(SqlValueRef::Null)),
                Some(field) => {
                    let value =
                        decode_in(field, ty, format, context).map_err(|error| (index, error))?;
                    statement.raw_bind_parameter(index + 1, mapping::bound(value.as_ref()))
                }
            };
            bound.map_err(|error| {
                let failure = mapping::sqlite(&error);
                let fields = failure.fields();
                (
                    index,
                    ValueError::new(fields.sqlstate, fields.message.clone()),
                )
            })?;
        }
        Ok(())
    }

    /// The values of a row that was bound.
    fn values(&self, row: Row<'_>, format: Format, context: &Context) -> Vec<SqlValue> {
        let columns = self.columns.iter().enumerate();
        let value = |(index, (_, ty)): (usize, &(String, PgType))| {
            let field = row.get(index)?;
            decode_in(field, ty, format, context).ok()
        };
        columns
            .map(|column| value(column).unwrap_or(SqlValue::Null))
            .collect()
    }

    /// PostgreSQL looks at foreign keys behind all rows, and at keys when it has forgotten the lines.
    fn at_line(&self, failure: Failure, decoder: &copy::Decoder) -> Failure {
        match failure.sqlstate() {
            SqlState::FOREIGN_KEY_VIOLATION => failure,
            SqlState::UNIQUE_VIOLATION => {
                let place = format!("COPY {}, line {}", self.table, decoder.line());
                failure.context(place)
            }
            _ => failure.context(decoder.context(&self.table)),
        }
    }
}

/// The name in double quotes.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The options of a statement for these columns.
pub fn options(options: &dialect::CopyOptions, columns: &[String]) -> copy::CopyOptions {
    let format = match options.format {
        CopyFormat::Text => copy::CopyFormat::Text,
        CopyFormat::Csv => copy::CopyFormat::Csv,
        CopyFormat::Binary => copy::CopyFormat::Binary,
    };
    let force = |set: &ColumnSet| match set {
        ColumnSet::None => Force::None,
        ColumnSet::All => Force::All,
        ColumnSet::Some(names) => Force::Columns(
            columns
                .iter()
                .enumerate()
                .filter(|(_, column)| names.iter().any(|name| name.eq_ignore_ascii_case(column)))
                .map(|(index, _)| index)
                .collect(),
        ),
    };
    copy::CopyOptions {
        format,
        delimiter: options.delimiter,
        null: options.null.clone(),
        header: match options.header {
            CopyHeader::No => Header::None,
            CopyHeader::Yes => Header::Present,
            CopyHeader::Match => Header::Match,
        },
        quote: options.quote,
        escape: options.escape,
        force_quote: force(&options.force_quote),
        force_not_null: force(&options.force_not_null),
        force_null: force(&options.force_null),
    }
}
