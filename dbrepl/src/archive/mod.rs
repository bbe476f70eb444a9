//! The log into a repository: as to a slave, but that the end is read from the archive, and nobody answers.
//!
//! ```text
//! Tailer ── pieces ──▶ Feed ──▶ Archiver ── parts ──▶ Store
//! ```
//! What is stored is written on a thread of its own, and waited for: a slow repository holds back no slave, since an archive
//! is the only target of its dbrepl.

mod failure;
mod feed;
mod target;

pub use target::ArchiveTarget;

use std::sync::Arc;

use dbproto::Standing;
use fwlog::{DurableEnd, Follow};
use repository::{Archiver, Repository, find_start};
use tokio::time::Instant;

use crate::attempts::{tell, wait, worth_another_try};
use crate::error::ShipError;
use crate::note::SlaveNote;
use crate::options::{Goal, Options};
use crate::report::Reporter;
use crate::ship::{Ending, blocking};
use crate::shutdown::ShutdownRequest;
use crate::source::{self, SharedLog};
use feed::Feed;

/// Among the slaves of a master an archive is called so, and by the name of its repository.
const NAME: &str = "archive.";

/// Archives until the goal is reached, the operator stops it, or a failure needs a person.
pub async fn run(
    options: &Arc<Options>,
    target: &ArchiveTarget,
    reporter: Reporter,
    mut stop: ShutdownRequest,
) -> Result<(), ShipError> {
    let location = &options.source.location;
    let log = SharedLog::new(location, 1, reporter.clone());
    let mut note = SlaveNote::new(&location.directory, &target.place(), reporter.clone());
    let (begun, mut tries) = (Instant::now(), 0);
    let mut known: Option<ShipError> = None;
    loop {
        let result = match begin(options, target, &mut note).await {
            Ok(begun) => {
                let mut feed = Feed::new((options, target), &log, begun, &mut note, &reporter);
                feed.is_after_trouble = known.is_some();
                let result = feed.run(&mut stop).await;
                if feed.was_well {
                    (known, tries) = (None, 0);
                }
                result
            }
            Err(failure) => Err(failure),
        };
        let failure = match result {
            Ok(ending) => {
                note.write(Standing::NotConnected, Some(reason(ending)));
                return Ok(());
            }
            Err(failure) => failure,
        };
        note.fail(&failure);
        if !worth_another_try(options.goal, &failure, begun.elapsed()) {
            return Err(failure);
        }
        if known.as_ref() != Some(&failure) {
            tell(&reporter, &failure);
        }
        tries += 1;
        let (retry, pause) = (failure.retry, options.connect.pause(tries));
        known = Some(failure);
        tokio::select! {
            () = wait(options, retry, pause) => {}
            () = stop.requested() => {
                return match known {
                    Some(failure) if options.goal != Goal::Follow => Err(failure),
                    _ => Ok(()),
                };
            }
        }
    }
}

fn reason(ending: Ending) -> &'static str {
    match ending {
        Ending::Reached => {
            "dbrepl has archived what it was asked to, and has ended; start it without -S to follow"
        }
        Ending::Stopped => "dbrepl was stopped; start it again to go on",
    }
}

/// Reads the end of the archive, and finds it in the log.
async fn begin(
    options: &Options,
    target: &ArchiveTarget,
    note: &mut SlaveNote,
) -> Result<(Box<Archiver>, Box<Follow>), ShipError> {
    let (source, store) = (options.source.clone(), Arc::clone(&target.store));
    let (name, archiver, follow) = blocking(move || {
        let identify = source::introduce(&source, false)?;
        let location = &source.location;
        let end = DurableEnd::read(&location.disk, &location.directory);
        let end = end.map_err(|error| source::unreadable(error.into()))?;
        let end = end.ok_or_else(|| failure::failed(repository::ArchiverError::NoLog))?;
        let branch = source::branch(&source).map_err(|why| {
            ShipError::passing(format!("the history of the log can't be read: {why}"))
        })?;
        let archived = |error: repository::ArchiveError| failure::failed(error.into());
        let repository = Repository::open(store).map_err(archived)?;
        let archive = repository.log(identify.environment);
        let catalog = archive.catalog().map_err(archived)?;
        let start = find_start(&archive, &catalog, location, &end, &branch);
        let start = start.map_err(failure::failed)?;
        let follow = Follow::start(location.clone(), start.border.point)
            .map_err(|error| failure::not_found(location, start.border.point, error))?;
        let archiver = Archiver::new(archive, &catalog, &start, branch);
        let archiver = archiver.map_err(failure::failed)?;
        let name = format!("{NAME}{}", repository.name());
        Ok((name, Box::new(archiver), Box::new(follow)))
    })
    .await?;
    note.meet_archive(&name);
    Ok((archiver, follow))
}
