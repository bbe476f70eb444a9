//! What a session may take of the machine: memory for each of its sorts, bytes of temporary files.

use std::collections::HashMap;

use pgtypes::SqlState;

use crate::databases::database::CACHE_KIB;
use crate::failure::Failure;
use crate::session::parameters::Parameter;

/// The name of the limit of temporary files.
pub(super) const TEMP_FILE_LIMIT: &str = "temp_file_limit";

/// The bounds of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// What a sort takes before it goes to temporary files.
    pub work_mem_kib: u32,
    /// Bytes of all its temporary files; `None`: what the disk has.
    pub temporary_bytes: Option<u64>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            work_mem_kib: CACHE_KIB,
            temporary_bytes: None,
        }
    }
}

impl Bounds {
    /// Those that the values of the parameters say.
    pub(super) fn of(values: &HashMap<String, String>) -> Self {
        let work_mem = values.get("work_mem").and_then(|kib| kib.parse().ok());
        let temporary = values
            .get(TEMP_FILE_LIMIT)
            .and_then(|kib| kib.parse::<u64>().ok());
        Self {
            work_mem_kib: work_mem.unwrap_or(CACHE_KIB),
            temporary_bytes: temporary.map(|kib| kib.saturating_mul(1024)),
        }
    }
}

/// Above what no session may go, whoever it is: TempFileLimit of the configuration, in KiB.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ceiling(Option<u64>);

impl Ceiling {
    /// So many bytes; with 0 there is none.
    pub(super) fn of(bytes: u64) -> Self {
        Self((bytes > 0).then_some(bytes / 1024))
    }

    /// What a session has that says nothing.
    pub(super) fn kib(self) -> Option<u64> {
        self.0
    }

    /// Error: 42501 for more than that.
    pub(super) fn check(self, parameter: &Parameter, value: &str) -> Result<(), Failure> {
        let Some(most) = self.0.filter(|_| parameter.name == TEMP_FILE_LIMIT) else {
            return Ok(());
        };
        // No limit at all is more than any.
        if value.parse::<u64>().is_ok_and(|asked| asked <= most) {
            return Ok(());
        }
        Err(Failure::new(
            SqlState::INSUFFICIENT_PRIVILEGE,
            format!("permission denied to set parameter \"{TEMP_FILE_LIMIT}\""),
        )
        .detail(format!("TempFileLimit of the server is {most} kB."))
        .hint("Set it lower than that."))
    }
}
