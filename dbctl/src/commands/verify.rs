//! `replication verify SLAVE`: are the databases of a slave those of its master, while both run? Each server has a cut
//! open meanwhile, the slave's first. Only hashes move, and the pages that the log has changed between the two.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::commands::asking::{address_of, ask, ask_json, unreadable};
use crate::connection::{Connection, SYSTEM_DATABASE};
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::{self, Table};

/// Pages of a group: what one value stands for.
const GROUP_PAGES: u32 = 512;
/// Groups that are asked for at once, 128 MiB: a cut that nobody asks for anything ends after a minute.
const GROUPS: u32 = 64;
/// Pages that are handed on at once.
const PAGES: usize = 256;

#[derive(Deserialize)]
struct Cut {
    id: u64,
    instance: String,
    environment: String,
    commit: u64,
    redo: String,
    databases: Vec<Database>,
}

#[derive(Deserialize)]
struct Database {
    number: u32,
    name: String,
    pages: u32,
}

/// What was compared, and what came of it.
#[derive(Serialize)]
struct Verdict {
    equal: bool,
    master: String,
    slave: String,
    commit: u64,
    slave_commit: u64,
    databases: Vec<DatabaseVerdict>,
}

#[derive(Serialize)]
struct DatabaseVerdict {
    database: String,
    pages: u32,
    equal: bool,
    /// The root of the tree of both at the commit.
    checksum: Option<String>,
    first_differing_page: Option<u32>,
    /// It was made or dropped between the two, and is compared after the next checkpoint.
    skipped: bool,
}

pub(crate) async fn run(invocation: &mut Invocation, command: &[String]) -> Result<()> {
    let [_, _, slave] = command else {
        return Err(CommandError::usage("usage: dbctl replication verify SLAVE"));
    };
    let master = invocation.connect(SYSTEM_DATABASE).await?;
    let address = address_of(&master, slave).await?;
    let peer = invocation.connect_to(&address).await?;
    let verdict = compare(&master, &peer).await;
    master.close().await;
    peer.close().await;
    let verdict = verdict?;
    show(invocation, &verdict)?;
    if verdict.equal {
        Ok(())
    } else {
        Err(CommandError::error("the databases differ")
            .with_hint("docs/recovery.md says what to do; 'dbrepl --resync' makes the slave right"))
    }
}

/// The slave's cut comes first: so the master's is at the same commit, or a later one.
async fn compare(master: &Connection, slave: &Connection) -> Result<Verdict> {
    let theirs: Cut = ask_json(slave, &["cut", "open"]).await?;
    let ours: Cut = ask_json(master, &["cut", "open"]).await?;
    let compared = compare_cuts((master, &ours), (slave, &theirs)).await;
    for (server, cut) in [(master, &ours), (slave, &theirs)] {
        let closed = ask(server, &words(&["cut", "close"], &[cut.id])).await;
        if let Err(failure) = closed {
            output::note(format_args!(
                "warning: a cut stays open for a minute: {}",
                failure.message
            ));
        }
    }
    compared
}

type Side<'a> = (&'a Connection, &'a Cut);

async fn compare_cuts(master: Side<'_>, slave: Side<'_>) -> Result<Verdict> {
    let ((_, ours), (_, theirs)) = (master, slave);
    if ours.environment != theirs.environment {
        return Err(CommandError::error(format!(
            "\"{}\" has another environment ({}) than \"{}\" ({})",
            theirs.instance, theirs.environment, ours.instance, ours.environment
        )));
    }
    if theirs.commit > ours.commit {
        return Err(CommandError::error(format!(
            "\"{}\" is at commit {}, ahead of \"{}\" at commit {}",
            theirs.instance, theirs.commit, ours.instance, ours.commit
        ))
        .with_hint("give this command to the master, and name the slave"));
    }
    let mut verdict = Verdict {
        equal: true,
        master: ours.instance.clone(),
        slave: theirs.instance.clone(),
        commit: ours.commit,
        slave_commit: theirs.commit,
        databases: Vec::new(),
    };
    for database in &ours.databases {
        let other = theirs
            .databases
            .iter()
            .find(|it| it.number == database.number);
        let one = match other {
            Some(other) => compare_database(master, slave, (database, other)).await?,
            None => DatabaseVerdict {
                database: database.name.clone(),
                pages: database.pages,
                equal: true,
                checksum: None,
                first_differing_page: None,
                skipped: true,
            },
        };
        verdict.equal &= one.equal;
        verdict.databases.push(one);
    }
    Ok(verdict)
}

