//! Whether a slave has what its master has, while both run: at one commit of the master, by hashes.
//!
//! ```text
//!  slave:  cut open ─▶ commit S        groups, hashes, pages ─┐ what differs is handed on
//!  master: cut open ─▶ commit C ≥ S    groups, hashes         │
//!                                      forward ◀──────────────┘ log between S and C on top of the slave's pages
//! ```
//! Each server has a cut open meanwhile, the slave's first. Only hashes move, and the pages that the log has changed
//! between the two.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use futures::join;
use serde::{Deserialize, Serialize};

/// Pages of a group: what one value stands for.
const GROUP_PAGES: u32 = 512;
/// Groups that are asked for at once, 128 MiB: a cut that nobody asks for anything ends after a minute.
const GROUPS: u32 = 64;
/// Pages that are handed on at once.
const PAGES: usize = 256;

/// Rows of an answer.
pub type Rows = Vec<Vec<Option<String>>>;

/// One of the two servers.
pub trait Server {
    /// Why there is no answer.
    type Error: From<Unequal>;

    /// The rows that the server answers to a command.
    fn ask(&self, words: &[String]) -> impl Future<Output = Result<Rows, Self::Error>>;

    /// The same with `--json`: the one value.
    fn ask_json(&self, words: &[String]) -> impl Future<Output = Result<String, Self::Error>>;
}

/// The two can't be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unequal {
    /// Why.
    pub message: String,
    /// The way out.
    pub hint: &'static str,
}

#[derive(Deserialize)]
struct Cut {
    id: u64,
    instance: String,
    environment: String,
    commit: u64,
    redo: String,
    databases: Vec<Database>,
    /// Databases that the server leaves out.
    #[serde(default)]
    left_out: BTreeSet<u32>,
}

#[derive(Deserialize)]
struct Database {
    number: u32,
    name: String,
    pages: u32,
}

/// What was compared, and what came of it.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Verdict {
    /// All databases are the same.
    pub equal: bool,
    /// The instance of the master.
    pub master: String,
    /// The instance of the slave.
    pub slave: String,
    /// The commit at which they were compared.
    pub commit: u64,
    /// The commit at which the slave was read.
    pub slave_commit: u64,
    /// Each database of the master.
    pub databases: Vec<DatabaseVerdict>,
}

/// The same of one database.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct DatabaseVerdict {
    /// Its name.
    pub database: String,
    /// Its size on the master.
    pub pages: u32,
    /// Both have the same.
    pub equal: bool,
    /// The root of the tree of both at the commit.
    pub checksum: Option<String>,
    /// The first page that is not, and does not become, what the master has.
    pub first_differing_page: Option<u32>,
    /// It was made or dropped between the two, and is compared after the next checkpoint.
    pub skipped: bool,
    /// The slave does not apply it: nothing was compared.
    pub left_out: bool,
}

impl Verdict {
    /// The databases that the slave leaves out.
    pub fn left_out(&self) -> Vec<&str> {
        let left_out = self.databases.iter().filter(|it| it.left_out);
        left_out.map(|it| it.database.as_str()).collect()
    }

    /// The first database that differs, and the page.
    pub fn difference(&self) -> Option<(&str, u32)> {
        self.databases
            .iter()
            .find_map(|it| Some((it.database.as_str(), it.first_differing_page?)))
    }
}

/// A verdict, and which cuts could not be closed, with the reason: those stay open for a minute.
pub type Compared<E> = (Result<Verdict, E>, Vec<E>);

/// Compares all databases of the master with the slave's.
pub async fn compare<M, S>(master: &M, slave: &S) -> Compared<M::Error>
where
    M: Server,
    S: Server<Error = M::Error>,
{
    // The slave's cut comes first: so the master's is at the same commit, or a later one.
    let theirs = match open(slave).await {
        Ok(cut) => cut,
        Err(failure) => return (Err(failure), Vec::new()),
    };
    let (verdict, of_master) = match open(master).await {
        Ok(ours) => {
            let sides = Sides {
                master,
                ours: &ours,
                slave,
                theirs: &theirs,
            };
            let verdict = sides.compare().await;
            (verdict, close(master, &ours).await)
        }
        Err(failure) => (Err(failure), None),
    };
    let of_slave = close(slave, &theirs).await;
    (verdict, of_master.into_iter().chain(of_slave).collect())
}

async fn open<T: Server>(server: &T) -> Result<Cut, T::Error> {
    let json = server.ask_json(&words(&["cut", "open"], &[])).await?;
    serde_json::from_str(&json).map_err(|_| unreadable("cut open").into())
}

/// What went wrong, if anything did.
async fn close<T: Server>(server: &T, cut: &Cut) -> Option<T::Error> {
    server.ask(&words(&["cut", "close"], &[cut.id])).await.err()
}

fn unreadable(what: &str) -> Unequal {
    Unequal {
        message: format!("the answer to '{what}' can't be read"),
        hint: "Are both servers, and dbctl, of the same version?",
    }
}

struct Sides<'a, M, S> {
    master: &'a M,
    ours: &'a Cut,
    slave: &'a S,
    theirs: &'a Cut,
}

