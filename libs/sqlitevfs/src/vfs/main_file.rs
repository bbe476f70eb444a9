//! The methods of the main database file.

use std::ffi::{c_int, c_void};

use pagestore::PAGE_SIZE;
use rusqlite::ffi;

use super::{ShimFile, bytes_in, bytes_out, call, checked, guard};
use crate::state::{Level, Locked};

pub(super) static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    ..super::METHODS
};

// SAFETY of all functions here: SQLite calls them with a file object that xOpen made and xClose has
// not ended, from one thread at a time, with buffers as its VFS interface says.

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    guard(|| {
        // SAFETY: the last call for this object.
        let (_connection, slot) = unsafe { ShimFile::close(file) };
        slot.release();
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
            let complete = state.read(checked(offset)?, bytes_out(data, amount))?;
            Ok(if complete {
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
            state.write(checked(offset)?, bytes_in(data, amount))?;
            Ok(ffi::SQLITE_OK)
        })
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: see above.
    unsafe {
        call(file, ffi::SQLITE_IOERR_TRUNCATE, |state| {
            state.truncate(checked(size)?)?;
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
            let length = u64::from(state.page_count()) * PAGE_SIZE as u64;
            *size = i64::try_from(length).unwrap_or(i64::MAX);
            Ok(ffi::SQLITE_OK)
        })
    }
}

fn level(lock: c_int) -> Level {
    match lock {
        ffi::SQLITE_LOCK_NONE => Level::None,
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        _ => Level::Reserved,
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, lock: c_int) -> c_int {
    // SAFETY: see above.
    unsafe {
        call(file, ffi::SQLITE_IOERR_LOCK, |state| {
            Ok(match state.lock(level(lock))? {
                Locked::Yes => ffi::SQLITE_OK,
                Locked::Busy => ffi::SQLITE_BUSY,
                Locked::Stale => ffi::SQLITE_BUSY_SNAPSHOT,
            })
        })
    }
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, lock: c_int) -> c_int {
    // SAFETY: see above.
    unsafe {
        call(file, ffi::SQLITE_IOERR_UNLOCK, |state| {
            state.unlock(level(lock))?;
            Ok(ffi::SQLITE_OK)
        })
    }
}

/// SQLite asks only to find out whether a journal is hot. None ever is (a write set dies with its
/// transaction), so somebody always "holds the lock", and SQLite does not look at the journal.
unsafe extern "C" fn check_reserved_lock(
    _file: *mut ffi::sqlite3_file,
    answer: *mut c_int,
) -> c_int {
    // SAFETY: `answer` is where SQLite wants the answer.
    unsafe { *answer = 1 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(
    file: *mut ffi::sqlite3_file,
    operation: c_int,
    _argument: *mut c_void,
) -> c_int {
    // After the journal is ended, before the lock is given back.
    if operation != ffi::SQLITE_FCNTL_COMMIT_PHASETWO {
        return ffi::SQLITE_NOTFOUND;
    }
    // SAFETY: see above.
    unsafe {
        call(file, ffi::SQLITE_IOERR, |state| {
            state.commit()?;
            Ok(ffi::SQLITE_OK)
        })
    }
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    4096
}

/// - `SAFE_APPEND`: the journal's header need not be written again after each part of it.
/// - `UNDELETABLE_WHEN_OPEN`: the journal stays open between transactions. True: nobody else knows
///   its name.
/// - `POWERSAFE_OVERWRITE`: a write changes nothing beside it. SQLite then takes 512 bytes for a
///   sector, so that the journal's header is small, and journals no neighbour pages.
/// - `SUBPAGE_READ`: parts of a page can be read, large values go straight to where they are wanted.
unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_SAFE_APPEND
        | ffi::SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN
        | ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
        | ffi::SQLITE_IOCAP_SUBPAGE_READ
}
