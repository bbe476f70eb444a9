//! Pages that are too many for memory.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use rowdiff::{Error, Image, PAGE_SIZE};

use crate::error::{CommandError, Result};

/// A file without a name, in places of one page.
#[derive(Debug)]
pub(crate) struct Scratch {
    file: File,
    places: Cell<u64>,
    free: RefCell<Vec<u64>>,
}

/// Where a page is.
#[derive(Debug)]
pub(crate) enum Held {
    Memory(Image),
    /// A place in the scratch file.
    Scratch(u64),
}

impl Scratch {
    pub(crate) fn create() -> Result<Self> {
        let file = tempfile::tempfile().map_err(|error| {
            CommandError::io("make a scratch file in", &std::env::temp_dir(), &error)
        })?;
        Ok(Self {
            file,
            places: Cell::new(0),
            free: RefCell::default(),
        })
    }

    /// Moves a page there, if it is not there already.
    pub(crate) fn store(&self, held: &mut Held) -> Result<()> {
        let Held::Memory(image) = held else {
            return Ok(());
        };
        let free = self.free.borrow_mut().pop();
        let place = free.unwrap_or_else(|| self.places.replace(self.places.get() + 1));
        self.file
            .write_all_at(image.as_slice(), place * PAGE_SIZE as u64)
            .map_err(|error| {
                CommandError::io("write a scratch file in", &std::env::temp_dir(), &error)
                    .with_hint("set TMPDIR to a directory with room for the changed pages")
            })?;
        *held = Held::Scratch(place);
        Ok(())
    }

    pub(crate) fn load(&self, page: u32, held: &Held) -> std::result::Result<Image, Error> {
        match held {
            Held::Memory(image) => Ok(Image::clone(image)),
            Held::Scratch(place) => read(&self.file, *place, page),
        }
    }

    /// The place of a page that is not needed any more is given to another.
    pub(crate) fn let_go(&self, held: &Held) {
        if let Held::Scratch(place) = held {
            self.free.borrow_mut().push(*place);
        }
    }
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
