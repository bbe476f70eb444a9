//! Where an instance stands in the tree of instances: what each tells those below it, and the file `fw.path` beside the
//! log, from which dbrepl has it.
//!
//! ```text
//!  version = 1
//!  root = known|unknown
//!  instance = <id> <boot nonce> <name>      from the root down; the last one is the server whose log it is
//!  twin = <id> <boot nonce> <name>          who may not be fed: another one has its name
//!  other = <where that one is>
//!  blake3 = <of all before it>
//! ```
//! It is news: a server writes it anew at each start, and whenever it is fed by another one.

use std::path::Path;

use disk::Disk;

use crate::instances::Speaker;
use crate::sealed_text::{self, SealedFile, SealedFileError};

/// Levels that a tree of instances may have.
pub const MAX_LEVELS: usize = 64;
/// Twins that are told at a time; those beyond are told once these are gone.
pub const MAX_TWINS: usize = 64;
/// Name of the file beside the log.
pub const SERVED_PATH_FILE: &str = "fw.path";

const FILE: SealedFile = SealedFile {
    what: "path",
    version: 1,
};

/// The instances from the root, or from the topmost one that is known, down to one: never empty, and no more than
/// [`MAX_LEVELS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreePath {
    root_is_known: bool,
    above: Vec<Speaker>,
    own: Speaker,
}

impl TreePath {
    /// An instance that no other one feeds: the root, or one whose root is unknown.
    pub fn alone(own: Speaker, is_root: bool) -> Self {
        Self {
            root_is_known: is_root,
            above: Vec::new(),
            own,
        }
    }

    /// These instances, the topmost first; `None` where there is none, or there are too many.
    pub fn new(mut instances: Vec<Speaker>, root_is_known: bool) -> Option<Self> {
        let own = instances.pop()?;
        (instances.len() < MAX_LEVELS).then_some(Self {
            root_is_known,
            above: instances,
            own,
        })
    }

    /// An instance that is fed by the last one of this path; `None` where the tree would have too many levels.
    pub fn to(&self, own: Speaker) -> Option<Self> {
        let instances = self.instances().cloned().chain([own]).collect();
        Self::new(instances, self.root_is_known)
    }

    /// The instance whose path it is.
    pub fn own(&self) -> &Speaker {
        &self.own
    }

    /// Those above it, the topmost first.
    pub fn above(&self) -> &[Speaker] {
        &self.above
    }

    /// All of them, the topmost first.
    pub fn instances(&self) -> impl Iterator<Item = &Speaker> {
        self.above.iter().chain([&self.own])
    }

    /// How many they are: the level of the last one, where the topmost has level 1.
    pub fn levels(&self) -> usize {
        self.above.len() + 1
    }

    /// The root, where it is known.
    pub fn root(&self) -> Option<&Speaker> {
        self.instances().next().filter(|_| self.root_is_known)
    }
}

/// An instance that may not be fed as long as an older one of its name is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// Which.
    pub instance: Speaker,
    /// Where the other one is, in words.
    pub other: String,
}

/// What an instance tells those below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Above {
    /// From the root down to the one that speaks.
    pub path: TreePath,
    /// Who may not be fed; no more than [`MAX_TWINS`].
    pub twins: Vec<Twin>,
}

impl Above {
    /// What an instance tells of which nothing else is known.
    pub fn alone(own: Speaker) -> Self {
        Self {
            path: TreePath::alone(own, false),
            twins: Vec::new(),
        }
    }

    /// Reads the file; `None` where there is none.
    pub fn read(disk: &Disk, path: &Path) -> Result<Option<Self>, SealedFileError> {
        FILE.read(disk, path, parse)
    }

    /// Replaces the file durably, with this mode.
    pub fn write(&self, disk: &Disk, path: &Path, mode: u32) -> Result<(), SealedFileError> {
        let mut body = FILE.begin();
        let root = self.path.root().map_or("unknown", |_| "known");
        body.line("root", root);
        for instance in self.path.instances() {
            body.line("instance", instance);
        }
        for twin in &self.twins {
            body.line("twin", &twin.instance);
            body.line("other", &twin.other);
        }
        sealed_text::replace(disk, path, body, mode)
    }
}

fn parse(lines: &[(&str, &str)]) -> Result<Above, String> {
    let (mut root, mut instances, mut twins) = (None, Vec::new(), Vec::new());
    let mut twin = None;
    for (key, value) in lines {
        match (*key, twin.take()) {
            ("root", None) => root = Some(*value == "known"),
            ("instance", None) => instances.push(value.parse()?),
            ("twin", None) => twin = Some(value.parse::<Speaker>()?),
            ("other", Some(instance)) => twins.push(Twin {
                instance,
                other: (*value).to_owned(),
            }),
            _ => return Err(format!("odd line '{key} = {value}'")),
        }
    }
    let root = root.ok_or("it does not say whether the root is known")?;
    let path = TreePath::new(instances, root);
    Ok(Above {
        path: path.ok_or("it has no instance, or too many")?,
        twins,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{BootNonce, InstanceId};

    fn speaker(number: u8) -> Speaker {
        Speaker {
            id: InstanceId::from_bytes([number; 16]),
            boot: BootNonce::from_bytes([number; 16]),
            name: format!("i{number}"),
        }
    }

    #[test]
    fn a_path_grows_to_the_limit_and_no_further() {
        let mut path = TreePath::alone(speaker(1), true);
        for number in 2..=64 {
            path = path.to(speaker(number)).unwrap();
        }
        assert_eq!(
            (path.levels(), path.root()),
            (MAX_LEVELS, Some(&speaker(1)))
        );
        assert_eq!(path.to(speaker(65)), None);
        assert_eq!(TreePath::new(Vec::new(), true), None);
        assert_eq!(TreePath::alone(speaker(1), false).root(), None);
    }

    #[test]
    fn what_is_written_beside_the_log_is_read_back_and_no_byte_of_it_may_be_another() {
        let simulated = disk::testing::SimulatedDisk::new(1);
        let disk = simulated.process().disk();
        let file = Path::new("/fw.path");
        assert_eq!(Above::read(&disk, file).unwrap(), None);
        let above = Above {
            path: TreePath::new(vec![speaker(1), speaker(2)], true).unwrap(),
            twins: vec![Twin {
                instance: speaker(3),
                other: "fed by i1 = here".into(),
            }],
        };
        above.write(&disk, file, 0o640).unwrap();
        assert_eq!(Above::read(&disk, file).unwrap(), Some(above));
        let good = disk.read(file).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            disk.write_atomic(file, &bad, 0o600).unwrap();
            assert!(Above::read(&disk, file).is_err(), "{at}");
        }
    }
}
