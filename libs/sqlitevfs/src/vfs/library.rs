//! SQLite's library as a whole, set up once for the process.

use std::ffi::c_int;
use std::sync::Once;

use rusqlite::ffi;

/// Sets the library up, before anything else of it is called.
pub(crate) fn initialize() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: no other thread of this crate is in the library yet. Where somebody else has initialized it before,
        // the setting is refused (SQLITE_MISUSE) and changes nothing.
        let code = unsafe {
            // Nobody reads SQLite's count of its memory, for which every allocation of every connection takes one mutex.
            ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, c_int::from(false));
            ffi::sqlite3_initialize()
        };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite can be initialized");
    });
}
