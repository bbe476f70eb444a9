//! A disk that forgets what was not synced.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use disk::DiskFile;

use crate::position::SegmentId;
use crate::store::SegmentStore;
use crate::testing::loss::{Chance, Change, Image, put, torn};

/// What happens to one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The machine stops in the middle of it; every operation after it fails.
    Crash,
    /// It fails with this kind of error, after half of it was done. A full disk stays full until
    /// [`CrashStore::make_room`].
    Error(io::ErrorKind),
}

/// A store in memory that counts what is done to it, fails when told to, and knows what a power cut
/// would leave. Clones are the same disk.
///
/// An operation is one write, sync, cut or removal; making a segment is two. The operations of one
/// store are numbered from 0.
#[derive(Clone, Debug, Default)]
pub struct CrashStore {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    segments: BTreeMap<SegmentId, Image>,
    position: Option<Vec<u8>>,
    old_position: Option<Vec<u8>>,
    operations: u64,
    fault: Option<(u64, Fault)>,
    down: bool,
    full: bool,
}

impl CrashStore {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many operations were done so far.
    pub fn operations(&self) -> u64 {
        self.disk().operations
    }

    /// Lets the operation with this number fail.
    pub fn fail_at(&self, operation: u64, fault: Fault) {
        self.disk().fault = Some((operation, fault));
    }

    /// Ends the effect of a full disk.
    pub fn make_room(&self) {
        self.disk().full = false;
    }

    /// The disk after a power cut: what was synced is there; of the rest, each sector as `seed` has
    /// it. Seed 0 loses all of the rest, seed 1 nothing.
    #[must_use]
    pub fn after_crash(&self, seed: u64) -> Self {
        let disk = self.disk();
        let mut chance = Chance::new(seed);
        let mut after = Disk::default();
        for (id, image) in &disk.segments {
            if image.name_in_doubt && !chance.survives() {
                continue;
            }
            let left = chance.left_of(image);
            let image = Image {
                live: left.clone(),
                durable: left,
                ..Image::default()
            };
            after.segments.insert(*id, image);
        }
        // The position is never synced: new, old, half of each, or gone.
        after.position = match (chance.survives(), chance.survives()) {
            (true, true) => disk.position.clone(),
            (true, false) => disk.old_position.clone(),
            (false, true) => torn(disk.position.as_deref(), disk.old_position.as_deref()),
            (false, false) => None,
        };
        Self {
            disk: Arc::new(Mutex::new(after)),
        }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, id: SegmentId) -> io::Result<Box<dyn DiskFile>> {
        let disk = self.disk();
        disk.image(id)?;
        drop(disk);
        Ok(Box::new(CrashFile {
            store: self.clone(),
            id,
        }))
    }
}

impl Disk {
    /// Counts an operation; says how much of it is done before it fails.
    fn begin(&mut self) -> Result<(), Refusal> {
        let number = self.operations;
        self.operations += 1;
        if self.down {
            return Err(Refusal::down());
        }
        match self.fault {
            Some((at, Fault::Crash)) if at == number => {
                self.down = true;
                Err(Refusal {
                    half: true,
                    ..Refusal::down()
                })
            }
            Some((at, Fault::Error(kind))) if at == number => {
                self.full = kind == io::ErrorKind::StorageFull;
                Err(Refusal {
                    half: true,
                    error: kind.into(),
                })
            }
            _ => Ok(()),
        }
    }

    /// The same for an operation that needs room.
    fn begin_write(&mut self) -> Result<(), Refusal> {
        self.begin()?;
        if self.full {
            let error = io::ErrorKind::StorageFull.into();
            return Err(Refusal { half: false, error });
        }
        Ok(())
    }

    /// A sync of the directory settles all names in it.
    fn settle_names(&mut self) {
        for image in self.segments.values_mut() {
            image.name_in_doubt = false;
        }
    }

