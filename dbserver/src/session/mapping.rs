//! Between SQLite, the dialect, the types and the client: values, type names, errors.

use dialect::DialectError;
use pgtypes::copy::CopyError;
use pgtypes::{PgType, SqlState, SqlValue, SqlValueRef, ValueError};
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::failure::Failure;

/// SQLite's error as the client's.
pub fn sqlite(error: &rusqlite::Error) -> Failure {
    let (code, message) = match error {
        rusqlite::Error::SqliteFailure(code, message) => (code, message.clone()),
        rusqlite::Error::SqlInputError { error, msg, .. } => (error, Some(msg.clone())),
        other => return Failure::new(SqlState::INTERNAL_ERROR, other.to_string()),
    };
    let message = message.unwrap_or_else(|| code.to_string());
    let found = pgtypes::sqlite::failure(code.extended_code & 0xff, code.extended_code, &message);
    let mut failure = Failure::new(found.sqlstate, found.message);
    let fields = failure.fields_mut();
    fields.detail = found.detail;
    fields.hint = found.hint;
    fields.table = found.table;
    fields.constraint = found.constraint;
    if found.sqlstate == SqlState::UNIQUE_VIOLATION {
        fields.key = found.columns;
    } else {
        fields.column = found.columns.into_iter().next();
    }
    failure
}

impl From<DialectError> for Failure {
    fn from(error: DialectError) -> Self {
        let mut failure = Self::new(error.sqlstate, error.message);
        let fields = failure.fields_mut();
        fields.position = error.position;
        fields.detail = error.detail;
        fields.hint = error.hint;
        failure
    }
}

impl From<ValueError> for Failure {
    fn from(error: ValueError) -> Self {
        let mut failure = Self::new(error.sqlstate, error.message);
        failure.fields_mut().detail = error.detail;
        failure
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        sqlite(&error)
    }
}

/// A fault in a COPY stream into `table`.
pub fn copy(error: &CopyError, table: &str) -> Failure {
    let mut failure =
        Failure::new(error.sqlstate, error.message.clone()).context(error.context(table));
    failure.fields_mut().detail.clone_from(&error.detail);
    failure.fields_mut().hint = error.hint.map(str::to_owned);
    failure
}

/// The type behind a column's declaration; `Unknown` where there is none.
pub fn declared_type(declared: Option<&str>) -> PgType {
    declared
        .and_then(PgType::from_declared)
        .map_or(PgType::Unknown, PgType::sent_as)
}

/// A value of a row, borrowed. Text that is not UTF-8 is an error (22021).
pub fn value(value: ValueRef<'_>) -> Result<SqlValueRef<'_>, Failure> {
    Ok(match value {
        ValueRef::Null => SqlValueRef::Null,
        ValueRef::Integer(number) => SqlValueRef::Integer(number),
        ValueRef::Real(number) => SqlValueRef::Real(number),
        ValueRef::Text(bytes) => SqlValueRef::text(bytes)?,
        ValueRef::Blob(bytes) => SqlValueRef::Blob(bytes),
    })
}

/// A value to be bound, without a copy.
pub fn bound(value: SqlValueRef<'_>) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        SqlValueRef::Null => ValueRef::Null,
        SqlValueRef::Integer(number) => ValueRef::Integer(number),
        SqlValueRef::Real(number) => ValueRef::Real(number),
        SqlValueRef::Text(text) => ValueRef::Text(text.as_bytes()),
        SqlValueRef::Blob(bytes) => ValueRef::Blob(bytes),
    })
}

/// Binds parameters from the first on; those that the statement does not have are left out.
pub fn bind(statement: &mut rusqlite::Statement<'_>, values: &[SqlValue]) -> Result<(), Failure> {
    let count = statement.parameter_count();
    for (index, value) in values.iter().enumerate().take(count) {
        statement.raw_bind_parameter(index + 1, bound(value.as_ref()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sql_functions_error_keeps_its_sqlstate() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection
            .create_scalar_function(
                "f",
                0,
                rusqlite::functions::FunctionFlags::SQLITE_UTF8,
                |_| {
                    Err::<i64, _>(rusqlite::Error::UserFunctionError(
                        pgtypes::sqlite::tagged(SqlState::DIVISION_BY_ZERO, "division by zero")
                            .into(),
                    ))
                },
            )
            .unwrap();
        let error = connection
            .query_row("SELECT f()", [], |row| row.get::<_, i64>(0))
            .unwrap_err();
        let failure = sqlite(&error);
        assert_eq!(
            (failure.sqlstate(), failure.fields().message.as_str()),
            (SqlState::DIVISION_BY_ZERO, "division by zero")
        );
    }

    #[test]
    fn what_is_said_of_a_statement_beside_its_message_reaches_the_client() {
        let error = DialectError::new(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            "numeric field overflow",
        )
        .detail("what the limit is")
        .hint("what to do");
        let failure = Failure::from(error);
        let fields = failure.fields();
        assert_eq!(fields.detail.as_deref(), Some("what the limit is"));
        assert_eq!(fields.hint.as_deref(), Some("what to do"));
    }

    #[test]
    fn a_column_without_a_declared_type_is_unknown() {
        assert_eq!(declared_type(None), PgType::Unknown);
        assert_eq!(declared_type(Some("INTEGER")), PgType::Int4);
    }
}
