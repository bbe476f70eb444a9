//! Clients: they write on the master, read everywhere, and know what they must see.

use crate::draw::Draw as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dbserver::databases::Database;
use dbserver::databases::list::SYSTEM_NAME;
use dbserver::databases::permit::Interrupt;
use dbserver::environment::Environment;
use dbserver::error::EngineError;
use disk::testing::Random;
use pagestore::{PAGE_SIZE, PageData, PageImage, PageNumber, ScratchFile, Snapshot, StoreError};
use sqlitevfs::WriteSet;

use crate::content::{self, Print};
use crate::databases::replicated;
use crate::model::{Change, Model};
use crate::settings::Settings;
use crate::taking::Taking;
use crate::transaction::{Given, Transaction};

/// A write set, and what its pages have.
type Written = (WriteSet, Vec<(u32, Print)>);

/// Pages of a database that are looked at by a reader that looks at some.
const SAMPLE: u32 = 4;

/// A snapshot that is kept open.
struct Held {
    server: usize,
    database: u32,
    snapshot: Snapshot,
}

/// What clients see of a server.
#[derive(Default)]
pub(crate) struct Seen {
    /// While it runs.
    pub(crate) environment: Option<Arc<Environment>>,
    /// The newest commit that a reader has seen there.
    pub(crate) newest: u64,
    /// Errors may come: something is broken on purpose.
    pub(crate) hurt: bool,
    /// It has ended in the middle of an operation, and that is not cleared away yet.
    pub(crate) ended: Arc<AtomicBool>,
}

/// All clients, and the truth.
pub(crate) struct Clients {
    /// What must be there.
    pub(crate) model: Model,
    /// The servers, by their number.
    pub(crate) servers: Vec<Seen>,
    /// Which of them is the master.
    pub(crate) master: usize,
    /// What went wrong in the middle of something else.
    pub(crate) violation: Option<String>,
    /// Transactions that were given to the master.
    pub(crate) transactions: u64,
    /// Pages that were compared.
    pub(crate) compared: u64,
    settings: Settings,
    random: Random,
    held: Vec<Held>,
    /// The database whose permit somebody holds while others go on.
    pub(crate) busy: Option<u32>,
    /// The master changes its role at this moment: it may refuse to write, and not to read.
    pub(crate) changing: bool,
    /// The cut that somebody copies from.
    pub(crate) cut: Option<Taking>,
}

impl Clients {
    /// Nobody has done anything yet.
    pub(crate) fn new(settings: &Settings, servers: usize) -> Self {
        Self {
            model: Model::default(),
            servers: (0..servers).map(|_| Seen::default()).collect(),
            master: 0,
            violation: None,
            transactions: 0,
            compared: 0,
            settings: settings.clone(),
            random: Random::new(settings.seed ^ 0x00C1_1E47),
            held: Vec::new(),
            busy: None,
            changing: false,
            cut: None,
        }
    }

    /// A server is gone, and what clients had open there.
    pub(crate) fn forget(&mut self, server: usize) {
        self.held.retain(|held| held.server != server);
        // Whose commits go with the server is not looked at.
        self.cut = None;
        self.servers[server].environment = None;
        self.servers[server].ended.store(false, Ordering::Relaxed);
    }

    /// One thing that a client does while servers are busy with something else.
    pub(crate) fn interfere(&mut self) {
        let result = match self.random.below(4) {
            0 | 1 => self.transact(),
            2 => self.read(),
            _ => self.hold(),
        };
        if let Err(violation) = result {
            self.violation.get_or_insert(violation);
        }
    }

    /// One thing that happens while a large transaction is on its way to the log.
    pub(crate) fn interfere_with_parts(&mut self) {
        let result = match self.random.below(8) {
            0..=2 => self.transact(),
            3 => self.read(),
            4 if self.settings.state_cuts && self.cut.is_none() => self.open_cut(),
            4 => self.hold(),
            5..=6 => self.write_log(),
            _ => self.checkpoint(),
        };
        if let Err(violation) = result {
            self.violation.get_or_insert(violation);
        }
    }

    /// The master's log is written.
    fn write_log(&mut self) -> Result<(), String> {
        let Some(environment) = self.servers[self.master].environment.clone() else {
            return Ok(());
        };
        let driver = environment.driver().ok_or("a server with threads")?;
        match driver.log_failure() {
            _ if driver.write_log() || self.is_excused(self.master) => Ok(()),
            failure => Err(format!("the log is not written: {failure:?}")),
        }
    }

    /// A checkpoint of the master.
    fn checkpoint(&mut self) -> Result<(), String> {
        let Some(environment) = self.servers[self.master].environment.clone() else {
            return Ok(());
        };
        match environment.checkpoint() {
            Err(error) if !self.is_excused(self.master) => Err(format!("checkpoint: {error}")),
            _ => Ok(()),
        }
    }

