//! What is left of a switchover that is done: the proof that nothing is lost, also for those who ask again.

use std::time::{Duration, Instant};

use peers::handover::HandoverStatus;
use serde::Serialize;

use super::{GOES_ON, Offer, is_fed, lost, offer_of, standing};
use crate::commands::asking::{ask_json, known_slaves};
use crate::connection::Connection;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::{self, Table};

/// A dbrepl that waits for the change of roles has come by then.
pub(super) const FED_WITHIN: Duration = Duration::from_secs(3);
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// What the operator gets to keep.
#[derive(Serialize)]
pub(super) struct Proof {
    master: String,
    slave: String,
    /// Where the old master's log ends; the new one's generation begins there.
    position: String,
    /// Chain hash of the whole log up to there, the same on both.
    hash: String,
    commit: u64,
    lost_transactions: u64,
    /// From when the old master took no more writes until the new one did; unknown where an interrupted one is ended.
    milliseconds_without_writes: Option<u64>,
    /// Up to where the new master's log is.
    durable: Option<String>,
    /// Whether the new master's log goes to the old one.
    slave_is_fed: bool,
}

/// The slave is the root: the old one is told, which else would only know once the other's log comes.
pub(super) async fn prove(
    (root, peer): (&Connection, &Connection),
    here: &HandoverStatus,
    offer: &Offer,
    took: Option<Duration>,
) -> Result<Proof> {
    let told = ask_json::<HandoverStatus>(root, &["handover", "given", &offer.id]).await;
    if let Err(failure) = told {
        output::note(format_args!(
            "warning: {} does not know yet that its role was taken: {}",
            here.instance, failure.message
        ));
    }
    let there = ask_json(peer, &["handover", "status"]).await;
    let there: HandoverStatus =
        there.map_err(|failure| lost(failure, "the new master", GOES_ON))?;
    if there.role != "Master" {
        return Err(CommandError::error(format!(
            "{} has taken the role of the root, and does not write: it is {}",
            there.instance, there.role
        ))
        .with_hint(
            "restart it: it is the master from its start on; then the same command tells the rest",
        ));
    }
    let way_back = way_back(peer, &here.instance).await;
    if let Err(why) = &way_back {
        output::note(format_args!(
            "warning: {master} does not feed {slave}: {why}; start the dbrepl of {master} to it, or give 'dbctl source start {slave}' to {master}: until then only {master} has what it writes",
            master = there.instance,
            slave = here.instance,
        ));
    }
    Ok(Proof {
        slave_is_fed: way_back.is_ok(),
        master: there.instance,
        slave: here.instance.clone(),
        position: offer.position.clone(),
        hash: offer.hash.clone(),
        commit: offer.commit,
        lost_transactions: 0,
        milliseconds_without_writes: took
            .map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        durable: there.durable,
    })
}

/// Whether the new master feeds the old one by now; why it does not.
async fn way_back(master: &Connection, slave: &str) -> std::result::Result<(), String> {
    let until = Instant::now() + FED_WITHIN;
    loop {
        let known = known_slaves(master)
            .await
            .map_err(|failure| failure.message)?;
        let known = known.into_iter().find(|known| known.slave == slave);
        let Some(known) = known else {
            return Err("no dbrepl of it does that".into());
        };
        if is_fed(&known) {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(known.reason.unwrap_or(known.state));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The server that is to become the root is it already, and the command was given to it: the proof, where the old root has
/// one of this handover.
pub(super) async fn of_root(
    invocation: &mut Invocation,
    root: &Connection,
    stand: &HandoverStatus,
) -> Result<Option<Proof>> {
    let known = known_slaves(root).await?.into_iter();
    for slave in known.filter(|slave| is_fed(slave) && stand.is("taken")) {
        let Some(address) = slave.address else {
            continue;
        };
        let Ok(old) = invocation.connect_to(&address).await else {
            // What it could prove is true all the same.
            continue;
        };
        let here = standing(&old, &slave.slave).await;
        let here = here.ok().filter(|it| it.is("handed") && it.id == stand.id);
        let proof = match here {
            Some(here) => Some(prove((&old, root), &here, &offer_of(&here)?, None).await),
            None => None,
        };
        old.close().await;
        if let Some(proof) = proof {
            return proof.map(Some);
        }
    }
    let line = format_args!("{} is the root already", stand.instance);
    invocation.output.line(line)?;
    Ok(None)
}

pub(super) fn show(invocation: &Invocation, proof: &Proof) -> Result<()> {
    if invocation.output.json {
        return output::json(proof);
    }
    let mut table = Table::new(&["name", "value"]);
    let ends = format!("{}, commit {}", proof.position, proof.commit);
    for (name, value) in [
        ("master", proof.master.clone()),
        ("slave", proof.slave.clone()),
        ("the old log ends at", ends),
        ("chain hash there", proof.hash.clone()),
        ("transactions lost", proof.lost_transactions.to_string()),
    ] {
        table.push([name.to_owned(), value]);
    }
    if let Some(milliseconds) = proof.milliseconds_without_writes {
        table.push(["without writes".to_owned(), format!("{milliseconds} ms")]);
    }
    invocation.output.result(&table)
}
