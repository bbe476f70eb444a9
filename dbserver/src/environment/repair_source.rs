//! Where damaged pages of the data files come from by themselves, as `RepairFrom` says: the own log first, then other
//! servers that have the same databases, in turn.
//!
//! Who meets the damage waits for that, as for the disk, and never longer than [`LIMIT`]. A server that is asked gives
//! what it has at one commit and repairs nothing for it, so two that ask one another do not wait for one another.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use dbconfig::{HostService, RepairFrom};
use fwlog::{Clock, EnvironmentId};
use pagestore::{CommitNumber, Fault, Lost, LostPage, PageNumber, PageSource, Remade};
use tokio::time::{Instant, timeout_at};

use crate::asking::{Access, Session};
use crate::environment::given_pages::{GivenPages, page_content};
use crate::environment::repair::{OwnLog, Repairs};

/// How long all peers together may take.
const LIMIT: Duration = Duration::from_secs(10);
/// A server that could not be asked is left alone for so long: each damaged page would wait for it again.
const REST: Duration = Duration::from_secs(10);
/// Pages that are asked for at once: some 350 KiB in base64.
const AT_ONCE: usize = 64;

/// See the module's page.
#[derive(Debug)]
pub(crate) struct RepairSource {
    own_log: Arc<OwnLog>,
    access: Access,
    repairs: Arc<Repairs>,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    from: RepairFrom,
    /// `None`: an empty slave, which has nothing to lose.
    environment: Option<EnvironmentId>,
    /// Servers that could not be asked: until when they are left alone, and why.
    resting: HashMap<String, (Instant, String)>,
}

impl RepairSource {
    /// What `from` says, for the environment that is told later.
    pub(crate) fn new(
        own_log: Arc<OwnLog>,
        access: Access,
        from: RepairFrom,
        (repairs, clock): (Arc<Repairs>, Clock),
    ) -> Self {
        let state = State {
            from,
            environment: None,
            resting: HashMap::new(),
        };
        Self {
            own_log,
            access,
            repairs,
            clock,
            state: Mutex::new(state),
        }
    }

    /// The environment whose pages these are.
    pub(crate) fn know(&self, environment: Option<EnvironmentId>) {
        self.state().environment = environment;
    }

    /// Pages come from there from now on; tells whether that is new.
    pub(crate) fn set(&self, from: &RepairFrom) -> bool {
        let mut state = self.state();
        let is_new = state.from != *from;
        if is_new {
            state.from.clone_from(from);
            state.resting.clear();
        }
        is_new
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the peers for what is open. A thread of its own does it: that of a session has an event loop already.
    fn ask_peers(&self, peers: &[HostService], open: &mut Open<'_>) {
        let work = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            match runtime {
                Ok(runtime) => runtime.block_on(self.ask_in_turn(peers, open)),
                Err(error) => open.note_all(&format!("other servers can't be asked: {error}")),
            }
        };
        thread::scope(|scope| {
            let asking = thread::Builder::new().name("repair".into());
            if let Err(error) = asking.spawn_scoped(scope, work) {
                tracing::error!(%error, "cannot start a thread that asks other servers for pages");
            }
        });
    }

    async fn ask_in_turn(&self, peers: &[HostService], open: &mut Open<'_>) {
        let deadline = Instant::now() + LIMIT;
        for (at, peer) in peers.iter().enumerate() {
            let pages = open.pages();
            if pages.is_empty() {
                return;
            }
            // A server that does not answer leaves time for those behind it.
            let now = Instant::now();
            let left = u32::try_from(peers.len() - at).unwrap_or(u32::MAX);
            let share = now + deadline.saturating_duration_since(now) / left;
            let asked = timeout_at(share, Box::pin(self.ask(peer, open.lost.database, &pages)));
            let asked = asked.await;
            match asked.unwrap_or_else(|_| Err("no answer in time".into())) {
                Ok(given) => open.judge(peer, &given),
                Err(why) => open.note_all(&format!("{peer}: {why}")),
            }
        }
    }

    /// What one server gives.
    ///
    /// Error: why it gives nothing, without its name.
    async fn ask(
        &self,
        peer: &HostService,
        database: u32,
        pages: &[PageNumber],
    ) -> Result<Given, String> {
        let name = peer.to_string();
        let environment = {
            let state = self.state();
            if let Some((until, why)) = state.resting.get(&name)
                && Instant::now() < *until
            {
                return Err(why.clone());
            }
            state.environment.ok_or("there is no environment yet")?
        };
        let session = Session::open(&self.access, peer).await;
        let session = session.inspect_err(|why| {
            let until = Instant::now() + REST;
            let resting = (until, why.clone());
            self.state().resting.insert(name.clone(), resting);
        })?;
        let mut given = Given::default();
        for pages in pages.chunks(AT_ONCE) {
            let mut ask = ["database", "pages", "--of"].map(str::to_owned).to_vec();
            ask.extend([environment.to_string(), database.to_string()]);
            ask.extend(pages.iter().map(ToString::to_string));
            given.take(&name, session.ask(&ask).await?)?;
        }
        Ok(given)
    }
}

