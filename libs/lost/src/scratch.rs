//! Pages that are too many for memory.

use std::cell::{Cell, RefCell};
use std::io;
use std::path::Path;
use std::sync::Arc;

use disk::{Disk, DiskFile};
use rowdiff::{Error, Image, PAGE_SIZE};

/// A file without a name, in places of one page.
#[derive(Debug)]
pub struct Scratch {
    file: Box<dyn DiskFile>,
    places: Cell<u64>,
    free: RefCell<Vec<u64>>,
}

/// Where a page is.
#[derive(Debug)]
pub enum Held {
    /// In memory.
    Memory(Image),
    /// A place in the scratch file.
    Scratch(u64),
}

impl Scratch {
    /// Makes one in a directory; it is gone with the last handle, also after a crash.
    pub fn create(disk: &Disk, directory: &Path) -> io::Result<Self> {
        Ok(Self {
            file: disk.scratch(directory)?,
            places: Cell::new(0),
            free: RefCell::default(),
        })
    }

    /// Moves a page there, if it is not there already.
    pub fn store(&self, held: &mut Held) -> io::Result<()> {
        let Held::Memory(image) = held else {
            return Ok(());
        };
        let free = self.free.borrow_mut().pop();
        let place = free.unwrap_or_else(|| self.places.replace(self.places.get() + 1));
        self.file
            .write_at(place * PAGE_SIZE as u64, image.as_slice())?;
        *held = Held::Scratch(place);
        Ok(())
    }

    /// The page, from wherever it is.
    pub fn load(&self, page: u32, held: &Held) -> Result<Image, Error> {
        let place = match held {
            Held::Memory(image) => return Ok(Image::clone(image)),
            Held::Scratch(place) => *place,
        };
        let mut image = Arc::new([0; PAGE_SIZE]);
        self.file
            .read_exact_at(
                place * PAGE_SIZE as u64,
                Arc::make_mut(&mut image).as_mut_slice(),
            )
            .map_err(|source| Error::Io { page, source })?;
        Ok(image)
    }

    /// The place of a page that is not needed any more is given to another.
    pub fn let_go(&self, held: &Held) {
        if let Held::Scratch(place) = held {
            self.free.borrow_mut().push(*place);
        }
    }
}
