//! A tree whose root is gone: whoever has more than the new root goes back by itself, from the top down, though the power of
//! its machine fails on the way.
//!
//! ```text
//!  a ─┬─ b, which falls behind and becomes the root ── its own slave          a's log:  ═══╤═════════▶  what a, c, d … have
//!     └─ c ─┬─ d ── …                                                         b's log:     └────▶       and give up, c first
//!           └─ e
//! ```

use std::collections::BTreeMap;

use dbconfig::Role;
use dbserver::databases::permit::Interrupt;
use dbserver::environment::Environment;
use disk::testing::{Fault, Random};
use lost::{Directory, Line, Standing};
use pagestore::{PAGE_SIZE, PageData, PageImage, PageNumber};
use sqlitevfs::WriteSet;

use super::Tree;
use crate::content;
use crate::draw::Draw as _;
use crate::finale::pages_of;
use crate::settings::Settings;

/// The first root, who takes its place, and who is below that one from the beginning.
const FIRST: &str = "a";
const NEXT: &str = "b";
const BELOW: &str = "z";
/// Those that may have more than the next root, each below the first root or one that comes before it here.
const OTHERS: [&str; 5] = ["c", "d", "e", "f", "g"];

/// Connections until one that goes back has to be fed.
const CONNECTIONS: usize = 40;
/// Seconds until all know what there is to know.
const SETTLED: usize = 20;

/// How much of it there was.
#[derive(Clone, Copy, Debug, Default)]
pub struct WentBack {
    /// Instances that had more than the new root.
    pub instances: u64,
    /// Of those the ones that are fed by one that went back itself.
    pub below: u64,
    /// Transactions that they gave up, and kept as files.
    pub transactions: u64,
    /// Power cuts on the way.
    pub power_cuts: u64,
}

/// A tree of this seed loses its root.
///
/// Errors: what was wrong.
pub fn go_back_in_turn(seed: u64) -> Result<WentBack, String> {
    let mut cascade = Cascade::new(seed)?;
    cascade.part()?;
    cascade.change_root()?;
    cascade.follow()?;
    cascade.check()?;
    Ok(cascade.went)
}

struct Cascade {
    tree: Tree,
    random: Random,
    others: Vec<&'static str>,
    /// By whom each of the others is fed.
    sources: BTreeMap<&'static str, &'static str>,
    /// Commits that each has beyond the next root.
    ahead: BTreeMap<&'static str, u64>,
    went: WentBack,
}

impl Cascade {
    fn new(seed: u64) -> Result<Self, String> {
        let mut random = Random::new(seed);
        let others = OTHERS[..2 + random.index(OTHERS.len() - 1)].to_vec();
        let names = [&[FIRST, NEXT, BELOW][..], &others].concat();
        let settings = Settings::that_goes_back(seed);
        Ok(Self {
            tree: Tree::of(settings, &names)?,
            random,
            others,
            sources: BTreeMap::new(),
            ahead: BTreeMap::new(),
            went: WentBack::default(),
        })
    }

    fn feed(&mut self, source: &str, slave: &str) -> Result<(), String> {
        let fed = self.tree.feed(source, slave);
        fed.map_err(|refuse| format!("{source} feeds {slave}: {refuse:?}"))
    }

    /// What is on its way arrives, and nobody is refused.
    fn beats(&mut self, beats: usize) -> Result<(), String> {
        for _ in 0..beats {
            let ended = self.tree.beat()?;
            if !ended.is_empty() {
                return Err(format!("feeds end: {ended:?}"));
            }
        }
        Ok(())
    }

    /// All have the same; then the next root gets no more, and one or another of the others neither.
    fn part(&mut self) -> Result<(), String> {
        self.feed(FIRST, NEXT)?;
        self.feed(NEXT, BELOW)?;
        let mut above = vec![FIRST];
        for name in self.others.clone() {
            let source = above[self.random.index(above.len())];
            self.sources.insert(name, source);
            self.feed(source, name)?;
            above.push(name);
        }
        self.tree.commit(FIRST, "shop")?;
        self.write_some(FIRST)?;
        self.beats(2)?;
        self.tree.stop_feeding(NEXT);
        for _ in 0..2 + self.random.below(3) {
            self.write_some(FIRST)?;
            self.beats(1)?;
            self.checkpoint_somewhere()?;
            let name = self.others[self.random.index(self.others.len())];
            if self.random.below(4) == 0 {
                self.tree.stop_feeding(name);
            }
        }
        let next = self.end_of(NEXT)?;
        for name in [&[FIRST][..], &self.others].concat() {
            let ahead = self.end_of(name)? - next;
            self.ahead.insert(name, ahead);
        }
        Ok(())
    }

