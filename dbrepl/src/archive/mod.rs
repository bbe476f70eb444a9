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

use dbconfig::ARCHIVE_NAMES;
use dbproto::Standing;
use dbproto::managed::TaskState;
use fwlog::{DurableEnd, Follow};
use repository::{Archiver, Repository, find_start};
use tokio::time::Instant;

use crate::attempts::{tell, wait, worth_another_try};
use crate::error::ShipError;
use crate::managed::Teller;
use crate::note::SlaveNote;
use crate::options::{Goal, Options};
use crate::report::Reporter;
use crate::ship::{Ending, blocking};
use crate::shutdown::ShutdownRequest;
use crate::source::{self, SharedLog};
use feed::Feed;

/// A log that is archived.
pub struct Archiving {
    /// What was asked for.
    pub options: Arc<Options>,
    /// Where to.
    pub target: ArchiveTarget,
    /// For the operator.
    pub reporter: Reporter,
    /// For the server that runs this.
    pub teller: Teller,
}

/// Archives until the goal is reached, the operator stops it, or a failure needs a person.
pub async fn run(
    archiving: &Archiving,
    log: &Arc<SharedLog>,
    stop: &mut ShutdownRequest,
) -> Result<(), ShipError> {
    let Archiving {
        options,
        target,
        reporter,
        teller,
    } = archiving;
    let location = &options.source.location;
    let mut note = SlaveNote::new(&location.directory, &target.place(), reporter.clone());
    let (begun, mut tries) = (Instant::now(), 0);
    let mut known: Option<ShipError> = None;
    loop {
        let trouble = known.as_ref().map(ShipError::in_full);
        teller.state(TaskState::Connecting, trouble.as_deref());
        let result = match begin(archiving, &mut note).await {
            Ok(begun) => {
                teller.state(TaskState::Shipping, None);
                let mut feed = Feed::new(archiving, log, begun, &mut note);
                feed.is_after_trouble = known.is_some();
                let result = feed.run(stop).await;
                if feed.was_well {
                    (known, tries) = (None, 0);
                }
                result
            }
            Err(failure) => Err(failure),
        };
        let failure = match result {
            Ok(ending) => {
                let managed = teller.why_stopped();
                let reason = managed.as_deref().unwrap_or_else(|| reason(ending));
                note.write(Standing::NotConnected, Some(reason));
                return Ok(());
            }
            Err(failure) => failure,
        };
        note.fail(&failure);
        if !worth_another_try(options.goal, &failure, begun.elapsed()) {
            return Err(failure);
        }
        if known.as_ref() != Some(&failure) {
            tell(reporter, &failure);
        }
        tries += 1;
        let (retry, pause) = (failure.retry, options.connect.pause(tries));
        teller.state(TaskState::Waiting, Some(&failure.in_full()));
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
    archiving: &Archiving,
    note: &mut SlaveNote,
) -> Result<(Box<Archiver>, Box<Follow>), ShipError> {
    let (target, reporter) = (&archiving.target, &archiving.reporter);
    let (source, store) = (archiving.options.source.clone(), Arc::clone(&target.store));
    let expected = target.name.clone();
    let (repository, archiver, follow) = blocking(move || {
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
        if let Some(expected) = expected {
            target::refuse_another(&repository, &expected)?;
        }
        let archive = repository.log(identify.environment);
        let catalog = archive.catalog().map_err(archived)?;
        let start = find_start(&archive, &catalog, location, &end, &branch);
        let start = start.map_err(failure::failed)?;
        let follow = Follow::start(location.clone(), start.border.point)
            .map_err(|error| failure::not_found(location, start.border.point, error))?;
        let archiver = Archiver::new(archive, &catalog, &start, branch);
        let archiver = archiver.map_err(failure::failed)?;
        Ok((repository, Box::new(archiver), Box::new(follow)))
    })
    .await?;
    note.meet_archive(&format!("{ARCHIVE_NAMES}{}", repository.name()));
    if repository.is_for_one_writer() {
        reporter.state(&format!(
            "{} does not keep two archivers apart: this has to be the only one",
            repository.place()
        ));
    }
    Ok((archiver, follow))
}
