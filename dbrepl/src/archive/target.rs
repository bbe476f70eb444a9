//! Where the log is archived, and how.

use std::sync::Arc;
use std::time::Duration;

use dbconfig::{ReplicationConfig, value};
use repository::{MAX_PART_SIZE, Store, is_url, store_at};

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
    /// Bytes of a part, about.
    pub(super) part_size: usize,
    /// How old what is not archived gets.
    pub(super) interval: Duration,
}

impl ArchiveTarget {
    /// `None`: the addresses are those of slaves.
    pub(crate) fn check(
        addresses: Option<&str>,
        raw: &RawArguments,
        defaults: &ReplicationConfig,
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
        let size = match &raw.part_size {
            Some(text) => {
                value::size(text).map_err(|why| ShipError::usage(format!("--part-size: {why}")))?
            }
            None => defaults.part_size.unwrap_or(PART_SIZE),
        };
        let most = MAX_PART_SIZE as u64;
        let part_size = usize::try_from(size).unwrap_or(usize::MAX);
        if !(MIN_PART_SIZE..=most).contains(&size) {
            return Err(ShipError::usage(format!(
                "--part-size: {size} bytes are not between 64k and {}m",
                most >> 20
            )));
        }
        let interval = match &raw.interval {
            Some(text) => value::duration(text)
                .map_err(|why| ShipError::usage(format!("--interval: {why}")))?,
            None => defaults.interval.unwrap_or(INTERVAL),
        };
        Ok(Some(Self {
            store,
            part_size,
            interval,
        }))
    }

    /// The repository, as users write it.
    pub fn place(&self) -> String {
        self.store.place()
    }
}

/// What would mean nothing is a mistake.
fn refuse_options_of_archives(raw: &RawArguments) -> Result<(), ShipError> {
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
