//! The C side: a `sqlite3_vfs` for each open connection, and the methods of its files.
//!
//! A VFS is found by name while a connection opens, and knows exactly one file: no other database can
//! be opened through it. As each connection has its own, it also can have its own clock.
//! They are never unregistered or freed, but used again when their connection is closed.

mod journal_file;
mod main_file;
mod methods;
mod slot;
mod temporary;

pub(crate) use slot::Slot;
pub(crate) use temporary::use_directory as use_temporary_directory;

use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::ffi;

use crate::error::Error;
use crate::handle::Shared;

/// What lies behind SQLite's `sqlite3_file` pointer for a main database or its journal.
#[repr(C)]
pub(crate) struct ShimFile {
    /// First, so that a pointer to it is a pointer to this.
    base: ffi::sqlite3_file,
    /// From `Arc::into_raw`; owned until xClose.
    shared: *const Shared,
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
        shared: Arc<Shared>,
        slot: &'static Slot,
    ) {
        let base = ffi::sqlite3_file { pMethods: methods };
        let object = Self {
            base,
            shared: Arc::into_raw(shared),
            slot,
        };
        // SAFETY: the caller vouches for the memory; szOsFile is at least the size of ShimFile.
        unsafe { file.cast::<Self>().write(object) };
    }

    /// # Safety
    /// `file` was made by [`ShimFile::place`] and is not closed yet.
    unsafe fn shared<'a>(file: *mut ffi::sqlite3_file) -> &'a Shared {
        // SAFETY: SQLite passes the file object to the methods that xOpen put into it, and none
        // after xClose; the pointer is that of a live Arc.
        unsafe { &*(*file.cast::<Self>()).shared }
    }

    /// Ends the file object and gives back what it held.
    ///
    /// # Safety
    /// As [`ShimFile::shared`], and the file is not used afterwards.
    unsafe fn close(file: *mut ffi::sqlite3_file) -> (Arc<Shared>, &'static Slot) {
        // SAFETY: as above; the Arc's count was given away by `place` and is taken back once.
        unsafe {
            let object = file.cast::<Self>();
            (Arc::from_raw((*object).shared), (*object).slot)
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

/// The code for SQLite; the text stays in the handle.
///
/// Only IOERR codes and FULL may come out of here: they make SQLite's pager drop its cache where it
/// no longer knows what the file holds. Others, in the middle of a rollback, do not.
fn failed(shared: &Shared, error: Error, code: c_int) -> c_int {
    let code = if error.is_disk_full() {
        ffi::SQLITE_FULL
    } else {
        code
    };
    shared.state().error = Some(error);
    code
}