    fn write_some(&mut self, root: &str) -> Result<(), String> {
        for _ in 0..=self.random.below(3) {
            let environment = self.tree.environment(root)?;
            write(&environment, &mut self.random)?;
        }
        Ok(())
    }

    /// With it the way back is by the log where there were commits before.
    fn checkpoint_somewhere(&mut self) -> Result<(), String> {
        if self.random.coin() {
            let all = [&[FIRST][..], &self.others].concat();
            let name = all[self.random.index(all.len())];
            let made = self.tree.environment(name)?.checkpoint();
            made.map_err(|error| format!("checkpoint of {name}: {error}"))?;
        }
        Ok(())
    }

    fn end_of(&self, name: &str) -> Result<u64, String> {
        let environment = self.tree.environment(name)?;
        let slave = environment.slave().and_then(|it| it.progress().durable);
        let end = environment.durable().map(|it| it.commit);
        let end = end.or(slave.map(|it| it.commit));
        end.map(fwlog::CommitNumber::get)
            .ok_or_else(|| format!("{name} has no log"))
    }

    /// The first root ends, and the next one writes.
    fn change_root(&mut self) -> Result<(), String> {
        self.tree.kill(FIRST);
        self.tree.promote(NEXT)?;
        self.write_some(NEXT)?;
        self.beats(1)
    }

    /// Each is fed by the one that fed it, or by another one that follows by then; the former root comes last, and is a slave.
    fn follow(&mut self) -> Result<(), String> {
        let mut following = vec![NEXT];
        for name in self.others.clone() {
            let before = self.sources[name];
            let source = match before {
                FIRST => NEXT,
                _ if self.random.below(3) == 0 => following[self.random.index(following.len())],
                _ => before,
            };
            self.go_back(source, name)?;
            self.went.below += u64::from(source != NEXT && self.ahead[name] > 0);
            following.push(name);
        }
        let first = self.tree.servers.get_mut(FIRST).ok_or("no such server")?;
        first.role = Role::Slave;
        self.tree.start(FIRST)?;
        self.go_back(NEXT, FIRST)?;
        self.beats(SETTLED)
    }

    /// A dbrepl comes again and again, as it does by itself; meanwhile the power fails.
    fn go_back(&mut self, source: &str, slave: &'static str) -> Result<(), String> {
        let has_more = self.ahead[slave] > 0;
        for _ in 0..self.random.below(4) {
            let left = self.random.below(if has_more { 500 } else { 60 });
            let server = self.tree.servers.get(slave).ok_or("no such server")?;
            server.machine.fail(Fault::after(left).power_off());
            // Whether it was done shows what comes.
            for _ in 0..4 {
                drop(self.connect(source, slave));
            }
            self.power_again(slave)?;
            self.went.power_cuts += 1;
        }
        for _ in 0..CONNECTIONS {
            if self.connect(source, slave)? {
                self.went.instances += u64::from(has_more);
                return Ok(());
            }
        }
        Err(format!("{slave} is not fed by {source}"))
    }

    /// Whoever is down is started; one that was refused twice since is to begin anew. `true`: it is fed.
    fn connect(&mut self, source: &str, slave: &str) -> Result<bool, String> {
        if self.tree.servers[slave].environment().is_none() {
            self.tree.start(slave)?;
        }
        for _ in 0..2 {
            match self.tree.feed(source, slave) {
                Ok(()) => return Ok(true),
                Err(refuse) if refuse.sqlstate == dbproto::state::CANNOT_CONNECT_NOW.as_str() => {}
                Err(refuse) => return Err(format!("{source} feeds {slave}: {refuse:?}")),
            }
        }
        self.tree.kill(slave);
        Ok(false)
    }

