//! Where SQLite's own temporary files go: large sorts, VACUUM's new database.

use std::ffi::{CString, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Once;

use rusqlite::ffi;

/// The mutex that guards `sqlite3_temp_directory` (`SQLITE_MUTEX_STATIC_VFS1`).
const TEMP_DIRECTORY_MUTEX: c_int = 11;

/// The directory for the whole process; the first call counts. One that is not there any more, or is
/// no path for C, leaves it to SQLite's own choice.
pub(crate) fn use_directory(directory: &Path) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Ok(path) = CString::new(directory.as_os_str().as_bytes()) else {
            return;
        };
        super::library::initialize();
        // SAFETY: the library is initialized first, so that its mutexes exist; the variable is
        // written once, under the mutex that SQLite takes to read it, and the string is never freed
        // (SQLite frees it only for PRAGMA temp_store_directory, hence it is SQLite's memory).
        unsafe {
            let mutex = ffi::sqlite3_mutex_alloc(TEMP_DIRECTORY_MUTEX);
            ffi::sqlite3_mutex_enter(mutex);
            ffi::sqlite3_temp_directory = ffi::sqlite3_mprintf(c"%s".as_ptr(), path.as_ptr());
            ffi::sqlite3_mutex_leave(mutex);
        }
    });
}
