//! SQLite's own temporary files: those of the system's VFS, with their bytes counted for the connection.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::Arc;

use rusqlite::ffi;

use super::guard;
use crate::handle::ConnectionFile;

/// What lies behind SQLite's `sqlite3_file` pointer for a temporary file; behind it is the system's file object.
#[repr(C)]
struct TemporaryFile {
    /// First, so that a pointer to it is a pointer to this.
    base: ffi::sqlite3_file,
    /// From `Arc::into_raw`; owned until xClose.
    connection: *const ConnectionFile,
    /// The end of what was written.
    size: u64,
}

/// What SQLite is told of a write beyond the limit. With FULL or an IOERR it would undo the whole transaction, whose file
/// may no longer be as SQLite knows it; here nothing was written, and the statement alone fails.
const BEYOND_LIMIT: c_int = ffi::SQLITE_TOOBIG;

/// Bytes of a file object, with a system's one of `system` bytes in it.
pub(super) fn object_size(system: c_int) -> c_int {
    c_int::try_from(size_of::<TemporaryFile>()).map_or(system, |own| own + system)
}

/// Nobody else knows the file, and nobody locks it. As the system's, but for its version: neither shared memory nor memory mapping, so that each byte comes by here.
static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
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

/// Opens a temporary file of `connection` with the system's VFS.
///
/// # Safety
/// The arguments are those of an xOpen with a file object of [`object_size`] bytes, aligned as SQLite's memory is; `system`
/// is a VFS.
pub(super) unsafe fn open(
    system: *mut ffi::sqlite3_vfs,
    connection: Arc<ConnectionFile>,
    (name, file): (ffi::sqlite3_filename, *mut ffi::sqlite3_file),
    (flags, out_flags): (c_int, *mut c_int),
) -> c_int {
    let base = ffi::sqlite3_file {
        pMethods: ptr::null(),
    };
    let object = TemporaryFile {
        base,
        connection: Arc::into_raw(connection),
        size: 0,
    };
    // SAFETY: the file object has room for ours and, behind it, the system's, whose alignment is that of ours: a pointer's.
    // A file that was not opened keeps no methods, so that nothing is called for it.
    unsafe {
        file.cast::<TemporaryFile>().write(object);
        let inner = inner(file);
        (*inner).pMethods = ptr::null();
        let code = match (*system).xOpen {
            Some(open) => open(system, name, inner, flags, out_flags),
            None => ffi::SQLITE_CANTOPEN,
        };
        if code == ffi::SQLITE_OK {
            (*file).pMethods = &raw const METHODS;
        } else {
            drop(Arc::from_raw((*file.cast::<TemporaryFile>()).connection));
        }
        code
    }
}

// SAFETY of all functions below: SQLite calls them with a file object that `open` made and xClose has not ended, from one
// thread at a time, with buffers as its VFS interface says. The system's methods get the file object that the system opened.

/// The system's file object.
///
/// # Safety
/// `file` is one of [`open`].
unsafe fn inner(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: it lies right behind ours, in the same allocation.
    unsafe { file.cast::<TemporaryFile>().add(1).cast() }
}

/// Calls a method of the system's; one that it has not is an error.
macro_rules! system {
    ($file:ident . $method:ident ( $($argument:expr),* ), $missing:expr) => {{
        let inner = inner($file);
        match (*(*inner).pMethods).$method {
            Some(method) => method(inner, $($argument),*),
            None => $missing,
        }
    }};
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    guard(|| {
        // SAFETY: see above; the last call for this object, which gives back what it held.
        unsafe {
            let code = system!(file.xClose(), ffi::SQLITE_OK);
            let own = file.cast::<TemporaryFile>();
            let connection = Arc::from_raw((*own).connection);
            connection.state().temporary.give_back((*own).size);
            code
        }
    })
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    data: *mut c_void,
    amount: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: see above.
    guard(|| unsafe { system!(file.xRead(data, amount, offset), ffi::SQLITE_IOERR_READ) })
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    data: *const c_void,
    amount: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    guard(|| {
        let end = u64::try_from(offset.saturating_add(amount.into())).unwrap_or_default();
        // SAFETY: see above.
        unsafe {
            let own = file.cast::<TemporaryFile>();
            let growth = end.saturating_sub((*own).size);
            let mut state = (*(*own).connection).state();
            if let Err(error) = state.temporary.take(growth) {
                state.error = Some(error);
                return BEYOND_LIMIT;
            }
            drop(state);
            (*own).size += growth;
            system!(file.xWrite(data, amount, offset), ffi::SQLITE_IOERR_WRITE)
        }
    })
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    guard(|| {
        // SAFETY: see above.
        unsafe {
            let code = system!(file.xTruncate(size), ffi::SQLITE_IOERR_TRUNCATE);
            let own = file.cast::<TemporaryFile>();
            let left = u64::try_from(size).unwrap_or_default().min((*own).size);
            if code == ffi::SQLITE_OK {
                let mut state = (*(*own).connection).state();
                state.temporary.give_back((*own).size - left);
                (*own).size = left;
            }
            code
        }
    })
}

unsafe extern "C" fn file_size(
    file: *mut ffi::sqlite3_file,
    size: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: see above.
    guard(|| unsafe { system!(file.xFileSize(size), ffi::SQLITE_IOERR_FSTAT) })
}

/// What makes the file larger before it is written would not be counted, and only helps the system to place it.
unsafe extern "C" fn file_control(
    file: *mut ffi::sqlite3_file,
    operation: c_int,
    argument: *mut c_void,
) -> c_int {
    if operation == ffi::SQLITE_FCNTL_SIZE_HINT {
        return ffi::SQLITE_OK;
    }
    // SAFETY: see above.
    guard(|| unsafe { system!(file.xFileControl(operation, argument), ffi::SQLITE_NOTFOUND) })
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: see above.
    guard(|| unsafe { system!(file.xSectorSize(), 4096) })
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: see above.
    guard(|| unsafe { system!(file.xDeviceCharacteristics(), 0) })
}