/// What a peer has answered.
#[derive(Debug, Default)]
struct Given {
    pages: Vec<GivenPages>,
    /// Why it could not give a page.
    problems: BTreeMap<PageNumber, String>,
}

impl Given {
    /// Rows of page, commit, content, and why there is none.
    fn take(&mut self, peer: &str, rows: Vec<Vec<Option<String>>>) -> Result<(), String> {
        let mut pages = BTreeMap::new();
        let mut commit = CommitNumber::ZERO;
        for row in rows {
            let mut row = row.into_iter().map(Option::unwrap_or_default);
            let [number, at, content, problem] =
                std::array::from_fn(|_| row.next().unwrap_or_default());
            let page = number.parse().ok().and_then(PageNumber::new);
            let (Some(page), Ok(at)) = (page, at.parse()) else {
                return Err("its answer can't be read: is it of another version?".into());
            };
            commit = CommitNumber::new(at);
            match page_content(&content) {
                Some(content) => drop(pages.insert(page, content)),
                None => drop(self.problems.insert(page, problem)),
            }
        }
        self.pages.push(GivenPages::new(peer, commit, pages));
        Ok(())
    }

    fn answer(&self, peer: &HostService, lost: &LostPage, file: CommitNumber) -> Remade {
        if let Some(given) = self.pages.iter().find(|given| given.has(lost.page)) {
            return given.answer(lost, file);
        }
        let problem = self.problems.get(&lost.page).map(String::as_str);
        let problem = problem.filter(|problem| !problem.is_empty());
        Remade::Later(format!(
            "{peer}: {}",
            problem.unwrap_or("it has not given it")
        ))
    }
}

/// What is still looked for, with the reasons so far.
struct Open<'a> {
    lost: &'a Lost<'a>,
    answers: Vec<Remade>,
}

impl Open<'_> {
    fn is_open(answer: &Remade) -> bool {
        matches!(answer, Remade::No(_) | Remade::Later(_))
    }

    fn pages(&self) -> Vec<PageNumber> {
        let pages = self.lost.pages.iter().zip(&self.answers);
        let open = pages.filter(|(_, answer)| Self::is_open(answer));
        open.map(|(lost, _)| lost.page).collect()
    }

    fn note_all(&mut self, why: &str) {
        for answer in &mut self.answers {
            note(answer, why);
        }
    }

    fn judge(&mut self, peer: &HostService, given: &Given) {
        for (lost, answer) in self.lost.pages.iter().zip(&mut self.answers) {
            if !Self::is_open(answer) {
                continue;
            }
            match given.answer(peer, lost, self.lost.commit) {
                Remade::No(why) | Remade::Later(why) => note(answer, &why),
                found @ (Remade::Page(..) | Remade::Sum(_)) => *answer = found,
            }
        }
    }
}

/// One more reason why a page can't be had; another time a peer may have it.
fn note(answer: &mut Remade, why: &str) {
    match answer {
        Remade::No(before) | Remade::Later(before) if before.is_empty() => {
            *answer = Remade::Later(why.to_owned());
        }
        Remade::No(before) | Remade::Later(before) => {
            *answer = Remade::Later(format!("{before}; {why}"));
        }
        Remade::Page(..) | Remade::Sum(_) => {}
    }
}

impl PageSource for RepairSource {
    fn is_on(&self) -> bool {
        !self.state().from.is_off()
    }

    /// Where nothing is done by itself, a person who asks for a repair gets it from the log.
    fn remake(&self, lost: &Lost<'_>) -> Vec<Remade> {
        let from = self.state().from.clone();
        let answers = if from.log || from.is_off() {
            self.own_log.remake(lost)
        } else {
            vec![Remade::No(String::new()); lost.pages.len()]
        };
        let mut open = Open { lost, answers };
        if !from.peers.is_empty() && !open.pages().is_empty() {
            self.ask_peers(&from.peers, &mut open);
        }
        open.answers
    }

    fn mended(&self, path: &Path, from: &str, pages: &[(PageNumber, Fault)]) {
        self.repairs.note(path, pages, from, self.clock.now());
    }

    fn not_mended(&self, path: &Path, pages: &[(PageNumber, Fault)], why: &str) {
        self.repairs.note_failure(path, pages, why);
    }
}
