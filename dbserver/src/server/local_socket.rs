//! The Unix socket: a file in `SocketDir`, and a lock beside it that says whether its server lives.
//!
//! ```text
//!  .s.PGSQL.8102        the socket, open to everybody: who may come to it, the rights of the directory say
//!  .s.PGSQL.8102.lock   the process and its DataDir; locked as long as that process lives, however it ends
//! ```

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{
    FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::process;

use dbconfig::{Config, socket_path};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tokio::net::{UnixListener, UnixSocket};

use crate::server::listen::BACKLOG;

/// Everybody may come; as whom, a password says, or the kernel.
const OPEN: u32 = 0o777;
/// Who can open the lock can hold it, too.
const LOCK_MODE: u32 = 0o600;
/// So much of a lock file is read.
const LOCK_BYTES: u64 = 4096;

/// The files of a socket that this process serves; they go with it.
#[derive(Debug)]
pub(crate) struct LocalSocket {
    path: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

/// Why there can't be a socket.
#[derive(Debug)]
enum Refused {
    NoDirectory,
    /// Another process serves it: its number, where it has told that.
    InUse(Option<String>),
    /// Something else has the name.
    NoSocket,
    Failed(&'static str, io::Error),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDirectory => f.write_str("there is no such directory"),
            Self::InUse(None) => f.write_str("another server serves it"),
            Self::InUse(Some(pid)) => {
                write!(
                    f,
                    "another server serves it: process {pid} as its lock file says"
                )
            }
            Self::NoSocket => f.write_str("a file is there that is no socket"),
            Self::Failed(what, error) => write!(f, "cannot {what}: {error}"),
        }
    }
}

/// What the errors of a step are.
fn failed(what: &'static str) -> impl Fn(io::Error) -> Refused {
    move |error| match error.kind() {
        io::ErrorKind::NotFound => Refused::NoDirectory,
        _ => Refused::Failed(what, error),
    }
}

/// The socket of a server that has this port; `None` where none is wanted, or none can be where nobody has asked for it by
/// name.
pub(super) fn open(
    config: &Config,
    port: u16,
) -> anyhow::Result<Option<(UnixListener, LocalSocket)>> {
    let Some(directory) = &config.server.socket_dir else {
        return Ok(None);
    };
    let path = socket_path(&directory.path, port).map_err(anyhow::Error::msg)?;
    match LocalSocket::take(&path, &config.server.data_dir) {
        Ok(taken) => {
            if let Some(danger) = danger(&directory.path) {
                tracing::warn!("{danger}");
            }
            Ok(Some(taken))
        }
        Err(Refused::NoDirectory) if directory.is_default => Ok(None),
        Err(refused) if directory.is_default => {
            let path = path.display();
            tracing::info!(
                "there is no Unix socket {path}: {refused}; SocketDir names another directory, or none"
            );
            Ok(None)
        }
        Err(refused) => anyhow::bail!(
            "cannot serve the Unix socket {}: {refused}; SocketDir names a directory that is there and the server's to write, or none",
            path.display()
        ),
    }
}

/// Who else could put a socket there, in words.
pub(super) fn danger(directory: &Path) -> Option<String> {
    let found = fs::metadata(directory).ok()?;
    let shown = directory.display();
    if found.mode() & 0o022 != 0 {
        return Some(format!(
            "SocketDir {shown} can be written by others than its owner (mode {:o}): they could serve a socket of their own there; close it with chmod 755",
            found.mode() & 0o7777
        ));
    }
    let own = rustix::process::geteuid().as_raw();
    (![0, own].contains(&found.uid())).then(|| {
        let owner = signals::user(found.uid());
        format!("SocketDir {shown} belongs to {owner}, who could serve another socket there")
    })
}

/// Whether a server of this port could serve its socket. Nothing is changed.
///
/// Error: what a start would say.
pub(super) fn look(directory: &Path, port: u16) -> Result<PathBuf, String> {
    let path = socket_path(directory, port)?;
    let told = |refused: Refused| format!("Unix socket {}: {refused}", path.display());
    let lock = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(no_link())
        .open(lock_path(&path));
    match lock {
        Ok(mut lock) => try_hold(&mut lock).map_err(told)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(told(Refused::Failed("open its lock file", error))),
    }
    match is_served(&path) {
        Ok(true) => Err(told(Refused::InUse(None))),
        Ok(false) => Ok(path),
        Err(refused) => Err(told(refused)),
    }
}

impl LocalSocket {
    /// Takes the name, and what a server that is gone has left there.
    fn take(path: &Path, data_dir: &Path) -> Result<(UnixListener, Self), Refused> {
        let lock_path = lock_path(path);
        let mut lock = hold(&lock_path)?;
        let left = noted_pid(&mut lock);
        // A server of PostgreSQL has another kind of lock.
        if is_served(path)? {
            return Err(Refused::InUse(left));
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Refused::Failed(
                    "remove what another server has left",
                    error,
                ));
            }
            _ => {}
        }
        note(&mut lock, data_dir).map_err(failed("write its lock file"))?;
        let own = Self {
            path: path.to_owned(),
            lock_path,
            _lock: lock,
        };
        let listener = bind(path).map_err(failed("bind it"))?;
        Ok((listener, own))
    }

    /// Where it is, for messages.
    pub(super) fn shown(&self) -> String {
        let path = std::path::absolute(&self.path);
        path.as_deref().unwrap_or(&self.path).display().to_string()
    }
}

