//! Pages that are too many for memory: the scratch file of `lost`, in the directory for temporary files.

use std::env;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use disk::Disk;
pub(crate) use lost::{Held, Scratch};
use rowdiff::{Error, Image, PAGE_SIZE};

use crate::error::{CommandError, Result};

pub(crate) fn create() -> Result<Scratch> {
    let directory = env::temp_dir();
    Scratch::create(&Disk::real(), &directory)
        .map_err(|error| CommandError::io("make a scratch file in", &directory, &error))
}

/// Moves a page there, if it is not there already.
pub(crate) fn store(scratch: &Scratch, held: &mut Held) -> Result<()> {
    scratch.store(held).map_err(|error| {
        CommandError::io("write a scratch file in", &env::temp_dir(), &error)
            .with_hint("set TMPDIR to a directory with room for the changed pages")
    })
}

/// The page at this place of a file.
pub(crate) fn read(file: &File, place: u64, page: u32) -> std::result::Result<Image, Error> {
    let mut image = Arc::new([0; PAGE_SIZE]);
    file.read_exact_at(
        Arc::make_mut(&mut image).as_mut_slice(),
        place * PAGE_SIZE as u64,
    )
    .map_err(|source| Error::Io { page, source })?;
    Ok(image)
}
