//! Each server has a database of its own, in a second environment: it is written whatever the role of the server is,
//! and has what was written there, whatever becomes of the log that is replicated.

use std::sync::Arc;

use dbserver::control_plane::{self, Person};
use dbserver::databases::permit::Interrupt;
use dbserver::environment::Environment;
use pagestore::{PAGE_SIZE, PageData, PageImage, PageNumber};
use sqlitevfs::WriteSet;

use crate::world::World;

/// Its name.
const NAME: &str = "own";
/// Its pages: each holds the number of the transaction that has written it last.
const PAGES: u32 = 3;

/// What a server has in a database of its own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Own {
    /// It was said to be made.
    made: bool,
    /// The number of the last transaction that was given to the server.
    given: u64,
    /// The last one that was answered.
    answered: u64,
}

impl Own {
    /// Nobody holds the server to what was answered.
    pub(crate) fn forget(&mut self) {
        (self.made, self.answered) = (false, 0);
    }
}

impl World {
    /// Something is written there on one of the servers, or it is made.
    pub(crate) fn work_alone(&mut self) -> Result<(), String> {
        let server = self.below(self.servers.len());
        let Some(environment) = self.environment(server) else {
            return Ok(());
        };
        let Some(local) = environment.local().cloned() else {
            return self.make_own(server, &environment);
        };
        if local.core().database(NAME).is_err() {
            return self.make_own(server, &environment);
        }
        for _ in 0..=self.random.below(3) {
            self.write_alone(server, &local)?;
        }
        if self.one_in(6) {
            let made = local.checkpoint();
            let made = made.map_err(|error| format!("checkpoint of its own: {error}"));
            self.unless_hurt(server, made)?;
        }
        Ok(())
    }

    fn make_own(&mut self, server: usize, environment: &Arc<Environment>) -> Result<(), String> {
        // An empty slave has no users yet, who could ask for it.
        if !environment.has_users() {
            return Ok(());
        }
        self.tell(|| format!("  server {server} gets a database of its own"));
        let command = format!("database create {NAME} --local");
        let person = Person::without_connection("dba");
        let made = control_plane::run(environment, person, &command);
        if made.is_ok() && !self.is_struck(server) {
            self.own[server].made = true;
        }
        let made = made.map_err(|error| format!("{command}: {error}"));
        self.unless_hurt(server, made.map(drop))
    }

    fn write_alone(&mut self, server: usize, local: &Arc<Environment>) -> Result<(), String> {
        let given = self.own[server].given + 1;
        let wrote = write(local, given);
        // It may be there, whatever was said of it.
        self.own[server].given = given;
        let synced = local.driver().is_some_and(|driver| driver.write_log());
        if wrote.is_ok() && synced && !self.is_struck(server) {
            self.own[server].answered = given;
            self.tally.own_commits += 1;
        }
        self.tell(|| {
            format!("  transaction {given} of server {server} alone: {wrote:?}, {synced}")
        });
        let failure = local.driver().and_then(|driver| driver.log_failure());
        let result = match failure {
            Some(failure) => Err(format!("its own log is not written: {failure}")),
            None => wrote,
        };
        self.unless_hurt(server, result)
    }

    /// Whether its second environment can't go on by itself.
    pub(crate) fn has_no_log_of_its_own(&self, server: usize) -> bool {
        let environment = self.environment(server);
        let local = environment.as_ref().and_then(|it| it.local());
        let driver = local.and_then(|local| local.driver());
        driver.is_some_and(|driver| driver.log_failure().is_some())
    }

    /// All servers have what was answered there, and nothing that nobody has written.
    pub(crate) fn look_at_own(&mut self) -> Result<(), String> {
        (0..self.servers.len()).try_for_each(|server| self.look_at_own_of(server))
    }

    /// The same of one that has just started: what it has counts from now on.
    pub(crate) fn look_at_own_of(&mut self, server: usize) -> Result<(), String> {
        let Some(environment) = self.environment(server).filter(|_| self.settings.alone) else {
            return Ok(());
        };
        let own = self.own[server];
        let found = environment.local().map(|local| read(local)).transpose();
        let found = match found {
            Err(_) if self.servers[server].hurt || self.is_struck(server) => return Ok(()),
            found => found?.flatten(),
        };
        let Some(found) = found else {
            return if own.made || own.answered > 0 {
                Err(format!(
                    "server {server} has no database of its own any more"
                ))
            } else {
                Ok(())
            };
        };
        if found < own.answered || found > own.given {
            return Err(format!(
                "server {server} has transaction {found} of its own; {} was answered, {} given",
                own.answered, own.given
            ));
        }
        self.own[server] = Own {
            made: true,
            given: found,
            answered: found,
        };
        Ok(())
    }
}

fn write(local: &Arc<Environment>, number: u64) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("a transaction of its own: {error}");
    let database = local
        .core()
        .database(NAME)
        .map_err(|error| failed(&error))?;
    let permit = database
        .acquire_permit(&Interrupt::for_this_thread(), None)
        .map_err(|error| failed(&error))?;
    let before = database.store().snapshot_latest();
    let mut data: PageData = [0; PAGE_SIZE];
    data[..8].copy_from_slice(&number.to_le_bytes());
    let page = |page| Some((PageNumber::new(page)?, PageImage::copy_of(&data)));
    let write_set = WriteSet {
        page_count: PAGES,
        pages: (1..=PAGES).filter_map(page).collect(),
        base: before.commit(),
    };
    drop(before);
    let queued = local.commit(&database, &permit, write_set);
    queued.map(drop).map_err(|error| failed(&error))
}

/// The transaction that its pages are of; none: there is no such database, or nothing in it.
fn read(local: &Environment) -> Result<Option<u64>, String> {
    let Ok(database) = local.core().database(NAME) else {
        return Ok(None);
    };
    let snapshot = database.store().snapshot_durable();
    let mut found = None;
    for page in (1..=snapshot.page_count()).filter_map(PageNumber::new) {
        let mut data: PageData = [0; PAGE_SIZE];
        let read = snapshot.read(page, &mut data);
        read.map_err(|error| error.to_string())?;
        let mut number = [0; 8];
        number.copy_from_slice(&data[..8]);
        let number = u64::from_le_bytes(number);
        if found.is_some_and(|found| found != number) {
            return Err(format!("its own database is half way: {number}, {found:?}"));
        }
        found = Some(number);
    }
    Ok(Some(found.unwrap_or(0)))
}
