//! The methods of the main database file.

use std::ffi::{c_int, c_void};

use pagestore::PAGE_SIZE;
use rusqlite::ffi;

use super::{ShimFile, bytes_in, bytes_out, failed, guard};
use crate::error::Error;
use crate::state::{Level, Locked};

/// Version 1: no shared memory (so no WAL) and no memory mapping.
pub(super) static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

// SAFETY of all functions here: SQLite calls them with a file object that xOpen made and xClose has
// not ended, from one thread at a time, with buffers as its VFS interface says.

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    guard(|| {
        // SAFETY: the last call for this object.
        let (_shared, slot) = unsafe { ShimFile::close(file) };
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
    guard(|| {
        // SAFETY: see above.
        let (shared, buffer) = unsafe { (ShimFile::shared(file), bytes_out(data, amount)) };
        let Ok(start) = u64::try_from(offset) else {
            return failed(shared, Error::Range { offset }, ffi::SQLITE_IOERR_READ);
        };
        let result = shared.state().read(start, buffer);
        match result {
            Ok(true) => ffi::SQLITE_OK,
            Ok(false) => ffi::SQLITE_IOERR_SHORT_READ,
            Err(error) => failed(shared, error, ffi::SQLITE_IOERR_READ),
        }
    })
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    data: *const c_void,
    amount: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    guard(|| {
        // SAFETY: see above.
        let (shared, bytes) = unsafe { (ShimFile::shared(file), bytes_in(data, amount)) };
        let Ok(start) = u64::try_from(offset) else {
            return failed(shared, Error::Range { offset }, ffi::SQLITE_IOERR_WRITE);
        };
        let result = shared.state().write(start, bytes);
        match result {
            Ok(()) => ffi::SQLITE_OK,
            Err(error) => failed(shared, error, ffi::SQLITE_IOERR_WRITE),
        }
    })
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    guard(|| {
        // SAFETY: see above.
        let shared = unsafe { ShimFile::shared(file) };
        let Ok(len) = u64::try_from(size) else {
            let error = Error::Range { offset: size };
            return failed(shared, error, ffi::SQLITE_IOERR_TRUNCATE);
        };
        let result = shared.state().truncate(len);
        match result {
            Ok(()) => ffi::SQLITE_OK,
            Err(error) => failed(shared, error, ffi::SQLITE_IOERR_TRUNCATE),
        }
    })
}

/// Durability is the log's.
unsafe extern "C" fn sync(_file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_size(
    file: *mut ffi::sqlite3_file,
    size: *mut ffi::sqlite3_int64,
) -> c_int {
    guard(|| {
        // SAFETY: see above.
        let shared = unsafe { ShimFile::shared(file) };
        let len = u64::from(shared.state().page_count()) * PAGE_SIZE as u64;
        // SAFETY: `size` is where SQLite wants the answer.
        unsafe { *size = i64::try_from(len).unwrap_or(i64::MAX) };
        ffi::SQLITE_OK
    })
}

fn level(lock: c_int) -> Level {
    match lock {
        ffi::SQLITE_LOCK_NONE => Level::None,
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        _ => Level::Reserved,
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, lock: c_int) -> c_int {
    guard(|| {
        // SAFETY: see above.
        let shared = unsafe { ShimFile::shared(file) };
        let result = shared.state().lock(level(lock));
        match result {
            Ok(Locked::Yes) => ffi::SQLITE_OK,
            Ok(Locked::Busy) => ffi::SQLITE_BUSY,
            Ok(Locked::Stale) => ffi::SQLITE_BUSY_SNAPSHOT,
            Err(error) => failed(shared, error, ffi::SQLITE_IOERR_LOCK),
        }
    })
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, lock: c_int) -> c_int {
    guard(|| {
        // SAFETY: see above.
        let shared = unsafe { ShimFile::shared(file) };
        let result = shared.state().unlock(level(lock));
        match result {
            Ok(()) => ffi::SQLITE_OK,
            Err(error) => failed(shared, error, ffi::SQLITE_IOERR_UNLOCK),
        }
    })
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
    guard(|| {
        // SAFETY: see above.
        let shared = unsafe { ShimFile::shared(file) };
        match operation {
            // After the journal is ended, before the lock is given back.
            ffi::SQLITE_FCNTL_COMMIT_PHASETWO => {
                let result = shared.state().commit();
                match result {
                    Ok(()) => ffi::SQLITE_OK,
                    Err(error) => failed(shared, error, ffi::SQLITE_IOERR),
                }
            }
            _ => ffi::SQLITE_NOTFOUND,
        }
    })
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