async fn compare_database(
    master: Side<'_>,
    slave: Side<'_>,
    (ours, theirs): (&Database, &Database),
) -> Result<DatabaseVerdict> {
    let count = ours.pages.max(theirs.pages).div_ceil(GROUP_PAGES);
    let mut differing = None;
    for first in (0..count).step_by(GROUPS as usize) {
        let range = [first, GROUPS];
        let (one, other) = tokio::join!(
            values(master, "groups", ours.number, &range),
            values(slave, "groups", ours.number, &range)
        );
        for group in unequal(&one?, &other?) {
            differing = first_difference(master, slave, (group, ours, theirs)).await?;
            if differing.is_some() {
                break;
            }
        }
        if differing.is_some() {
            break;
        }
    }
    let checksum = if differing.is_none() {
        let (server, cut) = master;
        let root = words(&["cut", "root"], &[cut.id, ours.number.into()]);
        let root = ask(server, &root).await?.rows;
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
    })
}

/// The first page of a group that is not, and does not become, what the master has.
async fn first_difference(
    master: Side<'_>,
    slave: Side<'_>,
    (group, ours, theirs): (u32, &Database, &Database),
) -> Result<Option<u32>> {
    let only = [group];
    let (one, other) = tokio::join!(
        values(master, "hashes", ours.number, &only),
        values(slave, "hashes", ours.number, &only)
    );
    let pages: Vec<u32> = unequal(&one?, &other?).collect();
    for pages in pages.chunks(PAGES) {
        let contents = values(slave, "pages", ours.number, pages).await?;
        let mut give = words(
            &["cut", "forward"],
            &[master.1.id, ours.number.into(), slave.1.commit],
        );
        give.extend([slave.1.redo.clone(), theirs.pages.to_string()]);
        give.extend(pages.iter().map(|page| {
            let content = contents.get(page).map_or("", String::as_str);
            format!("{page}={content}")
        }));
        let differ = ask(master.0, &give).await?.rows;
        let differ = differ.into_iter().flatten().flatten();
        let differ = differ.filter_map(|page| page.parse().ok()).min();
        if differ.is_some() {
            return Ok(differ);
        }
    }
    Ok(None)
}

/// What a cut has, by number.
async fn values(
    (server, cut): Side<'_>,
    what: &str,
    database: u32,
    arguments: &[u32],
) -> Result<BTreeMap<u32, String>> {
    let mut command = words(&["cut", what], &[cut.id, database.into()]);
    command.extend(arguments.iter().map(u32::to_string));
    let rows = ask(server, &command).await?.rows;
    let values = rows.into_iter().map(|row| match row.as_slice() {
        [Some(number), Some(value)] => Some((number.parse().ok()?, value.clone())),
        _ => None,
    });
    let values: Option<_> = values.collect();
    values.ok_or_else(|| unreadable(&command))
}

/// The numbers that have not the same on both sides.
fn unequal(
    one: &BTreeMap<u32, String>,
    other: &BTreeMap<u32, String>,
) -> impl Iterator<Item = u32> {
    let differ = |(number, value): (&u32, &String), values: &BTreeMap<u32, String>| {
        (values.get(number) != Some(value)).then_some(*number)
    };
    let numbers: BTreeSet<u32> = one
        .iter()
        .filter_map(|entry| differ(entry, other))
        .chain(other.iter().filter_map(|entry| differ(entry, one)))
        .collect();
    numbers.into_iter()
}

fn words(command: &[&str], numbers: &[u64]) -> Vec<String> {
    let command = command.iter().map(|word| (*word).to_owned());
    command.chain(numbers.iter().map(u64::to_string)).collect()
}

fn show(invocation: &Invocation, verdict: &Verdict) -> Result<()> {
    if invocation.output.json {
        return output::json(verdict);
    }
    let result = if verdict.equal { "equal" } else { "different" };
    invocation.output.line(format_args!(
        "{result}: master \"{}\" and slave \"{}\" at commit {}",
        verdict.master, verdict.slave, verdict.commit
    ))?;
    let mut table = Table::new(&["database", "pages", "result", "checksum"]);
    for database in &verdict.databases {
        let result = match (database.first_differing_page, database.skipped) {
            (Some(page), _) => format!("page {page} differs"),
            (None, true) => {
                "not in the slave's last checkpoint: compared after the next one".into()
            }
            (None, false) => "equal".into(),
        };
        table.push([
            database.database.clone(),
            database.pages.to_string(),
            result,
            database.checksum.clone().unwrap_or_default(),
        ]);
    }
    invocation.output.result(&table)
}
