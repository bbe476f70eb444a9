//! Where the log is archived, and how.

use std::sync::Arc;
use std::time::Duration;

use dbconfig::{Archive, Config, ReplicationConfig, value};
use objects::store_at;
use repository::{MAX_PART_SIZE, Repository, Store, is_url};

use crate::cli::RawArguments;
use crate::error::ShipError;

/// Smallest part that may be asked for: each is an object.
const MIN_PART_SIZE: u64 = 64 << 10;

/// Unless something else is asked for.
const PART_SIZE: u64 = 8 << 20;
const INTERVAL: Duration = Duration::from_secs(10);

/// Where the log is archived, and how.
#[derive(Clone, Debug)]
pub struct ArchiveTarget {
    /// The repository.
    pub(super) store: Arc<dyn Store>,
    /// The name that it must have; none = any.
    pub(super) name: Option<String>,
    /// Bytes of a part, about.
    pub(super) part_size: usize,
    /// How old what is not archived gets.
    pub(super) interval: Duration,
    /// Limit in bits per second.
    pub(super) bandwidth: Option<u64>,
}

impl ArchiveTarget {
    /// `None`: the addresses are those of slaves.
    pub(crate) fn check(
        addresses: Option<&str>,
        raw: &RawArguments,
        defaults: &ReplicationConfig,
        bandwidth: Option<u64>,
    ) -> Result<Option<Self>, ShipError> {
        let is_between = |c: char| c == ',' || c.is_whitespace();
        let words: Vec<&str> = (addresses.unwrap_or_default().split(is_between))
            .filter(|word| !word.is_empty())
            .collect();
        let url = match words.as_slice() {
            words if !words.iter().any(|word| is_url(word)) => {
                return refuse_options_of_archives(raw).map(|()| None);
            }
            [url] => url,
            _ => {
                return Err(ShipError::usage(
                    "an archive is the only target of a dbrepl, and others are given, too",
                )
                .hint("run one dbrepl for each archive, and others for the slaves"));
            }
        };
        refuse_options_of_slaves(raw)?;
        let store = store_at(url).map_err(ShipError::usage)?;
        let part_size = part_size(raw)?.or(defaults.part_size);
        Ok(Some(Self {
            store,
            name: None,
            part_size: checked_part_size("--part-size", part_size)?,
            interval: interval(raw)?.or(defaults.interval).unwrap_or(INTERVAL),
            bandwidth,
        }))
    }

    /// `[Archive NAME]` of a server's configuration. What the command line says wins.
    pub(crate) fn of_section(
        config: &Config,
        name: &str,
        raw: &RawArguments,
        bandwidth: Option<u64>,
    ) -> Result<Self, ShipError> {
        refuse_options_of_slaves(raw)?;
        let mut archives = config.archives.iter();
        let Some(archive) = archives.find(|it| it.name.eq_ignore_ascii_case(name)) else {
            let path = config.path.display();
            return Err(ShipError::usage(format!("{path} has no [Archive {name}]"))
                .hint("add the section with the Url of the repository; or give that itself"));
        };
        let Archive {
            name,
            url,
            interval: own_interval,
            part_size: own_part_size,
            bandwidth: own_bandwidth,
            warn_behind: _,
            keep: _,
        } = archive;
        let key = format!("PartSize of [Archive {name}]");
        Ok(Self {
            store: store_at(url).map_err(ShipError::usage)?,
            name: Some(name.clone()),
            part_size: checked_part_size(&key, part_size(raw)?.or(*own_part_size))?,
            interval: interval(raw)?.or(*own_interval).unwrap_or(INTERVAL),
            bandwidth: bandwidth.or(*own_bandwidth),
        })
    }

    /// The repository, as users write it.
    pub fn place(&self) -> String {
        self.store.place()
    }
}

/// What two names would be for the servers that keep their log for it.
pub(super) fn refuse_another(repository: &Repository, name: &str) -> Result<(), ShipError> {
    let own = repository.name();
    if own.eq_ignore_ascii_case(name) {
        return Ok(());
    }
    let place = repository.place();
    Err(ShipError::usage(format!(
        "the repository in {place} is called '{own}', and [Archive {name}] names it"
    ))
    .hint(format!("call the section [Archive {own}]")))
}

fn part_size(raw: &RawArguments) -> Result<Option<u64>, ShipError> {
    let size = raw.part_size.as_deref().map(value::size).transpose();
    size.map_err(|why| ShipError::usage(format!("--part-size: {why}")))
}

fn interval(raw: &RawArguments) -> Result<Option<Duration>, ShipError> {
    let time = raw.interval.as_deref().map(value::duration).transpose();
    time.map_err(|why| ShipError::usage(format!("--interval: {why}")))
}

fn checked_part_size(key: &str, size: Option<u64>) -> Result<usize, ShipError> {
    let size = size.unwrap_or(PART_SIZE);
    let most = MAX_PART_SIZE as u64;
    if !(MIN_PART_SIZE..=most).contains(&size) {
        return Err(ShipError::usage(format!(
            "{key}: {size} bytes are not between 64k and {}m",
            most >> 20
        )));
    }
    Ok(usize::try_from(size).unwrap_or(usize::MAX))
}

/// What would mean nothing is a mistake.
fn refuse_options_of_archives(raw: &RawArguments) -> Result<(), ShipError> {
    if raw.archive.is_some() {
        return Ok(());
    }
    for (name, is_given) in [
        ("--part-size", raw.part_size.is_some()),
        ("--interval", raw.interval.is_some()),
    ] {
        if is_given {
            return Err(ShipError::usage(format!("{name} is for archives alone")));
        }
    }
    Ok(())
}

fn refuse_options_of_slaves(raw: &RawArguments) -> Result<(), ShipError> {
    for (name, is_given) in [
        ("--user", raw.user.is_some()),
        ("--password", raw.password.is_some()),
        ("--password-file", raw.password_file.is_some()),
        ("--tls", raw.tls.is_some()),
        ("--ca-file", raw.ca_file.is_some()),
        ("--cert-file", raw.cert_file.is_some()),
        ("--generation", raw.generation),
        ("--until", raw.until.is_some()),
        ("--delay", raw.delay.is_some()),
        ("--filter", raw.filter.is_some()),
        ("--compress", raw.compress),
        ("--init", raw.init.is_some()),
        ("--resync", raw.resync),
        ("--source", raw.source.is_some()),
        ("--source-user", raw.source_user.is_some()),
        ("--source-password-file", raw.source_password_file.is_some()),
        ("--connect-params", raw.connect_params.is_some()),
    ] {
        if is_given {
            return Err(ShipError::usage(format!(
                "{name} is for slaves, and the target is an archive"
            )));
        }
    }
    Ok(())
}
