//! `instance show | create | edit`: who the instance is, by the files of its DataDir, without a server.

mod edit;
mod show;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use disk::{Disk, DiskFile};
use fwlog::sealed_text::{SealedFileError, set_aside};
use fwlog::{
    BootNonce, Formerly, HISTORY_FILE, INSTANCES_FILE, InstanceId, Instances, Speaker, Timestamp,
};

use crate::args::InstanceCommand;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;

pub(crate) fn run(invocation: &Invocation, command: InstanceCommand) -> Result<()> {
    match command {
        InstanceCommand::Show { detail, file } => {
            show::show(invocation, detail, file.as_deref().map(Path::new))
        }
        InstanceCommand::Create { force } => create(invocation, force),
        InstanceCommand::Edit { key, value } => edit::edit(invocation, &key, value.as_deref()),
    }
}

/// Makes the file anew, with an id that nobody has had; what was there is set aside, and so is the history, which the
/// next start makes from the log.
fn create(invocation: &Invocation, force: bool) -> Result<()> {
    let place = Place::of(invocation)?;
    let _lock = place.lock()?;
    let path = place.instances();
    let old = match place.read() {
        Ok(Some(old)) if !force => {
            return Err(CommandError::error(format!(
                "there is an instance file already: {} ({})",
                path.display(),
                old.own.name
            ))
            .with_hint("--force sets it and the history aside, and makes a new one"));
        }
        Ok(old) => old,
        // It is set aside as it is.
        Err(SealedFileError::Damaged { .. } | SealedFileError::Version { .. }) => None,
        Err(error) => return Err(CommandError::error(error.to_string())),
    };
    let now = Timestamp::now();
    let mut lines = Vec::new();
    for path in [place.instances(), place.history()] {
        match set_aside(&place.disk, &path, now) {
            Ok(aside) => lines.push(format!("{} is now {}", path.display(), aside.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(CommandError::io("set aside", &path, &error)),
        }
    }
    let own = Speaker {
        id: InstanceId::from_bytes(random()?),
        boot: BootNonce::from_bytes(random()?),
        name: place.name.clone(),
    };
    let id = own.id;
    let mut new = Instances::new(own);
    if let Some(old) = old {
        new.formerly = old.formerly;
        new.formerly.push(Formerly {
            id: old.own.id,
            until: now,
            name: old.own.name,
        });
    }
    place.write(&new)?;
    lines.push(format!(
        "{}: {} has the id {id}; the next start makes the history anew from the log",
        path.display(),
        place.name
    ));
    for line in lines {
        invocation.output.line(line)?;
    }
    if invocation.output.json {
        show::print(&new)?;
    }
    Ok(())
}

/// The environment that the configuration names.
struct Place {
    disk: Disk,
    data_dir: PathBuf,
    /// The name of the instance, by the configuration.
    name: String,
}

impl Place {
    fn of(invocation: &Invocation) -> Result<Self> {
        let config = invocation.config()?;
        let place = Self {
            disk: Disk::real(),
            data_dir: config.server.data_dir,
            name: config.server.instance,
        };
        let control = place.data_dir.join("control");
        let there = place.disk.exists(&control);
        if there.map_err(|error| CommandError::io("look for", &control, &error))? {
            return Ok(place);
        }
        Err(CommandError::error(format!(
            "there is no environment in {}",
            place.data_dir.display()
        ))
        .with_hint("'dbctl init' makes one; or set DataDir to where it is"))
    }

    /// The files beside this one, whose server need not be here.
    fn beside(file: &Path) -> Result<Self> {
        let directory = file.parent().filter(|it| !it.as_os_str().is_empty());
        match file.file_name() {
            Some(name) if name == INSTANCES_FILE => Ok(Self {
                disk: Disk::real(),
                data_dir: directory.unwrap_or(Path::new(".")).to_owned(),
                name: String::new(),
            }),
            Some(_) => Err(CommandError::usage(format!(
                "{} is no instance file: that is called {INSTANCES_FILE}",
                file.display()
            ))
            .with_hint("give the file of a DataDir, or of a copy of one")),
            None => Err(CommandError::usage("no instance file given").with_hint(
                "dbctl instance show [--detail] [FILE]; without FILE it is that of DataDir",
            )),
        }
    }

    fn instances(&self) -> PathBuf {
        self.data_dir.join(INSTANCES_FILE)
    }

    fn history(&self) -> PathBuf {
        self.data_dir.join(HISTORY_FILE)
    }

    fn read(&self) -> std::result::Result<Option<Instances>, SealedFileError> {
        Instances::read(&self.disk, &self.instances())
    }

    /// The file, which must be there.
    fn known(&self) -> Result<Instances> {
        let path = self.instances();
        match self.read() {
            Ok(Some(known)) => Ok(known),
            Ok(None) => Err(CommandError::error(format!(
                "there is no instance file {}",
                path.display()
            ))
            .with_hint("the next start of the server makes it, or 'dbctl instance create'")),
            Err(error) => Err(CommandError::error(error.to_string())
                .with_hint("'dbctl instance create' sets it aside and makes it anew")),
        }
    }

    fn write(&self, new: &Instances) -> Result<()> {
        let written = new.write(&self.disk, &self.instances());
        written.map_err(|error| CommandError::error(error.to_string()))
    }

    /// Nobody else may change the environment meanwhile.
    fn lock(&self) -> Result<Box<dyn DiskFile>> {
        let path = self.data_dir.join("lock");
        match self.disk.lock(&path) {
            Ok(Some(lock)) => Ok(lock),
            Ok(None) => Err(CommandError::error(format!(
                "another server runs the environment in {}",
                self.data_dir.display()
            ))
            .with_hint("stop it first ('dbctl shutdown')")),
            Err(error) => Err(CommandError::io("lock", &path, &error)),
        }
    }
}

fn random() -> Result<[u8; 16]> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|error| CommandError::io("read", path, &error))?;
    Ok(bytes)
}
