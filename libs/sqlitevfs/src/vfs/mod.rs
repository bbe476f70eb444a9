//! The C side: a `sqlite3_vfs` for each open connection, and the methods of its files.
//!
//! A VFS is found by name while a connection opens, and knows exactly one file: no other database can
//! be opened through it. As each connection has its own, it also can have its own clock.
//! They are never unregistered or freed, but used again when their connection is closed.

mod journal_file;
mod library;
mod main_file;
mod methods;
mod slot;
mod temporary;
mod temporary_file;

pub(crate) use slot::Slot;
pub(crate) use temporary::use_directory as use_temporary_directory;

use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::ffi;

use crate::error::Error;
use crate::handle::ConnectionFile;
use crate::state::FileState;

/// What lies behind SQLite's `sqlite3_file` pointer for a main database or its journal.
#[repr(C)]
pub(crate) struct ShimFile {
    /// First, so that a pointer to it is a pointer to this.
    base: ffi::sqlite3_file,
    /// From `Arc::into_raw`; owned until xClose.
    connection: *const ConnectionFile,
    slot: &'static Slot,
}

impl ShimFile {
    /// Makes the file object in SQLite's memory.
    ///
    /// # Safety
    /// `file` points to at least `szOsFile` writable bytes, aligned for pointers, as in xOpen.
    unsafe fn place(
        file: *mut ffi::sqlite3_file,
        methods: &'static ffi::sqlite3_io_methods,
        connection: Arc<ConnectionFile>,
        slot: &'static Slot,
    ) {
        let base = ffi::sqlite3_file { pMethods: methods };
        let object = Self {
            base,
            connection: Arc::into_raw(connection),
            slot,
        };
        // SAFETY: the caller vouches for the memory; szOsFile is at least the size of ShimFile.
        unsafe { file.cast::<Self>().write(object) };
    }

    /// # Safety
    /// `file` was made by [`ShimFile::place`] and is not closed yet.
    unsafe fn connection<'a>(file: *mut ffi::sqlite3_file) -> &'a ConnectionFile {
        // SAFETY: SQLite passes the file object to the methods that xOpen put into it, and none
        // after xClose; the pointer is that of a live Arc.
        unsafe { &*(*file.cast::<Self>()).connection }
    }

    /// Ends the file object and gives back what it held.
    ///
    /// # Safety
    /// As [`ShimFile::connection`], and the file is not used afterwards.
    unsafe fn close(file: *mut ffi::sqlite3_file) -> (Arc<ConnectionFile>, &'static Slot) {
        // SAFETY: as above; the Arc's count was given away by `place` and is taken back once.
        unsafe {
            let object = file.cast::<Self>();
            (Arc::from_raw((*object).connection), (*object).slot)
        }
    }
}

/// Runs a callback; a panic must not unwind into C.
fn guard(callback: impl FnOnce() -> c_int) -> c_int {
    catch_unwind(AssertUnwindSafe(callback)).unwrap_or(ffi::SQLITE_IOERR)
}

/// The bytes that SQLite passes to xWrite.
///
/// # Safety
/// `data` points to `amount` initialised bytes that nobody changes meanwhile.
unsafe fn bytes_in<'a>(data: *const c_void, amount: c_int) -> &'a [u8] {
    match usize::try_from(amount) {
        // SAFETY: the caller's promise.
        Ok(amount) if !data.is_null() => unsafe {
            std::slice::from_raw_parts(data.cast::<u8>(), amount)
        },
        _ => &[],
    }
}

/// The buffer that SQLite passes to xRead.
///
/// # Safety
/// `data` points to `amount` writable bytes that nobody else uses meanwhile. They are only written.
unsafe fn bytes_out<'a>(data: *mut c_void, amount: c_int) -> &'a mut [u8] {
    match usize::try_from(amount) {
        // SAFETY: the caller's promise.
        Ok(amount) if !data.is_null() => unsafe {
            std::slice::from_raw_parts_mut(data.cast::<u8>(), amount)
        },
        _ => &mut [],
    }
}

/// Where SQLite wants to read, write or cut.
fn checked(offset: ffi::sqlite3_int64) -> Result<u64, Error> {
    u64::try_from(offset).map_err(|_| Error::Range { offset })
}

/// Runs a callback on an open file. Gives SQLite its answer, or `code` for an error, whose text stays
/// in the handle.
///
/// Only IOERR codes and FULL may stand for errors: they make SQLite's pager drop its cache where it
/// no longer knows what the file holds. Others, in the middle of a rollback, do not.
///
/// # Safety
/// `file` was made by [`ShimFile::place`] and is not closed yet.
unsafe fn call(
    file: *mut ffi::sqlite3_file,
    code: c_int,
    callback: impl FnOnce(&mut FileState) -> Result<c_int, Error>,
) -> c_int {
    guard(|| {
        // SAFETY: the caller's promise.
        let mut state = unsafe { ShimFile::connection(file) }.state();
        callback(&mut state).unwrap_or_else(|error| {
            let full = error.is_disk_full();
            state.error = Some(error);
            if full { ffi::SQLITE_FULL } else { code }
        })
    })
}

/// What the methods of all files have in common. Version 1: no shared memory (so no WAL) and no memory
/// mapping.
const METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: None,
    xRead: None,
    xWrite: None,
    xTruncate: None,
    xSync: Some(sync),
    xFileSize: None,
    xLock: None,
    xUnlock: None,
    xCheckReservedLock: None,
    xFileControl: None,
    xSectorSize: None,
    xDeviceCharacteristics: None,
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// [`METHODS`] for a file that one connection alone knows: nobody locks it.
const UNLOCKED_METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    xLock: Some(no_lock),
    xUnlock: Some(no_lock),
    xCheckReservedLock: Some(nobody_reserves),
    ..METHODS
};

unsafe extern "C" fn no_lock(_file: *mut ffi::sqlite3_file, _lock: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn nobody_reserves(_file: *mut ffi::sqlite3_file, answer: *mut c_int) -> c_int {
    // SAFETY: `answer` is where SQLite wants the answer.
    unsafe { *answer = 0 };
    ffi::SQLITE_OK
}

/// Durability is the log's.
unsafe extern "C" fn sync(_file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    ffi::SQLITE_OK
}