    fn power_again(&mut self, key: &str) -> Result<(), String> {
        let seed = self.random.next();
        self.tree.kill(key);
        let server = self.tree.servers.get_mut(key).ok_or("no such server")?;
        server.cut_power(seed);
        server.machine.mend();
        Ok(())
    }

    /// All have what the new root has; what was given up is kept once each, the first root has all of it, and the root knows.
    fn check(&mut self) -> Result<(), String> {
        let right = pages_of(&*self.tree.environment(NEXT)?)?;
        let primary = self.kept(FIRST, Standing::Primary)?;
        let mut known = BTreeMap::new();
        for name in [&[FIRST, BELOW][..], &self.others].concat() {
            if !self.tree.are_equal(NEXT, name)? {
                return Err(format!("{name} has another log than the root"));
            }
            if pages_of(&*self.tree.environment(name)?)? != right {
                return Err(format!("{name} has other pages than the root"));
            }
            let ids = match name {
                FIRST => primary.clone(),
                _ => self.kept(name, Standing::Secondary)?,
            };
            let ahead = self.ahead.get(name).copied().unwrap_or(0);
            if ids.len() as u64 != ahead || !primary.starts_with(&ids) {
                return Err(format!(
                    "{name} had {ahead} commits more than the new root, and has kept {ids:?}; the first root {primary:?}"
                ));
            }
            if ahead > 0 {
                known.insert(format!("{name} {ahead}"), false);
                self.went.transactions += ahead;
            }
        }
        let told = self.tree.known_lost(NEXT)?;
        if told.len() != known.len() || told.iter().cloned().collect::<BTreeMap<_, _>>() != known {
            return Err(format!("the root knows {told:?} instead of {known:?}"));
        }
        Ok(())
    }

    /// The transactions of the one directory that an instance has, if it has one.
    fn kept(&self, name: &str, standing: Standing) -> Result<Vec<String>, String> {
        let server = self.tree.servers.get(name).ok_or("no such server")?;
        let process = server.machine.copy().process();
        let found = Directory::all(&process.disk(), "/data/lost".as_ref());
        let mut found = found.map_err(|error| error.to_string())?.into_iter();
        let Some((path, opened)) = found.next() else {
            return Ok(Vec::new());
        };
        if let Some((other, _)) = found.next() {
            return Err(format!(
                "{name} has {} and {}",
                path.display(),
                other.display()
            ));
        }
        let opened = opened.map_err(|error| format!("{}: {error}", path.display()))?;
        opened.prove().map_err(|error| error.to_string())?;
        let told = opened.description();
        if told.role != standing {
            return Err(format!("{} is of role {}", path.display(), told.role));
        }
        let mut ids = Vec::new();
        for line in opened.lines().map_err(|error| error.to_string())? {
            if let Line::Transaction(transaction) = line.map_err(|error| error.to_string())? {
                ids.push(transaction.id);
            }
        }
        Ok(ids)
    }
}

/// Commits some pages of the only database that clients use.
fn write(environment: &Environment, random: &mut Random) -> Result<(), String> {
    let failed = |error: dbserver::error::EngineError| error.to_string();
    let database = environment.database("shop").map_err(failed)?;
    let permit = database.acquire_permit(&Interrupt::for_this_thread(), None);
    let permit = permit.map_err(failed)?;
    let before = database.store().snapshot_latest();
    let page_count = 2 + random.small(10);
    let mut pages = BTreeMap::new();
    // Pages that are new have a content, as SQLite leaves none without.
    let new = before.page_count() + 1..=page_count;
    for number in new.chain([1 + random.small(page_count), 1 + random.small(page_count)]) {
        let page = PageNumber::new(number).ok_or("page 0")?;
        let mut data: PageData = [0; PAGE_SIZE];
        if number <= before.page_count() {
            let read = before.read(page, &mut data);
            read.map_err(|error| error.to_string())?;
        }
        content::change(&mut data, random);
        pages.insert(page, PageImage::copy_of(&data));
    }
    let write_set = WriteSet {
        page_count,
        pages: pages.into_iter().collect(),
        base: before.commit(),
    };
    drop(before);
    let queued = environment.commit(&database, &permit, write_set);
    drop(permit);
    let queued = queued.map_err(failed)?;
    queued.wait().map(drop).map_err(failed)
}
