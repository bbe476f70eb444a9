//! The methods of the rollback journal.

use std::ffi::{c_int, c_void};

use rusqlite::ffi;

use super::{ShimFile, bytes_in, bytes_out, call, checked, guard};

/// Locks are the main file's.
pub(super) static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xFileSize: Some(file_size),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    ..super::UNLOCKED_METHODS
};

// SAFETY of all functions here: SQLite calls them with a file object that xOpen made and xClose has
// not ended, from one thread at a time, with buffers as its VFS interface says.

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    guard(|| {
        // SAFETY: the last call for this object.
        drop(unsafe { ShimFile::close(file) });
        ffi::SQLITE_OK
    })
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    data: *mut c_void,
    amount: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: see above.
    unsafe {
        call(file, ffi::SQLITE_IOERR_READ, |state| {
            let buffer = bytes_out(data, amount);
            let count = state.journal.read(checked(offset)?, buffer);
            let count = count.map_err(|error| state.scratch_failed("read", error))?;
            Ok(if count == buffer.len() {
                ffi::SQLITE_OK
            } else {
                ffi::SQLITE_IOERR_SHORT_READ
            })
        })
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    data: *const c_void,
    amount: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: see above.
    unsafe {
        call(file, ffi::SQLITE_IOERR_WRITE, |state| {
            let written = state
                .journal
                .write(checked(offset)?, bytes_in(data, amount));
            written.map_err(|error| state.scratch_failed("write", error))?;
            Ok(ffi::SQLITE_OK)
        })
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: see above.
    unsafe {
        call(file, ffi::SQLITE_IOERR_TRUNCATE, |state| {
            let cut = state.journal.truncate(checked(size)?);
            cut.map_err(|error| state.scratch_failed("cut", error))?;
            Ok(ffi::SQLITE_OK)
        })
    }
}

unsafe extern "C" fn file_size(
    file: *mut ffi::sqlite3_file,
    size: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: see above; `size` is where SQLite wants the answer.
    unsafe {
        call(file, ffi::SQLITE_IOERR_FSTAT, |state| {
            *size = i64::try_from(state.journal.len()).unwrap_or(i64::MAX);
            Ok(ffi::SQLITE_OK)
        })
    }
}

unsafe extern "C" fn file_control(
    _file: *mut ffi::sqlite3_file,
    _operation: c_int,
    _argument: *mut c_void,
) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    512
}

/// As the main file's; see there.
unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_SAFE_APPEND
        | ffi::SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN
        | ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}
