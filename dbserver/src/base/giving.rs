//! The giver's end: a cut is read for somebody who wants it.

use std::sync::Arc;

use bytes::Bytes;
use dbproto::base::{
    Asked, CutDatabase, CutOffer, Given, Giver, GiverAction, LogRange, MAX_LOG, PageSet, Pages,
    RedoPoint,
};
use fwlog::{DatabaseId, Position};
use pagehash::{GroupNumber, GroupValue, PAGE_SIZE, PageIndex, page_hash};
use pagestore::PageNumber;

use super::line::{Ended, Line};
use super::refuse_engine;
use super::tree::KnownTrees;
use crate::databases::tree::GroupBuffer;
use crate::environment::Environment;
use crate::environment::cut::{Cut, CutError, CutUse, LogHead};
use crate::error::EngineError;

/// The taker is no further behind the newest group that it has asked about: what lies before is given back.
const BEHIND: u32 = 512;

/// Talks until the taker has all, or leaves.
pub(super) async fn give(
    line: &mut Line<'_>,
    environment: &Arc<Environment>,
    first: Asked,
) -> Result<(), Ended> {
    let mut machine = Giver::new();
    let GiverAction::Open { taker, pack } = machine.handle(first)? else {
        return Ok(());
    };
    let (opening, who) = (Arc::clone(environment), taker.clone());
    let opening = tokio::task::spawn_blocking(move || opening.open_cut(&who));
    let opened = line.meanwhile(opening, || Box::new(Given::Busy)).await?;
    let cut = opened
        .map_err(|error| EngineError::Internal(error.to_string()))
        .and_then(|cut| cut)
        .map_err(|error| refuse_engine(&error))?;
    let offer = offer(environment, &cut);
    tracing::info!(
        to = taker,
        commit = cut.cut().at.commit.get(),
        pages = offer.pages(),
        "a copy is given"
    );
    line.send(&machine.opened(offer.clone())).await?;
    let mut giving = Giving {
        cut,
        offer,
        pack,
        trees: KnownTrees::default(),
        buffer: GroupBuffer::default(),
    };
    let ended = giving.converse(line, &mut machine).await;
    environment.core().cuts().close(giving.cut.cut().id);
    match &ended {
        Ok(true) => tracing::info!(to = taker, "the copy is complete"),
        Ok(false) => return Err(Ended::Left(format!("{taker} has left"))),
        Err(_) => {}
    }
    ended.map(drop)
}

fn offer(environment: &Environment, cut: &CutUse) -> CutOffer {
    let config = environment.config();
    let of: &Cut = cut.cut();
    let databases = of.databases.iter().filter_map(|database| {
        Some(CutDatabase {
            number: database.entry.id.get(),
            name: database.entry.name.clone(),
            pages: database.pages?,
        })
    });
    let pieces = cut.log_head().map(LogHead::pieces);
    let log = pieces.and_then(|pieces| {
        let (first, last) = (pieces.first()?, pieces.last()?);
        Some(LogRange {
            from: first.segment,
            to: Position::new(last.segment, last.length),
        })
    });
    CutOffer {
        id: of.id.get(),
        environment: of.environment,
        instance: config.server.instance.clone(),
        format: fwlog::layout::header::FORMAT_VERSION,
        page_size: u32::try_from(PAGE_SIZE).unwrap_or(u32::MAX),
        volume_limit: config.volumes.max_size,
        commit: of.at.commit,
        time: of.at.time,
        redo: RedoPoint {
            point: of.redo.point,
            log_bytes: of.redo.log_bytes,
            commit: of.redo.commit,
        },
        databases: databases.collect(),
        next_database: of.next_database.get(),
        log,
    }
}

struct Giving {
    cut: CutUse,
    offer: CutOffer,
    pack: bool,
    trees: KnownTrees,
    buffer: GroupBuffer,
}

impl Giving {
    /// Whether the taker has all.
    async fn converse(&mut self, line: &mut Line<'_>, machine: &mut Giver) -> Result<bool, Ended> {
        loop {
            let Some(message) = line.receive().await? else {
                return Ok(false);
            };
            match machine.handle(Asked::decode(message)?)? {
                GiverAction::Open { .. } => {}
                GiverAction::Compare {
                    database,
                    first,
                    values,
                } => self.compare(line, (database, first), &values).await?,
                GiverAction::Give {
                    database,
                    group,
                    pages,
                } => {
                    let pages = self.pages(database, group, pages).map_err(refuse_cut)?;
                    line.send(&Given::Pages(pages)).await?;
                    self.give_back(database, group)?;
                }
                GiverAction::GiveLog { from } => self.log(line, from).await?,
                GiverAction::GiveRoots => self.roots(line).await?,
                GiverAction::Status(_) => line.send(&Given::Busy).await?,
                GiverAction::Complete => return Ok(true),
                GiverAction::Refused(refuse) => return Err(Ended::Left(refuse.in_full())),
            }
        }
    }

