//! The giver's end, without the socket: messages in, one message out at a time, the cut in between.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use dbproto::base::{
    Asked, CutDatabase, CutOffer, Given, Giver, GiverAction, LogRange, MAX_LOG, PageSet, PageSum,
    Pages, RedoPoint,
};
use dbproto::{Refuse, state};
use fwlog::{DatabaseId, Position};
use pagehash::{GroupNumber, GroupParts, GroupValue, PAGE_SIZE};
use pagestore::{PageNumber, sum_of};

use super::refuse_engine;
use super::tree::KnownTrees;
use crate::databases::tree::GroupBuffer;
use crate::environment::Environment;
use crate::environment::cut::{Cut, CutError, CutUse, LogHead, LogPiece};

/// The taker is no further behind the newest group that it has asked about: what lies before is given back.
const BEHIND: u32 = 512;

/// Groups that are read for the checksums between two signs of life.
const AT_A_TIME: usize = 512;

/// What a message of the taker leads to.
#[derive(Debug)]
pub enum Heard {
    /// [`Giving::say`] has the answer.
    Answer,
    /// The taker has all.
    Complete,
    /// The taker won't go on.
    Refused(Refuse),
}

/// What is being said. What is long is read piece by piece.
enum Saying {
    /// What is left of the log; the first piece from this position on.
    Log(VecDeque<LogPiece>, Position),
    /// Groups that are to be read for the checksums.
    Roots(VecDeque<(u32, GroupNumber)>),
}

/// A cut that is given to one taker. It is closed when this is dropped.
pub struct Giving {
    environment: Arc<Environment>,
    machine: Giver,
    taker: String,
    cut: CutUse,
    offer: CutOffer,
    pack: bool,
    trees: KnownTrees,
    buffer: GroupBuffer,
    ready: VecDeque<Given>,
    saying: Option<Saying>,
}

impl Giving {
    /// Takes the first message and opens the cut, which takes a while: [`Giving::say`] offers it.
    pub fn open(environment: &Arc<Environment>, first: Asked) -> Result<Self, Refuse> {
        let mut machine = Giver::new();
        let GiverAction::Open { taker, pack } = machine.handle(first)? else {
            let why = "a taker begins with OpenCut";
            return Err(Refuse::new(state::PROTOCOL_VIOLATION, why));
        };
        let whole = environment.core().refuse_partial();
        whole.map_err(|error| refuse_engine(&error))?;
        let cut = environment.open_cut(&taker);
        let cut = cut.map_err(|error| refuse_engine(&error))?;
        let offer = offer(environment, &cut);
        tracing::info!(
            to = taker,
            commit = cut.cut().at.commit.get(),
            pages = offer.pages(),
            "a copy is given"
        );
        let ready = VecDeque::from([machine.opened(offer.clone())]);
        let trees = KnownTrees::new(&offer);
        Ok(Self {
            environment: Arc::clone(environment),
            machine,
            taker,
            cut,
            offer,
            pack,
            trees,
            buffer: GroupBuffer::default(),
            ready,
            saying: None,
        })
    }

    /// Who takes it.
    pub(super) fn taker(&self) -> &str {
        &self.taker
    }

    /// What it is of.
    pub fn cut(&self) -> &Cut {
        self.cut.cut()
    }

    /// Takes a message of the taker, once all is said that was asked for before. After an error the conversation is
    /// over: the error goes to the taker.
    pub fn handle(&mut self, message: Asked) -> Result<Heard, Refuse> {
        match self.machine.handle(message)? {
            GiverAction::Open { .. } => {}
            GiverAction::Compare {
                database,
                first,
                values,
            } => self.compare((database, first), &values)?,
            GiverAction::Give {
                database,
                group,
                pages,
            } => self.give(database, group, pages)?,
            GiverAction::GiveLog { from } => self.saying = Some(self.log_from(from)),
            GiverAction::GiveRoots => {
                self.saying = Some(Saying::Roots(self.trees.missing().collect()));
            }
            GiverAction::Status(_) => self.ready.push_back(Given::Busy),
            GiverAction::Complete => return Ok(Heard::Complete),
            GiverAction::Refused(refuse) => return Ok(Heard::Refused(refuse)),
        }
        Ok(Heard::Answer)
    }

    /// The next message for the taker. `None`: it is the taker's turn.
    pub fn say(&mut self) -> Result<Option<Given>, Refuse> {
        if let Some(message) = self.ready.pop_front() {
            return Ok(Some(message));
        }
        let Some(saying) = self.saying.take() else {
            return Ok(None);
        };
        match saying {
            Saying::Log(pieces, at) => self.log(pieces, at),
            Saying::Roots(groups) => self.roots(groups).map(Some),
        }
    }

    /// The content of a group, and its value, which is made once.
    fn read(&mut self, database: u32, group: GroupNumber) -> Result<(&[u8], GroupValue), Refuse> {
        let id = DatabaseId::new(database);
        let content = self.cut.read_group(id, group, &mut self.buffer);
        let content = content.map_err(refuse_cut)?;
        let tree = self.trees.of(database).ok_or_else(not_in_the_cut)?;
        let value = tree.value(group);
        let value = value.unwrap_or_else(|| tree.learn(&GroupParts::of(group, content)));
        Ok((content, value))
    }

