//! The data file with its sums: pages are read with proof, or not at all.

use std::io;
use std::path::{Path, PathBuf};

use disk::{Access, Disk, DiskFile};

use crate::sums::{Sums, sum_file, sum_of};
use crate::{CommitNumber, Damage, PAGE_SIZE, PageData, PageNumber, StoreError};

/// Why a page of the data file can't be had.
#[derive(Debug)]
pub(crate) enum BaseReadError {
    /// The system refused.
    Io(io::Error),
    /// Its content does not fit its sum.
    Sum,
    /// The file ends before it.
    Beyond,
}

impl BaseReadError {
    pub(crate) fn into_error(self, path: &Path, page: PageNumber) -> StoreError {
        match self {
            Self::Io(error) => StoreError::io("read", path, Some(page), error),
            Self::Sum => StoreError::damaged(path, Damage::Page(page)),
            Self::Beyond => StoreError::damaged(path, Damage::NoPage(page)),
        }
    }
}

/// See the module's page.
#[derive(Debug)]
pub(crate) struct Base {
    path: PathBuf,
    file: Box<dyn DiskFile>,
    sums: Sums,
    /// It has never had a name.
    nameless: bool,
}

impl Base {
    /// An empty data file with its sums, in place of what may be there. The names are durable on
    /// return, the content with the first checkpoint.
    pub(crate) fn create(disk: &Disk, path: &Path, database: u32) -> Result<Self, StoreError> {
        let failed = |operation, e| StoreError::io(operation, path, None, e);
        let file = disk.open(path, Access::Create(0o600));
        let file = file.map_err(|e| failed("make", e))?;
        file.set_length(0).map_err(|e| failed("empty", e))?;
        let sums = Sums::create(disk, sum_file(path), database)?;
        let directory = path.parent().filter(|p| !p.as_os_str().is_empty());
        disk.sync_directory(directory.unwrap_or(Path::new(".")))
            .map_err(|e| failed("sync the directory of", e))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            sums,
            nameless: false,
        })
    }

    /// The data file at `path`, which must be there with its sums and be as new as `wanted`.
    pub(crate) fn open(
        disk: &Disk,
        path: &Path,
        database: u32,
        wanted: CommitNumber,
    ) -> Result<Self, StoreError> {
        let file = disk.open(path, Access::Write).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                StoreError::damaged(path, Damage::Missing)
            } else {
                StoreError::io("open", path, None, error)
            }
        })?;
        Ok(Self {
            path: path.to_owned(),
            file,
            sums: Sums::open(disk, sum_file(path), database, wanted)?,
            nameless: false,
        })
    }

    /// An empty data file without a name; `path` is only what errors say.
    pub(crate) fn nameless(
        disk: &Disk,
        path: &Path,
        scratch_dir: &Path,
    ) -> Result<Self, StoreError> {
        let scratch = || {
            disk.scratch(scratch_dir)
                .map_err(|e| StoreError::io("stand in for", path, None, e))
        };
        Ok(Self {
            path: path.to_owned(),
            file: scratch()?,
            sums: Sums::nameless(sum_file(path), scratch()?),
            nameless: true,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The files that somebody has removed, renamed or replaced.
    pub(crate) fn lost_names(&self, disk: &Disk) -> Vec<PathBuf> {
        if self.nameless {
            return Vec::new();
        }
        let files = [(&*self.file, self.path.as_path()), self.sums.file()];
        // What can't be looked at is not known to be gone.
        let lost = |(file, path): &(&dyn DiskFile, &Path)| {
            disk.has_name(*file, path).is_ok_and(|has| !has)
        };
        files
            .into_iter()
            .filter(lost)
            .map(|(_, path)| path.to_owned())
            .collect()
    }

    pub(crate) fn file(&self) -> &dyn DiskFile {
        &*self.file
    }

    pub(crate) fn sums(&self) -> &Sums {
        &self.sums
    }

    /// Reads a page as the last complete checkpoint left it.
    pub(crate) fn read(&self, page: PageNumber, data: &mut PageData) -> Result<(), BaseReadError> {
        let sum = self.sums.get(page).ok_or(BaseReadError::Beyond)?;
        match self.file.read_exact_at(page.offset(), data) {
            Ok(()) if sum_of(data) == sum => Ok(()),
            Ok(()) => Err(BaseReadError::Sum),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(BaseReadError::Beyond)
            }
            Err(error) => Err(BaseReadError::Io(error)),
        }
    }

    /// The same for some bytes of the page, from `offset` on; they lie within it.
    pub(crate) fn read_at(
        &self,
        page: PageNumber,
        offset: usize,
        into: &mut [u8],
    ) -> Result<(), BaseReadError> {
        if let Ok(whole) = <&mut PageData>::try_from(&mut *into) {
            return self.read(page, whole);
        }
        let mut data = [0; PAGE_SIZE];
        self.read(page, &mut data)?;
        into.copy_from_slice(&data[offset..offset + into.len()]);
        Ok(())
    }
}
