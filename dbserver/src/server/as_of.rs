//! `--as-of`: the past, restored beside the server and served read-only until the process ends.
//!
//! ```text
//!  dbctl backup restore --as copy ─▶ TmpDir/eloqdb-as-of-RANDOM/data ─▶ served, and removed
//! ```
//! dbctl fetches, since the server speaks to no object store.

use std::env;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use dbconfig::Config;
use disk::{Disk, DiskFile};

use crate::environment::recover;

/// How the directories of views begin.
const PREFIX: &str = "eloqdb-as-of-";
/// Locked as long as the view lives.
const LOCK: &str = "lock";
/// Sessions at a time: a view is for people.
const MAX_SESSIONS: u32 = 16;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// A time, a position or a commit.
    pub target: &'a str,
    /// The repository.
    pub from: &'a str,
    /// Where it is served.
    pub service: &'a str,
}

/// A past that was restored; its directory goes with this.
pub struct Past {
    directory: PathBuf,
    _lock: Box<dyn DiskFile>,
}

impl Past {
    /// Restores it, and gives the configuration to serve it with: that of the server but for what has to do with
    /// where it is, with replication, and with writing.
    pub fn restore(config: &Config, asked: Asked<'_>) -> anyhow::Result<(Self, Config)> {
        let tmp_dir = &config.replication.tmp_dir;
        sweep(tmp_dir);
        let past = Self::in_directory(tmp_dir)?;
        let data_dir = past.directory.join("data");
        let view = configuration(config, &data_dir, asked.service)?;
        tracing::info!(
            target = asked.target,
            from = asked.from,
            directory = %past.directory.display(),
            "the past is restored"
        );
        bring(asked, &data_dir)?;
        Ok((past, view))
    }

    fn in_directory(tmp_dir: &Path) -> anyhow::Result<Self> {
        let name = format!("{PREFIX}{:016x}", RandomState::new().hash_one(0_u8));
        let directory = tmp_dir.join(name);
        let shown = directory.display();
        (fs::DirBuilder::new().mode(0o700).create(&directory))
            .with_context(|| format!("cannot make {shown}"))?;
        let lock = Disk::real().lock(&directory.join(LOCK));
        let lock = lock.with_context(|| format!("cannot lock {shown}"))?;
        Ok(Self {
            _lock: lock.with_context(|| format!("{shown} is somebody else's"))?,
            directory,
        })
    }
}

impl Drop for Past {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.directory) {
            tracing::warn!("{} is not removed: {error}", self.directory.display());
        }
    }
}

/// Removes what views have left that were killed. What can't be removed, or is still being made, stays.
fn sweep(tmp_dir: &Path) {
    let Ok(entries) = fs::read_dir(tmp_dir) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let is_view = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let directory = entry.path();
        let lock = directory.join(LOCK);
        if !is_view || !lock.exists() {
            continue;
        }
        if let Ok(Some(_left)) = Disk::real().lock(&lock) {
            match fs::remove_dir_all(&directory) {
                Ok(()) => tracing::info!("{} was left behind: removed", directory.display()),
                Err(error) => tracing::warn!("{} is not removed: {error}", directory.display()),
            }
        }
    }
}

/// Who may connect, and how, is as with the server itself.
fn configuration(own: &Config, data_dir: &Path, service: &str) -> anyhow::Result<Config> {
    let mut view = recover::of_copy(data_dir)?;
    let service = service
        .parse()
        .map_err(|why| anyhow::anyhow!("--service: {why}"))?;
    let server = &own.server;
    view.serves_past = true;
    view.path.clone_from(&own.path);
    view.access = own.access.clone();
    view.server = dbconfig::config::Server {
        service,
        data_dir: data_dir.to_owned(),
        socket_dir: None,
        http: None,
        max_sessions: server.max_sessions.min(MAX_SESSIONS),
        repair_from: view.server.repair_from,
        scrub_rate: 0,
        ..server.clone()
    };
    view.replication
        .tmp_dir
        .clone_from(&own.replication.tmp_dir);
    Ok(view)
}

/// What `dbctl backup restore` is told of a target.
fn option_of(target: &str) -> &'static str {
    if !target.is_empty() && target.bytes().all(|byte| byte.is_ascii_digit()) {
        "--commit"
    } else if target.parse::<fwlog::Position>().is_ok() {
        "--position"
    } else {
        "--time"
    }
}

/// Has the dbctl that lies beside this program restore it.
fn bring(asked: Asked<'_>, data_dir: &Path) -> anyhow::Result<()> {
    let own = env::current_exe().context("cannot tell where this program lies")?;
    let dbctl = own.with_file_name("dbctl");
    let mut command = Command::new(&dbctl);
    command
        .args(["backup", "restore", "--from", asked.from, "--as", "copy"])
        .args([option_of(asked.target), asked.target])
        .arg(data_dir)
        .env_remove("EQ_CONFIG")
        .env_remove("NOTIFY_SOCKET")
        .stdin(Stdio::null());
    let done = match command.output() {
        Ok(done) => done,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("{} is not there: --as-of needs it", dbctl.display())
        }
        Err(error) => return Err(error).context(format!("cannot run {}", dbctl.display())),
    };
    let said = String::from_utf8_lossy(&done.stderr);
    let lines: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect();
    ensure!(
        done.status.success(),
        "as of {}: {}",
        asked.target,
        lines.join("; ")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_commit_a_position_or_a_time() {
        assert_eq!(option_of("70412"), "--commit");
        assert_eq!(option_of("12-3:184320"), "--position");
        assert_eq!(option_of("2026-11-28 11:59:00"), "--time");
        assert_eq!(option_of("2026-11-28"), "--time");
    }

    #[test]
    fn a_view_is_the_server_without_log_replication_and_pages() {
        let text = "[Server]\nDataDir = /data\nInstance = north\nListen = 127.0.0.1\nServiceHttp = 8104\n[db-access]\nallow-users = joe\n[ForwardLog]\nFwLog = l/fw-%N\n[Replication]\nRole = Master\nTmpDir = /scratch\n[Archive x]\nUrl = s3://b\n";
        let own = Config::parse(Path::new("/etc/eloqdb.cfg"), text).unwrap();
        let view = configuration(&own, Path::new("/scratch/v"), "8105").unwrap();
        assert_eq!(view.server.data_dir, Path::new("/scratch/v"));
        assert_eq!(view.server.listen, own.server.listen);
        assert_eq!(view.access, own.access);
        assert!(view.serves_past && view.server.http.is_none());
        assert!(view.forward_log.location.is_none() && view.archives.is_empty());
        assert_eq!(view.replication.role, dbconfig::Role::Standalone);
        assert!(configuration(&own, Path::new("/v"), "no such service").is_err());
    }

    #[test]
    fn what_a_killed_view_has_left_goes_with_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let lives = Past::in_directory(folder.path()).unwrap();
        let killed = folder.path().join(format!("{PREFIX}0"));
        fs::create_dir(&killed).unwrap();
        drop(fs::File::create_new(killed.join(LOCK)).unwrap());
        sweep(folder.path());
        assert!(!killed.exists() && lives.directory.exists());
        let directory = lives.directory.clone();
        drop(lives);
        assert!(!directory.exists());
    }
}