    fn compare(
        &mut self,
        (database, first): (u32, GroupNumber),
        theirs: &[GroupValue],
    ) -> Result<(), Refuse> {
        let (mut ours, mut differ) = (Vec::with_capacity(theirs.len()), Vec::new());
        let groups = (first.get()..).filter_map(GroupNumber::new);
        for (group, theirs) in groups.zip(theirs) {
            let (content, value) = self.read(database, group)?;
            ours.push(value);
            if value != *theirs {
                let sums = content.chunks(PAGE_SIZE).map(sum_of).map(PageSum::of_crc);
                differ.push(Giver::sums(database, group, sums.collect()));
            }
        }
        let compared = Giver::compared(database, first, theirs, &ours);
        self.ready.push_back(compared);
        self.ready.extend(differ);
        self.give_back(database, first)
    }

    fn give(&mut self, database: u32, group: GroupNumber, pages: PageSet) -> Result<(), Refuse> {
        let tree = self.trees.of(database).ok_or_else(not_in_the_cut)?;
        let value = match tree.value(group) {
            Some(value) => value,
            None => self.read(database, group)?.1,
        };
        let raw = self.read_pages(database, group, &pages)?;
        let pages = Pages::new((database, group), pages, value, raw, self.pack);
        self.ready.push_back(Given::Pages(pages));
        self.give_back(database, group)
    }

    /// Some pages of a group, and nothing else of it.
    fn read_pages(
        &self,
        database: u32,
        group: GroupNumber,
        pages: &PageSet,
    ) -> Result<Bytes, Refuse> {
        let mut raw = vec![0; pages.len() as usize * PAGE_SIZE];
        let places: Vec<u32> = pages.iter().collect();
        let mut rest = raw.as_mut_slice();
        for run in places.chunk_by(|one, next| one + 1 == *next) {
            let (bytes, later) = rest.split_at_mut(run.len() * PAGE_SIZE);
            let first = run.first().map(|place| group.first().page() + place);
            if let Some(first) = first.and_then(PageNumber::new) {
                let read = self.cut.read(DatabaseId::new(database), first, bytes);
                read.map_err(refuse_cut)?;
            }
            rest = later;
        }
        Ok(Bytes::from(raw))
    }

    /// What no taker can ask for any more is not kept for it.
    fn give_back(&self, database: u32, group: GroupNumber) -> Result<(), Refuse> {
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

    fn log_from(&self, from: Position) -> Saying {
        let pieces = self.cut.log_head().map_or(&[][..], LogHead::pieces);
        let wanted = pieces.iter().filter(|it| it.segment >= from.segment);
        Saying::Log(wanted.copied().collect(), from)
    }

    /// The next bytes of the log: `at`, where the first piece has that, or else its beginning.
    fn log(
        &mut self,
        mut pieces: VecDeque<LogPiece>,
        at: Position,
    ) -> Result<Option<Given>, Refuse> {
        let mut buffer = vec![0; MAX_LOG];
        while let Some(piece) = pieces.front().copied() {
            let mut start = Position::new(piece.segment, 0);
            if piece.segment == at.segment {
                start.offset = at.offset;
            }
            let read = self.cut.read_log(piece, start.offset, &mut buffer);
            buffer.truncate(read.map_err(refuse_cut)?);
            if buffer.is_empty() {
                buffer.resize(MAX_LOG, 0);
                pieces.pop_front();
                continue;
            }
            let next = Position::new(piece.segment, start.offset + buffer.len() as u64);
            self.saying = Some(Saying::Log(pieces, next));
            let bytes = Bytes::from(buffer);
            return Ok(Some(Given::Log { start, bytes }));
        }
        Ok(None)
    }

    /// The checksums, or a sign of life as long as there is much to read: groups whose values nobody has asked for.
    fn roots(&mut self, mut groups: VecDeque<(u32, GroupNumber)>) -> Result<Given, Refuse> {
        let some = groups.len().min(AT_A_TIME);
        for (database, group) in groups.drain(..some) {
            self.read(database, group)?;
        }
        if let Some(roots) = self.trees.roots() {
            return Ok(Giver::roots(roots));
        }
        self.saying = Some(Saying::Roots(groups));
        Ok(Given::Busy)
    }
}

impl Drop for Giving {
    fn drop(&mut self) {
        let core = self.environment.core();
        core.cuts().close(self.cut.cut().id);
    }
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

/// The machine asks for nothing else.
fn not_in_the_cut() -> Refuse {
    Refuse::new(
        state::PROTOCOL_VIOLATION,
        "what is asked for is not in the cut",
    )
}

/// A cut that has ended is no fault: the taker asks for a new one, and goes on.
fn refuse_cut(error: CutError) -> Refuse {
    match error {
        CutError::Ended(end) => Refuse::new(state::CANNOT_CONNECT_NOW, end.to_string()),
        other => refuse_engine(&other.into()),
    }
}
