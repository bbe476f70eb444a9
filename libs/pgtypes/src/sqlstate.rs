//! SQLSTATE codes: the five characters that tell a client's program what kind of error it met.
//!
//! The names are those of the PostgreSQL manual, appendix "PostgreSQL Error Codes"; class `R0`, which it
//! has not, is replication's.

use std::fmt;

/// A SQLSTATE: two characters of class, three of condition.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SqlState(&'static str);

impl SqlState {
    /// The five characters as they go over the wire.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// From the five characters; `None` for a code that is not in [`SqlState::ALL`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.0 == code)
    }

    /// The first two characters, which name the class.
    pub fn class(self) -> &'static str {
        self.0.get(..2).unwrap_or(self.0)
    }
}

/// A code that came over the wire, which may be one that is not known here.
impl PartialEq<SqlState> for String {
    fn eq(&self, state: &SqlState) -> bool {
        self == state.0
    }
}

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlState({})", self.0)
    }
}

/// Declares the constants and the list of them in one place, so that neither can drift.
macro_rules! sqlstates {
    ($($name:ident $code:literal)*) => {
        impl SqlState {
            $(
                #[doc = concat!("`", $code, "`")]
                pub const $name: Self = Self($code);
            )*

            /// Every code that this product uses.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

sqlstates! {
    SUCCESSFUL_COMPLETION "00000"
    WARNING "01000"
    WARNING_PRIVILEGE_NOT_REVOKED "01006"
    WARNING_PRIVILEGE_NOT_GRANTED "01007"
    NO_DATA "02000"
    CONNECTION_EXCEPTION "08000"
    SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION "08001"
    CONNECTION_DOES_NOT_EXIST "08003"
    SQLSERVER_REJECTED_ESTABLISHMENT "08004"
    CONNECTION_FAILURE "08006"
    TRANSACTION_RESOLUTION_UNKNOWN "08007"
    PROTOCOL_VIOLATION "08P01"
    FEATURE_NOT_SUPPORTED "0A000"
    CARDINALITY_VIOLATION "21000"
    DATA_EXCEPTION "22000"
    STRING_DATA_RIGHT_TRUNCATION "22001"
    NUMERIC_VALUE_OUT_OF_RANGE "22003"
    NULL_VALUE_NOT_ALLOWED "22004"
    INVALID_DATETIME_FORMAT "22007"
    DATETIME_FIELD_OVERFLOW "22008"
    INVALID_TIME_ZONE_DISPLACEMENT_VALUE "22009"
    SUBSTRING_ERROR "22011"
    DIVISION_BY_ZERO "22012"
    INVALID_PRECEDING_OR_FOLLOWING_SIZE "22013"
    INVALID_ARGUMENT_FOR_NTILE "22014"
    INTERVAL_FIELD_OVERFLOW "22015"
    INVALID_ARGUMENT_FOR_NTH_VALUE "22016"
    INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE "2201X"
    CHARACTER_NOT_IN_REPERTOIRE "22021"
    INVALID_PARAMETER_VALUE "22023"
    INVALID_USE_OF_ESCAPE_CHARACTER "2200C"
    SEQUENCE_GENERATOR_LIMIT_EXCEEDED "2200H"
    INVALID_ESCAPE_CHARACTER "22019"
    INVALID_ESCAPE_SEQUENCE "22025"
    ARRAY_SUBSCRIPT_ERROR "2202E"
    DUPLICATE_JSON_OBJECT_KEY_VALUE "22030"
    INVALID_JSON_TEXT "22032"
    INVALID_REGULAR_EXPRESSION "2201B"
    INVALID_ARGUMENT_FOR_LOG "2201E"
    INVALID_ARGUMENT_FOR_POWER_FUNCTION "2201F"
    INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION "2201G"
    INVALID_ROW_COUNT_IN_LIMIT_CLAUSE "2201W"
    INVALID_TEXT_REPRESENTATION "22P02"
    INVALID_BINARY_REPRESENTATION "22P03"
    BAD_COPY_FILE_FORMAT "22P04"
    UNTRANSLATABLE_CHARACTER "22P05"
    INTEGRITY_CONSTRAINT_VIOLATION "23000"
    NOT_NULL_VIOLATION "23502"
    FOREIGN_KEY_VIOLATION "23503"
    UNIQUE_VIOLATION "23505"
    CHECK_VIOLATION "23514"
    INVALID_CURSOR_STATE "24000"
    INVALID_TRANSACTION_STATE "25000"
    ACTIVE_SQL_TRANSACTION "25001"
    READ_ONLY_SQL_TRANSACTION "25006"
    NO_ACTIVE_SQL_TRANSACTION "25P01"
    IN_FAILED_SQL_TRANSACTION "25P02"
    IDLE_IN_TRANSACTION_SESSION_TIMEOUT "25P03"
    INVALID_SQL_STATEMENT_NAME "26000"
    INVALID_GRANT_OPERATION "0LP01"
    INVALID_AUTHORIZATION_SPECIFICATION "28000"
    INVALID_PASSWORD "28P01"
    DEPENDENT_OBJECTS_STILL_EXIST "2BP01"
    INVALID_CURSOR_NAME "34000"
    INVALID_SAVEPOINT_SPECIFICATION "3B001"
    INVALID_CATALOG_NAME "3D000"
    INVALID_SCHEMA_NAME "3F000"
    DUPLICATE_SCHEMA "42P06"
    TRANSACTION_ROLLBACK "40000"
    SERIALIZATION_FAILURE "40001"
    STATEMENT_COMPLETION_UNKNOWN "40003"
    DEADLOCK_DETECTED "40P01"
    SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION "42000"
    INSUFFICIENT_PRIVILEGE "42501"
    SYNTAX_ERROR "42601"
    INVALID_NAME "42602"
    INVALID_COLUMN_DEFINITION "42611"
    NAME_TOO_LONG "42622"
    DUPLICATE_COLUMN "42701"
    AMBIGUOUS_COLUMN "42702"
    UNDEFINED_COLUMN "42703"
    UNDEFINED_OBJECT "42704"
    DUPLICATE_OBJECT "42710"
    DUPLICATE_ALIAS "42712"
    AMBIGUOUS_FUNCTION "42725"
    GROUPING_ERROR "42803"
    DATATYPE_MISMATCH "42804"
    WRONG_OBJECT_TYPE "42809"
    GENERATED_ALWAYS "428C9"
    INVALID_RECURSION "42P19"
    WINDOWING_ERROR "42P20"
    INVALID_FOREIGN_KEY "42830"
    CANNOT_COERCE "42846"
    UNDEFINED_FUNCTION "42883"
    RESERVED_NAME "42939"
    UNDEFINED_TABLE "42P01"
    UNDEFINED_PARAMETER "42P02"
    DUPLICATE_CURSOR "42P03"
    DUPLICATE_DATABASE "42P04"
    DUPLICATE_PREPARED_STATEMENT "42P05"
    DUPLICATE_TABLE "42P07"
    AMBIGUOUS_PARAMETER "42P08"
    AMBIGUOUS_ALIAS "42P09"
    INVALID_COLUMN_REFERENCE "42P10"
    INVALID_TABLE_DEFINITION "42P16"
    INVALID_OBJECT_DEFINITION "42P17"
    INDETERMINATE_DATATYPE "42P18"
    COLLATION_MISMATCH "42P21"
    WITH_CHECK_OPTION_VIOLATION "44000"
    INSUFFICIENT_RESOURCES "53000"
    DISK_FULL "53100"
    OUT_OF_MEMORY "53200"
    TOO_MANY_CONNECTIONS "53300"
    CONFIGURATION_LIMIT_EXCEEDED "53400"
    PROGRAM_LIMIT_EXCEEDED "54000"
    STATEMENT_TOO_COMPLEX "54001"
    TOO_MANY_COLUMNS "54011"
    TOO_MANY_ARGUMENTS "54023"
    OBJECT_NOT_IN_PREREQUISITE_STATE "55000"
    OBJECT_IN_USE "55006"
    CANT_CHANGE_RUNTIME_PARAM "55P02"
    LOCK_NOT_AVAILABLE "55P03"
    OPERATOR_INTERVENTION "57000"
    QUERY_CANCELED "57014"
    ADMIN_SHUTDOWN "57P01"
    CRASH_SHUTDOWN "57P02"
    CANNOT_CONNECT_NOW "57P03"
    DATABASE_DROPPED "57P04"
    IDLE_SESSION_TIMEOUT "57P05"
    SYSTEM_ERROR "58000"
    IO_ERROR "58030"
    UNDEFINED_FILE "58P01"
    DUPLICATE_FILE "58P02"
    SNAPSHOT_TOO_OLD "72000"
    CONFIG_FILE_ERROR "F0000"
    RAISE_EXCEPTION "P0001"
    REPLICATION_OTHER_ENVIRONMENT "R0001"
    REPLICATION_DIVERGED "R0002"
    REPLICATION_DAMAGED "R0003"
    REPLICATION_LOG_MISSING "R0004"
    REPLICATION_LOG_OFF "R0005"
    REPLICATION_AHEAD "R0006"
    REPLICATION_SOURCE_DAMAGED "R0007"
    REPLICATION_TO_ROOT "R0101"
    REPLICATION_NOT_ROOT "R0102"
    REPLICATION_LEFT_BEHIND "R0103"
    INSTANCE_SAME_NAME "R0104"
    INSTANCE_NAME_TAKEN "R0105"
    REPLICATION_CYCLE "R0109"
    INSTANCE_NOT_EXPECTED "R0106"
    SOURCE_UNKNOWN "R0107"
    SOURCE_RUNS "R0112"
    SOURCE_DOES_NOT_RUN "R0113"
    TOO_MANY_SOURCES "R0114"
    REPLICATION_NO_HISTORY "R0108"
    REPLICATION_CANNOT_LEAD "R0115"
    REPLICATION_NEEDS_REJOIN "R0116"
    REPLICATION_TWO_ROOTS "R0117"
    REPLICATION_PARTIAL "R0118"
    REPLICATION_GATE_DOWN "R0121"
    LOST_DONE_ALREADY "R0122"
    INTERNAL_ERROR "XX000"
    DATA_CORRUPTED "XX001"
    INDEX_CORRUPTED "XX002"
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::SqlState;

    #[test]
    fn every_code_has_five_upper_case_characters_and_occurs_once() {
        let mut seen = HashSet::new();
        for state in SqlState::ALL {
            let code = state.as_str();
            assert_eq!(code.len(), 5, "{code}");
            assert!(
                code.bytes()
                    .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()),
                "{code}"
            );
            assert!(seen.insert(code), "{code} twice");
        }
    }

    #[test]
    fn the_class_is_the_first_two_characters() {
        assert_eq!(
            SqlState::from_code("23505"),
            Some(SqlState::UNIQUE_VIOLATION)
        );
        assert_eq!(SqlState::from_code("2350"), None);
        assert_eq!(SqlState::UNIQUE_VIOLATION.class(), "23");
        assert_eq!(SqlState::UNIQUE_VIOLATION.to_string(), "23505");
    }
}