    fn image(&self, id: SegmentId) -> io::Result<&Image> {
        if self.down {
            return Err(Refusal::down().error);
        }
        self.segments
            .get(&id)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn image_mut(&mut self, id: SegmentId) -> io::Result<&mut Image> {
        self.segments
            .get_mut(&id)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

struct Refusal {
    /// Whether half of the operation was done.
    half: bool,
    error: io::Error,
}

impl Refusal {
    fn down() -> Self {
        Self {
            half: false,
            error: io::Error::other("the machine is down"),
        }
    }
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

impl SegmentStore for CrashStore {
    fn list(&self) -> io::Result<Vec<SegmentId>> {
        let disk = self.disk();
        if disk.down {
            Err(Refusal::down().error)
        } else {
            Ok(disk.segments.keys().copied().collect())
        }
    }

    fn create(&self, id: SegmentId, content: &[u8]) -> io::Result<Box<dyn DiskFile>> {
        let mut disk = self.disk();
        if disk.image(id).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        // Written under a temporary name, and synced.
        disk.begin_write()?;
        // Renamed, and the directory synced.
        let renamed = disk.begin();
        let name_in_doubt = match &renamed {
            Ok(()) => false,
            Err(refusal) if refusal.half => true,
            Err(_) => {
                return renamed
                    .map_err(io::Error::from)
                    .and(Err(Refusal::down().error));
            }
        };
        let live = content.to_vec();
        let image = Image {
            durable: live.clone(),
            live,
            pending: Vec::new(),
            name_in_doubt,
        };
        disk.segments.insert(id, image);
        renamed?;
        disk.settle_names();
        drop(disk);
        self.file(id)
    }

    fn open(&self, id: SegmentId) -> io::Result<Box<dyn DiskFile>> {
        self.file(id)
    }

    fn open_to_read(&self, id: SegmentId) -> io::Result<Box<dyn DiskFile>> {
        self.file(id)
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut disk = self.disk();
        disk.begin()?;
        disk.settle_names();
        Ok(())
    }

    fn remove(&self, id: SegmentId) -> io::Result<()> {
        let mut disk = self.disk();
        let image = disk.image_mut(id)?;
        image.name_in_doubt = true;
        disk.begin()?;
        disk.segments.remove(&id);
        disk.settle_names();
        Ok(())
    }

    fn read_position(&self) -> io::Result<Option<Vec<u8>>> {
        let disk = self.disk();
        if disk.down {
            Err(Refusal::down().error)
        } else {
            Ok(disk.position.clone())
        }
    }

    fn write_position(&self, content: &[u8]) -> io::Result<()> {
        let mut disk = self.disk();
        disk.begin()?;
        disk.old_position = disk.position.replace(content.to_vec());
        Ok(())
    }

    fn path(&self, id: SegmentId) -> PathBuf {
        PathBuf::from(format!("fw-{id}"))
    }

    fn position_path(&self) -> PathBuf {
        PathBuf::from(crate::POSITION_FILE)
    }
}

#[derive(Debug)]
struct CrashFile {
    store: CrashStore,
    id: SegmentId,
}

fn place(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(io::Error::other)
}

impl DiskFile for CrashFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let disk = self.store.disk();
        let content = &disk.image(self.id)?.live;
        let rest = content.get(place(offset)?..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        for (byte, read) in buffer.iter_mut().zip(rest) {
            *byte = *read;
        }
        Ok(length)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let at = place(offset)?;
        let mut disk = self.store.disk();
        let begun = disk.begin_write();
        let written = match &begun {
            Ok(()) => bytes,
            Err(refusal) if refusal.half => bytes.get(..bytes.len() / 2).unwrap_or_default(),
            Err(_) => &[],
        };
        if !written.is_empty() {
            let image = disk.image_mut(self.id)?;
            put(&mut image.live, at, written);
            image.pending.push(Change::Write(at, written.to_vec()));
        }
        Ok(begun?)
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.store.disk();
        let begun = disk.begin();
        let image = disk.image_mut(self.id)?;
        if begun.is_ok() {
            image.durable = image.after_sync();
        }
        // After a failed sync too the operating system holds for clean what it did not write.
        image.pending.clear();
        Ok(begun?)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let length = place(length)?;
        let mut disk = self.store.disk();
        disk.begin()?;
        let image = disk.image_mut(self.id)?;
        image.live.resize(length, 0);
        image.pending.push(Change::Truncate(length));
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.store.disk().image(self.id)?.live.len() as u64)
    }
}
