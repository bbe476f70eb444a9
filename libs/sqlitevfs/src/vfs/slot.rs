//! The VFS of one connection, used again by the next.

use std::ffi::{CStr, CString, c_int};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

use super::{ShimFile, methods, temporary_file};
use crate::error::Error;
use crate::handle::ConnectionFile;

/// The prefix of our file and VFS names. The system's temporary files have absolute paths.
pub(super) const PREFIX: &str = "eloqdb-";

/// Slots that no connection uses.
static FREE: Mutex<Vec<&'static Slot>> = Mutex::new(Vec::new());

/// A registered VFS and the file that it knows.
pub(crate) struct Slot {
    /// Name of the VFS and of its database file.
    name: CString,
    /// The file, from `claim` until the connection closes it.
    file: Mutex<Option<Arc<ConnectionFile>>>,
    opened: AtomicBool,
    /// The VFS to which temporary files go.
    system: *mut ffi::sqlite3_vfs,
}

// SAFETY: `system` points to SQLite's default VFS, which is static and safe to call from any thread;
// the rest is Sync by itself.
unsafe impl Sync for Slot {}
// SAFETY: as above.
unsafe impl Send for Slot {}

impl Slot {
    /// A slot for `file`, registered with SQLite.
    pub(crate) fn claim(file: Arc<ConnectionFile>) -> Result<&'static Self, Error> {
        let free = lock(&FREE).pop();
        let slot = match free {
            Some(slot) => slot,
            None => Self::register()?,
        };
        *lock(&slot.file) = Some(file);
        Ok(slot)
    }

    fn register() -> Result<&'static Self, Error> {
        static COUNT: Mutex<usize> = Mutex::new(0);
        let mut count = lock(&COUNT);
        super::library::initialize();
        // SAFETY: a null name asks for the default VFS, which lives as long as the process.
        let system = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
        if system.is_null() {
            return Err(Error::Register {
                code: ffi::SQLITE_NOTFOUND,
            });
        }
        let name = CString::new(format!("{PREFIX}{count}")).unwrap_or_default();
        let slot: &'static Self = Box::leak(Box::new(Self {
            name,
            file: Mutex::new(None),
            opened: AtomicBool::new(false),
            system,
        }));
        // SAFETY: `system` was checked and is only read.
        let system = unsafe { &*system };
        let vfs = Box::leak(Box::new(ffi::sqlite3_vfs {
            iVersion: 2,
            szOsFile: temporary_file::object_size(system.szOsFile)
                .max(c_int::try_from(size_of::<ShimFile>()).unwrap_or(0)),
            mxPathname: system.mxPathname,
            pNext: ptr::null_mut(),
            zName: slot.name.as_ptr(),
            pAppData: ptr::from_ref(slot).cast_mut().cast(),
            ..methods::VFS
        }));
        // SAFETY: the VFS and all that it points to is leaked: it stays valid for ever.
        let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        if code != ffi::SQLITE_OK {
            return Err(Error::Register { code });
        }
        *count += 1;
        Ok(slot)
    }

    /// Name of the VFS and of its database file.
    pub(crate) fn name(&self) -> &CStr {
        &self.name
    }

    pub(super) fn system(&self) -> *mut ffi::sqlite3_vfs {
        self.system
    }

    /// The file for xOpen: once only.
    pub(super) fn open_main(&self, name: &CStr) -> Option<Arc<ConnectionFile>> {
        if name != self.name() || self.opened.swap(true, Ordering::AcqRel) {
            return None;
        }
        self.file()
    }

    /// The file, if one is claimed.
    pub(super) fn file(&self) -> Option<Arc<ConnectionFile>> {
        lock(&self.file).clone()
    }

    /// The connection has closed its file.
    pub(super) fn release(&'static self) {
        *lock(&self.file) = None;
        self.opened.store(false, Ordering::Release);
        lock(&FREE).push(self);
    }

    /// Opening is over: a slot whose file was never opened is free again.
    pub(crate) fn release_unopened(&'static self, file: &Arc<ConnectionFile>) {
        let mine = self.file().is_some_and(|now| Arc::ptr_eq(&now, file));
        if mine && !self.opened.load(Ordering::Acquire) {
            self.release();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