    /// A cut of the master.
    fn open_cut(&mut self) -> Result<(), String> {
        let Some(environment) = self.servers[self.master].environment.clone() else {
            return Ok(());
        };
        match environment.open_cut("simulation") {
            Ok(cut) => {
                self.cut = Some(Taking::new(self.master, cut, &environment));
                Ok(())
            }
            Err(error) if !self.is_excused(self.master) => Err(format!("cut: {error}")),
            Err(_) => Ok(()),
        }
    }

    /// Whether errors of a server are right: something is broken there, or it has just ended.
    fn is_excused(&self, server: usize) -> bool {
        self.servers[server].hurt || self.servers[server].ended.load(Ordering::Relaxed)
    }

    /// Databases of a server that clients use.
    fn databases(&self, server: usize) -> Vec<Arc<Database>> {
        let environment = self.servers[server].environment.as_ref();
        let all = environment.map(|environment| replicated(environment));
        let mut all = all.unwrap_or_default();
        all.retain(|database| database.name() != SYSTEM_NAME);
        all
    }

    fn any_database(&mut self, server: usize) -> Option<Arc<Database>> {
        let mut databases = self.databases(server);
        if databases.is_empty() {
            return None;
        }
        let index = self.random.index(databases.len());
        Some(databases.swap_remove(index))
    }

    /// A small transaction on the master: queued, not durable yet.
    fn transact(&mut self) -> Result<(), String> {
        match self.prepare(false)? {
            Some(transaction) => self.take_note(transaction.give()),
            None => Ok(()),
        }
    }

    /// Prepares a transaction on the master. While it is given to the server, others may go on by
    /// [`Clients::interfere_with_parts`].
    pub(crate) fn begin(&mut self) -> Result<Option<Transaction>, String> {
        let one_in = self.settings.large;
        let large = one_in.is_some_and(|one_in| self.random.below(one_in) == 0);
        let prepared = self.prepare(large)?;
        self.busy = prepared.as_ref().map(Transaction::database);
        Ok(prepared)
    }

    /// Ends what [`Clients::begin`] has begun.
    pub(crate) fn end(&mut self, given: Given) -> Result<(), String> {
        self.busy = None;
        self.take_note(given)
    }

    fn prepare(&mut self, large: bool) -> Result<Option<Transaction>, String> {
        let Some(environment) = self.servers[self.master].environment.clone() else {
            return Ok(None);
        };
        let database = self.any_database(self.master);
        let Some(database) = database.filter(|one| self.busy != Some(one.id().get())) else {
            return Ok(None);
        };
        let permit = database
            .acquire_permit(&Interrupt::for_this_thread(), None)
            .map_err(|error| format!("permit: {error}"))?;
        let before = database.store().snapshot_latest();
        let written = self.write_set(&before, large);
        let (write_set, prints) = match written {
            Ok(Some(written)) => written,
            Ok(None) => return Ok(None),
            Err(_) if self.is_excused(self.master) => return Ok(None),
            Err(error) => return Err(format!("a transaction cannot read: {error}")),
        };
        let change = Change {
            database: database.id().get(),
            page_count: write_set.page_count,
            pages: prints,
        };
        drop(before);
        self.transactions += 1;
        Ok(Some(Transaction::new(
            environment,
            database,
            permit,
            write_set,
            change,
        )))
    }

    fn take_note(&mut self, given: Given) -> Result<(), String> {
        match given.result {
            Ok(queued) => self.model.commit(queued.commit().get(), &given.change),
            Err(_) if self.is_excused(self.master) => Ok(()),
            Err(EngineError::ChangingRole | EngineError::ReadOnly { .. }) if self.changing => {
                Ok(())
            }
            Err(error) => Err(format!("a transaction is refused: {error}")),
        }
    }

    /// What a transaction writes on top of a snapshot. `None`: it would wait for a page.
    fn write_set(&mut self, before: &Snapshot, large: bool) -> Result<Option<Written>, String> {
        let old = before.page_count();
        let random = &mut self.random;
        let part = self.settings.part_pages;
        let page_count = match random.below(8) {
            _ if large => old.max(part + part / 8) + random.small(8 + part / 8),
            0 if old > 1 => 1 + random.small(old),
            1 | 2 if old < self.settings.pages => old + random.small(4),
            _ => old,
        }
        .max(1);
        let mut wanted: Vec<u32> = if large {
            (1..=page_count).filter(|_| random.below(20) != 0).collect()
        } else {
            let count = 1 + random.below(5);
            let any = |_| 1 + random.small(page_count);
            (0..count).map(any).collect()
        };
        wanted.sort_unstable();
        wanted.dedup();
        let scratch = if random.below(if large { 2 } else { 16 }) == 0 {
            let disk = before.store().disk();
            let file = ScratchFile::create(disk, "/tmp".as_ref());
            Some(file.map_err(|error| error.to_string())?)
        } else {
            None
        };
        let (mut pages, mut prints) = (Vec::new(), Vec::new());
        for number in wanted {
            let page = PageNumber::new(number).ok_or("page 0")?;
            let mut data: PageData = [0; PAGE_SIZE];
            if number <= old {
                let Some(read) = read(before, page, &mut data) else {
                    return Ok(None);
                };
                read.map_err(|error| error.to_string())?;
            }
            content::change(&mut data, &mut self.random);
            prints.push((number, Print::of(&data)));
            let image = match &scratch {
                Some(file) => {
                    PageImage::Scratch(file.store(&data).map_err(|error| error.to_string())?)
                }
                None => PageImage::copy_of(&data),
            };
            pages.push((page, image));
        }
        let base = before.commit();
        let write_set = WriteSet {
            page_count,
            pages,
            base,
        };
        Ok(Some((write_set, prints)))
    }

