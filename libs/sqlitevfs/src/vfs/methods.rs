//! The methods of the VFS itself.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use rusqlite::ffi;

use super::{ShimFile, Slot, guard, journal_file, main_file, slot, temporary_file};

/// Milliseconds from SQLite's epoch (noon, 24 November 4714 BC) to 1970.
const UNIX_EPOCH_MS: i64 = 210_866_760_000_000;

/// The template of every slot's VFS; name, sizes and data are the slot's.
pub(super) const VFS: ffi::sqlite3_vfs = ffi::sqlite3_vfs {
    iVersion: 2,
    szOsFile: 0,
    mxPathname: 0,
    pNext: ptr::null_mut(),
    zName: ptr::null(),
    pAppData: ptr::null_mut(),
    xOpen: Some(open),
    xDelete: Some(delete),
    xAccess: Some(access),
    xFullPathname: Some(full_pathname),
    xDlOpen: Some(dl_open),
    xDlError: Some(dl_error),
    xDlSym: Some(dl_sym),
    xDlClose: Some(dl_close),
    xRandomness: Some(randomness),
    xSleep: Some(sleep),
    xCurrentTime: Some(current_time),
    xGetLastError: Some(get_last_error),
    xCurrentTimeInt64: Some(current_time_ms),
    xSetSystemCall: None,
    xGetSystemCall: None,
    xNextSystemCall: None,
};

// SAFETY of all functions here: SQLite calls them with a VFS that `Slot::register` made (so pAppData
// is its slot), with names that end in NUL, and with pointers for answers that it may write to.

/// # Safety
/// `vfs` is one that `Slot::register` made.
unsafe fn slot_of(vfs: *mut ffi::sqlite3_vfs) -> &'static Slot {
    // SAFETY: pAppData is a leaked slot.
    unsafe { &*(*vfs).pAppData.cast::<Slot>() }
}

/// # Safety
/// `name` is null or ends in NUL and lives as long as the answer is used.
unsafe fn text<'a>(name: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the caller's promise.
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })
}

fn is_ours(name: &CStr) -> bool {
    name.to_bytes().starts_with(slot::PREFIX.as_bytes())
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    guard(|| {
        const OURS: c_int = ffi::SQLITE_OPEN_MAIN_DB
            | ffi::SQLITE_OPEN_MAIN_JOURNAL
            | ffi::SQLITE_OPEN_SUPER_JOURNAL
            | ffi::SQLITE_OPEN_WAL;
        // SAFETY: see above.
        let (slot, name_text) = unsafe { (slot_of(vfs), text(name)) };
        if flags & OURS == 0 {
            let Some(connection) = slot.file() else {
                // SAFETY: as below.
                unsafe { (*file).pMethods = ptr::null() };
                return ffi::SQLITE_CANTOPEN;
            };
            // SAFETY: the file object has szOsFile bytes, which is enough for both.
            return unsafe {
                let (file, flags) = ((name, file), (flags, out_flags));
                temporary_file::open(slot.system(), connection, file, flags)
            };
        }
        let (connection, methods) = match name_text {
            Some(name) if flags & ffi::SQLITE_OPEN_MAIN_DB != 0 => {
                (slot.open_main(name), &main_file::METHODS)
            }
            Some(name) if flags & ffi::SQLITE_OPEN_MAIN_JOURNAL != 0 && is_ours(name) => {
                (slot.file(), &journal_file::METHODS)
            }
            _ => (None, &main_file::METHODS),
        };
        let Some(connection) = connection else {
            // SAFETY: xClose must not be called for a file that was not opened.
            unsafe { (*file).pMethods = ptr::null() };
            return ffi::SQLITE_CANTOPEN;
        };
        // SAFETY: `file` has szOsFile bytes, at least a ShimFile; `out_flags` is null or writable.
        unsafe {
            ShimFile::place(file, methods, connection, slot);
            if !out_flags.is_null() {
                *out_flags = flags;
            }
        }
        ffi::SQLITE_OK
    })
}