    fn groups(&self, database: u32) -> u32 {
        let known = self.offer.database(database);
        known.map_or(0, CutDatabase::groups)
    }

    /// The content of a group, and its value.
    fn read(&mut self, database: u32, group: GroupNumber) -> Result<(&[u8], GroupValue), CutError> {
        let groups = self.groups(database);
        let id = DatabaseId::new(database);
        let content = self.cut.read_group(id, group, &mut self.buffer)?;
        let value = self.trees.value(database, group, groups, content);
        Ok((content, value))
    }

    async fn compare(
        &mut self,
        line: &mut Line<'_>,
        (database, first): (u32, GroupNumber),
        theirs: &[GroupValue],
    ) -> Result<(), Ended> {
        let (mut ours, mut differ) = (Vec::with_capacity(theirs.len()), Vec::new());
        let groups = (first.get()..).filter_map(GroupNumber::new);
        for (group, theirs) in groups.zip(theirs) {
            let (content, value) = self.read(database, group).map_err(refuse_cut)?;
            ours.push(value);
            if value != *theirs {
                let hashes = (group.first().page()..).zip(content.as_chunks().0);
                let hashes = hashes.filter_map(|(page, content)| {
                    Some(page_hash(PageIndex::of_page(page)?, content))
                });
                differ.push(Giver::hashes(database, group, hashes.collect()));
            }
        }
        line.send(&Giver::compared(database, first, theirs, &ours))
            .await?;
        for hashes in &differ {
            line.send(hashes).await?;
        }
        self.give_back(database, first)
    }

    fn pages(
        &mut self,
        database: u32,
        group: GroupNumber,
        pages: PageSet,
    ) -> Result<Pages, CutError> {
        let pack = self.pack;
        let (content, value) = self.read(database, group)?;
        let all = content.as_chunks::<PAGE_SIZE>().0;
        let raw = if pages.len() as usize == all.len() {
            Bytes::copy_from_slice(content)
        } else {
            let wanted = pages.iter().filter_map(|place| all.get(place as usize));
            wanted.flatten().copied().collect()
        };
        Ok(Pages::new((database, group), pages, value, raw, pack))
    }

    /// What no taker can ask for any more is not kept for it.
    fn give_back(&self, database: u32, group: GroupNumber) -> Result<(), Ended> {
        let before = self
            .offer
            .databases
            .iter()
            .take_while(|known| known.number < database);
        let give_back = |database: u32, page| {
            let given = self.cut.release_below(DatabaseId::new(database), page);
            given.map_err(refuse_cut)
        };
        if let Some(done) = group.get().checked_sub(BEHIND).and_then(GroupNumber::new)
            && let Some(page) = PageNumber::new(done.first().page())
        {
            give_back(database, page)?;
            if let Some(last) = PageNumber::new(u32::MAX) {
                before
                    .into_iter()
                    .try_for_each(|known| give_back(known.number, last))?;
            }
        }
        Ok(())
    }

    async fn log(&self, line: &mut Line<'_>, from: Position) -> Result<(), Ended> {
        let pieces = self.cut.log_head().map(|head| head.pieces().to_vec());
        let pieces = pieces.unwrap_or_default();
        let mut buffer = vec![0; MAX_LOG];
        for piece in pieces.into_iter().filter(|it| it.segment >= from.segment) {
            let mut start = Position::new(piece.segment, 0);
            if piece.segment == from.segment {
                start.offset = from.offset;
            }
            loop {
                let read = self.cut.read_log(piece, start.offset, &mut buffer);
                let bytes = buffer.get(..read.map_err(refuse_cut)?).unwrap_or_default();
                if bytes.is_empty() {
                    break;
                }
                let length = bytes.len() as u64;
                let bytes = Bytes::copy_from_slice(bytes);
                line.send(&Given::Log { start, bytes }).await?;
                start.offset += length;
            }
        }
        Ok(())
    }

    async fn roots(&mut self, line: &mut Line<'_>) -> Result<(), Ended> {
        let mut roots = Vec::new();
        for database in self.offer.databases.clone() {
            let number = database.number;
            for (done, group) in self
                .trees
                .missing(number, database.groups())
                .into_iter()
                .enumerate()
            {
                self.read(number, group).map_err(refuse_cut)?;
                if done % BEHIND as usize == 0 {
                    line.send(&Given::Busy).await?;
                }
            }
            roots.push((number, self.trees.root(number)));
        }
        line.send(&Giver::roots(roots)).await
    }
}

/// A cut that has ended is no fault: the taker asks for a new one, and goes on.
fn refuse_cut(error: CutError) -> dbproto::Refuse {
    match error {
        CutError::Ended(end) => {
            dbproto::Refuse::new(dbproto::state::CANNOT_CONNECT_NOW, end.to_string())
        }
        other => refuse_engine(&other.into()),
    }
}