    /// A reader looks at some pages of some database of some server.
    pub(crate) fn read(&mut self) -> Result<(), String> {
        let server = self.random.index(self.servers.len());
        if let Some(database) = self.any_database(server) {
            let snapshot = database.store().snapshot_durable();
            self.look_at_some(server, database.id().get(), &snapshot)?;
        }
        if self.held.is_empty() {
            return Ok(());
        }
        let index = self.random.index(self.held.len());
        let held = self.held.swap_remove(index);
        self.look_at_some(held.server, held.database, &held.snapshot)?;
        if self.random.coin() {
            self.held.push(held);
        }
        Ok(())
    }

    /// A reader begins that stays.
    pub(crate) fn hold(&mut self) -> Result<(), String> {
        let server = self.random.index(self.servers.len());
        let Some(database) = self.any_database(server) else {
            return Ok(());
        };
        let held = Held {
            server,
            database: database.id().get(),
            snapshot: database.store().snapshot_durable(),
        };
        self.look_at_some(server, held.database, &held.snapshot)?;
        if self.held.len() < 6 {
            self.held.push(held);
        }
        Ok(())
    }

    fn look_at_some(
        &mut self,
        server: usize,
        database: u32,
        snapshot: &Snapshot,
    ) -> Result<(), String> {
        let count = self.check_size(server, database, snapshot)?;
        for _ in 0..SAMPLE.min(count) {
            let page = 1 + self.random.small(count);
            self.check_page(server, database, snapshot, page)?;
        }
        Ok(())
    }

    /// A reader looks at all there is on a server.
    pub(crate) fn look_at_all(&mut self, server: usize) -> Result<(), String> {
        for database in self.databases(server) {
            let snapshot = database.store().snapshot_durable();
            let id = database.id().get();
            for page in 1..=self.check_size(server, id, &snapshot)? {
                self.check_page(server, id, &snapshot, page)?;
            }
        }
        Ok(())
    }

    fn check_size(
        &mut self,
        server: usize,
        database: u32,
        snapshot: &Snapshot,
    ) -> Result<u32, String> {
        let commit = snapshot.commit().get();
        if commit > self.model.newest() {
            return Err(format!(
                "server {server} shows commit {commit}; the newest is {}",
                self.model.newest()
            ));
        }
        let seen = &mut self.servers[server].newest;
        *seen = commit.max(*seen);
        let (count, right) = (
            snapshot.page_count(),
            self.model.page_count(database, commit),
        );
        if count == right {
            return Ok(count);
        }
        Err(format!(
            "server {server}, database {database} at commit {commit}: {count} pages instead of {right}"
        ))
    }

    fn check_page(
        &mut self,
        server: usize,
        database: u32,
        snapshot: &Snapshot,
        page: u32,
    ) -> Result<(), String> {
        let commit = snapshot.commit().get();
        let number = PageNumber::new(page).ok_or("page 0")?;
        let mut data: PageData = [0; PAGE_SIZE];
        self.compared += 1;
        let Some(read) = read(snapshot, number, &mut data) else {
            return Ok(());
        };
        match read {
            Ok(()) => {}
            Err(_) if self.is_excused(server) => return Ok(()),
            // A reader may be ended where its pages can't be kept; it is told so.
            Err(StoreError::SnapshotTooOld { .. }) => return Ok(()),
            Err(error) => return Err(format!("server {server}, database {database}: {error}")),
        }
        let right = self.model.page(database, page, commit);
        if right == Some(Print::of(&data)) {
            return Ok(());
        }
        Err(format!(
            "server {server}, database {database}, page {page} at commit {commit}: wrong content"
        ))
    }
}

/// Reads a page. `None`: it is damaged, and its reader would wait for the checkpoint or the repair that is under way.
/// Everything is one thread here, and a client that waits is its end.
fn read(
    snapshot: &Snapshot,
    page: PageNumber,
    data: &mut PageData,
) -> Option<Result<(), StoreError>> {
    if !snapshot.store().is_checkpointing() {
        return Some(snapshot.read(page, data));
    }
    match snapshot.read_as_is(page, data) {
        Err(StoreError::Damaged { .. }) => None,
        read => Some(read),
    }
}