impl<M, S> Sides<'_, M, S>
where
    M: Server,
    S: Server<Error = M::Error>,
{
    async fn compare(&self) -> Result<Verdict, M::Error> {
        let (ours, theirs) = (self.ours, self.theirs);
        comparable(ours, theirs)?;
        let mut verdict = Verdict {
            equal: true,
            master: ours.instance.clone(),
            slave: theirs.instance.clone(),
            commit: ours.commit,
            slave_commit: theirs.commit,
            databases: Vec::new(),
        };
        for database in &ours.databases {
            let mut of_slave = theirs.databases.iter();
            let other = of_slave.find(|it| it.number == database.number);
            let one = match other {
                Some(other) => self.compare_database(database, other).await?,
                None => DatabaseVerdict {
                    database: database.name.clone(),
                    pages: database.pages,
                    equal: true,
                    checksum: None,
                    first_differing_page: None,
                    skipped: !theirs.left_out.contains(&database.number),
                    left_out: theirs.left_out.contains(&database.number),
                },
            };
            verdict.equal &= one.equal;
            verdict.databases.push(one);
        }
        Ok(verdict)
    }

    async fn compare_database(
        &self,
        ours: &Database,
        theirs: &Database,
    ) -> Result<DatabaseVerdict, M::Error> {
        let count = ours.pages.max(theirs.pages).div_ceil(GROUP_PAGES);
        let mut differing = None;
        'database: for first in (0..count).step_by(GROUPS as usize) {
            for group in self.unequal("groups", ours, &[first, GROUPS]).await? {
                differing = self.first_difference(group, ours, theirs).await?;
                if differing.is_some() {
                    break 'database;
                }
            }
        }
        let checksum = if differing.is_none() {
            let root = words(&["cut", "root"], &[self.ours.id, ours.number.into()]);
            let root = self.master.ask(&root).await?;
            root.into_iter().flatten().flatten().nth(1)
        } else {
            None
        };
        Ok(DatabaseVerdict {
            database: ours.name.clone(),
            pages: ours.pages,
            equal: differing.is_none(),
            checksum,
            first_differing_page: differing,
            skipped: false,
            left_out: false,
        })
    }

    /// The first page of a group that is not, and does not become, what the master has.
    async fn first_difference(
        &self,
        group: u32,
        ours: &Database,
        theirs: &Database,
    ) -> Result<Option<u32>, M::Error> {
        let pages = self.unequal("hashes", ours, &[group]).await?;
        for pages in pages.chunks(PAGES) {
            let contents = values(self.slave, self.theirs, "pages", ours.number, pages).await?;
            let mut give = words(
                &["cut", "forward"],
                &[self.ours.id, ours.number.into(), self.theirs.commit],
            );
            give.extend([self.theirs.redo.clone(), theirs.pages.to_string()]);
            give.extend(pages.iter().map(|page| {
                let content = contents.get(page).map_or("", String::as_str);
                format!("{page}={content}")
            }));
            let differ = self.master.ask(&give).await?;
            let differ = differ.into_iter().flatten().flatten();
            let differ = differ.filter_map(|page| page.parse().ok()).min();
            if differ.is_some() {
                return Ok(differ);
            }
        }
        Ok(None)
    }

    /// The numbers that have not the same value on both sides.
    async fn unequal(
        &self,
        what: &str,
        database: &Database,
        arguments: &[u32],
    ) -> Result<Vec<u32>, M::Error> {
        let number = database.number;
        let (one, other) = join!(
            values(self.master, self.ours, what, number, arguments),
            values(self.slave, self.theirs, what, number, arguments)
        );
        let (one, other) = (one?, other?);
        let numbers: BTreeSet<u32> = one.keys().chain(other.keys()).copied().collect();
        let differ = |number: &u32| one.get(number) != other.get(number);
        Ok(numbers.into_iter().filter(differ).collect())
    }
}

fn comparable(ours: &Cut, theirs: &Cut) -> Result<(), Unequal> {
    if ours.environment != theirs.environment {
        return Err(Unequal {
            message: format!(
                "\"{}\" has another environment ({}) than \"{}\" ({})",
                theirs.instance, theirs.environment, ours.instance, ours.environment
            ),
            hint: "Is it the address of the right server?",
        });
    }
    if theirs.commit > ours.commit {
        return Err(Unequal {
            message: format!(
                "\"{}\" is at commit {}, ahead of \"{}\" at commit {}",
                theirs.instance, theirs.commit, ours.instance, ours.commit
            ),
            hint: "A slave is compared with its master: which of the two is the master?",
        });
    }
    Ok(())
}

/// What a cut has, by number.
async fn values<T: Server>(
    server: &T,
    cut: &Cut,
    what: &str,
    database: u32,
    arguments: &[u32],
) -> Result<BTreeMap<u32, String>, T::Error> {
    let mut command = words(&["cut", what], &[cut.id, database.into()]);
    command.extend(arguments.iter().map(u32::to_string));
    let rows = server.ask(&command).await?;
    let values = rows.into_iter().map(|row| match row.as_slice() {
        [Some(number), Some(value)] => Some((number.parse().ok()?, value.clone())),
        _ => None,
    });
    let values: Option<_> = values.collect();
    values.ok_or_else(|| unreadable(&format!("cut {what}")).into())
}

fn words(command: &[&str], numbers: &[u64]) -> Vec<String> {
    let command = command.iter().map(|word| (*word).to_owned());
    command.chain(numbers.iter().map(u64::to_string)).collect()
}