/// The lock goes last, so that whoever has it finds no socket of somebody else.
impl Drop for LocalSocket {
    fn drop(&mut self) {
        for path in [&self.path, &self.lock_path] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    let path = path.display();
                    tracing::warn!(%error, "{path} of the Unix socket could not be removed; the next start replaces it");
                }
                _ => {}
            }
        }
    }
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// In a directory of others, a link could lead to a file of this user.
fn no_link() -> i32 {
    OFlags::NOFOLLOW.bits().cast_signed()
}

/// The lock file, locked.
fn hold(path: &Path) -> Result<File, Refused> {
    loop {
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(LOCK_MODE)
            .custom_flags(no_link())
            .open(path);
        let mut lock = opened.map_err(failed("open its lock file"))?;
        try_hold(&mut lock)?;
        // The one before may have removed it meanwhile: then it locks nothing.
        let held = lock.metadata().map_err(failed("look at its lock file"))?;
        match fs::symlink_metadata(path) {
            Ok(found) if (found.dev(), found.ino()) == (held.dev(), held.ino()) => return Ok(lock),
            _ => {}
        }
    }
}

fn try_hold(lock: &mut File) -> Result<(), Refused> {
    match lock.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Refused::InUse(noted_pid(lock))),
        Err(TryLockError::Error(error)) => Err(Refused::Failed("lock its lock file", error)),
    }
}

/// The process that a lock file names in its first line.
fn noted_pid(lock: &mut File) -> Option<String> {
    let mut text = String::new();
    lock.take(LOCK_BYTES).read_to_string(&mut text).ok()?;
    let pid = text.lines().next()?.trim();
    pid.parse::<u32>().is_ok().then(|| pid.to_owned())
}

/// As PostgreSQL's: a server of that, which comes later, reads who lives here.
fn note(lock: &mut File, data_dir: &Path) -> io::Result<()> {
    use std::io::Seek as _;
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}\n{}", process::id(), data_dir.display())
}

/// Whether somebody answers there. A name that is no socket's is refused.
fn is_served(path: &Path) -> Result<bool, Refused> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => return Err(Refused::NoSocket),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Refused::Failed("look for it", error)),
    }
    // One that takes no more connections would keep us waiting.
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let asked = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .and_then(|socket| rustix::net::connect(&socket, &SocketAddrUnix::new(path)?));
    match asked {
        Ok(()) | Err(Errno::AGAIN | Errno::INPROGRESS) => Ok(true),
        Err(Errno::CONNREFUSED | Errno::NOENT) => Ok(false),
        Err(error) => Err(Refused::Failed(
            "see whether somebody serves it",
            error.into(),
        )),
    }
}

/// Nobody can connect before everybody may.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let socket = UnixSocket::new_stream()?;
    socket.bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(OPEN))?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(path: &Path) -> Result<(UnixListener, LocalSocket), Refused> {
        LocalSocket::take(path, Path::new("/data"))
    }

    #[tokio::test]
    async fn a_name_is_one_servers_and_free_again_when_that_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".s.PGSQL.1");
        let (listener, first) = take(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().mode();
        assert_eq!(mode & 0o7777, OPEN);
        let refused = take(&path).unwrap_err().to_string();
        assert!(refused.contains(&process::id().to_string()), "{refused}");
        drop((listener, first));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        assert!(take(&path).is_ok());
    }

    #[tokio::test]
    async fn what_a_killed_server_has_left_is_replaced_and_what_lives_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".s.PGSQL.1");
        // Without our lock, as one of PostgreSQL's: it is asked.
        let living = bind(&path).unwrap();
        assert!(matches!(take(&path), Err(Refused::InUse(None))));
        assert!(
            look(directory.path(), 1)
                .unwrap_err()
                .contains("another server")
        );
        drop(living);
        assert_eq!(look(directory.path(), 1).unwrap(), path);
        assert!(path.exists());
        drop(take(&path).unwrap());
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_file_or_a_link_in_the_way_is_refused_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".s.PGSQL.1");
        drop(
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&path)
                .unwrap(),
        );
        assert!(matches!(take(&path), Err(Refused::NoSocket)));
        assert!(path.exists());
        let (path, target) = (
            directory.path().join(".s.PGSQL.2"),
            directory.path().join("x"),
        );
        std::os::unix::fs::symlink(&target, lock_path(&path)).unwrap();
        assert!(matches!(
            take(&path),
            Err(Refused::Failed("open its lock file", _))
        ));
        assert!(!target.exists());
        let missing = directory.path().join("none/.s.PGSQL.3");
        assert!(matches!(take(&missing), Err(Refused::NoDirectory)));
    }

    #[test]
    fn a_directory_that_others_can_write_is_told() {
        let directory = tempfile::tempdir().unwrap();
        for (mode, is_told) in [
            (0o700, false),
            (0o755, false),
            (0o1777, true),
            (0o775, true),
        ] {
            fs::set_permissions(directory.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(danger(directory.path()).is_some(), is_told, "{mode:o}");
        }
    }
}