/// Our journal is cut, not deleted; there is nothing to delete.
unsafe extern "C" fn delete(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    sync_directory: c_int,
) -> c_int {
    guard(|| {
        // SAFETY: see above.
        let (slot, name_text) = unsafe { (slot_of(vfs), text(name)) };
        if name_text.is_none_or(is_ours) {
            return ffi::SQLITE_OK;
        }
        let system = slot.system();
        // SAFETY: passed on unchanged to the system's VFS.
        unsafe {
            match (*system).xDelete {
                Some(delete) => delete(system, name, sync_directory),
                None => ffi::SQLITE_IOERR_DELETE,
            }
        }
    })
}

/// SQLite looks for a journal and a WAL at each SHARED lock: there is none that it need look at.
unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    answer: *mut c_int,
) -> c_int {
    guard(|| {
        // SAFETY: see above.
        let (slot, name_text) = unsafe { (slot_of(vfs), text(name)) };
        if name_text.is_none_or(is_ours) {
            // SAFETY: `answer` is where SQLite wants the answer.
            unsafe { *answer = 0 };
            return ffi::SQLITE_OK;
        }
        let system = slot.system();
        // SAFETY: passed on unchanged to the system's VFS.
        unsafe {
            match (*system).xAccess {
                Some(access) => access(system, name, flags, answer),
                None => ffi::SQLITE_IOERR_ACCESS,
            }
        }
    })
}

/// Names are not paths: they stay as they are.
unsafe extern "C" fn full_pathname(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    size: c_int,
    out: *mut c_char,
) -> c_int {
    guard(|| {
        // SAFETY: see above.
        let bytes = unsafe { text(name) }.map_or(&[0][..], CStr::to_bytes_with_nul);
        if usize::try_from(size).is_ok_and(|size| bytes.len() <= size) {
            // SAFETY: `out` has room for `size` bytes and does not overlap the name.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len()) };
            ffi::SQLITE_OK
        } else {
            ffi::SQLITE_CANTOPEN
        }
    })
}

/// No extension is ever loaded.
unsafe extern "C" fn dl_open(_: *mut ffi::sqlite3_vfs, _: *const c_char) -> *mut c_void {
    ptr::null_mut()
}

unsafe extern "C" fn dl_error(_: *mut ffi::sqlite3_vfs, size: c_int, message: *mut c_char) {
    if size > 0 && !message.is_null() {
        // SAFETY: `message` has room for `size` bytes.
        unsafe { *message = 0 };
    }
}

unsafe extern "C" fn dl_sym(
    _: *mut ffi::sqlite3_vfs,
    _: *mut c_void,
    _: *const c_char,
) -> Option<unsafe extern "C" fn(*mut ffi::sqlite3_vfs, *mut c_void, *const c_char)> {
    None
}

unsafe extern "C" fn dl_close(_: *mut ffi::sqlite3_vfs, _: *mut c_void) {}

unsafe extern "C" fn randomness(
    vfs: *mut ffi::sqlite3_vfs,
    size: c_int,
    out: *mut c_char,
) -> c_int {
    guard(|| {
        // SAFETY: see above; passed on unchanged to the system's VFS.
        unsafe {
            let system = slot_of(vfs).system();
            (*system)
                .xRandomness
                .map_or(0, |randomness| randomness(system, size, out))
        }
    })
}

unsafe extern "C" fn sleep(vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    guard(|| {
        // SAFETY: see above; passed on unchanged to the system's VFS.
        unsafe {
            let system = slot_of(vfs).system();
            (*system)
                .xSleep
                .map_or(0, |sleep| sleep(system, microseconds))
        }
    })
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let unix = since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
    unix.saturating_add(UNIX_EPOCH_MS)
}

unsafe extern "C" fn current_time_ms(
    _: *mut ffi::sqlite3_vfs,
    out: *mut ffi::sqlite3_int64,
) -> c_int {
    guard(|| {
        // SAFETY: see above.
        unsafe { *out = now_ms() };
        ffi::SQLITE_OK
    })
}

/// Days instead of milliseconds.
#[expect(clippy::cast_precision_loss, reason = "the old interface has a double")]
unsafe extern "C" fn current_time(_: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    guard(|| {
        // SAFETY: see above.
        unsafe { *out = now_ms() as f64 / 86_400_000.0 };
        ffi::SQLITE_OK
    })
}

unsafe extern "C" fn get_last_error(_: *mut ffi::sqlite3_vfs, _: c_int, _: *mut c_char) -> c_int {
    0
}
