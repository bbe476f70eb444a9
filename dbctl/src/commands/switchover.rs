//! `replication switchover NAME`: the slave NAME becomes the master, and the master its slave. This program carries what
//! the two servers promise each other; each promise is on a server's disk before the next one is asked for, so it may be
//! broken off anywhere and run again.
//!
//! ```text
//!   the master     offer     writes no more; says where its log ends
//!   the slave      take      has all of it, and is the master
//!   the master     given     knows it, and follows                       ─▶ done
//!   the slave      refuse    where that fails: it never becomes it by this one
//!   the master     withdraw  is the master again                         ─▶ nothing has changed
//! ```
//! Where the slave can't be asked any more, nobody writes until it can.

mod obstacles;
mod proof;

use std::time::{Duration, Instant};

use dbconfig::value;
use peers::handover::HandoverStatus;
use pgtypes::SqlState;
use serde::Deserialize;

use crate::commands::asking::{KnownSlave, ask, ask_json};
use crate::commands::switchover::obstacles::{check_known, check_peer, check_way_back};
use crate::commands::switchover::proof::{Proof, of_root, prove, show};
use crate::connection::{Connection, SYSTEM_DATABASE};
use crate::error::{CommandError, Exit, Result};
use crate::invocation::Invocation;

const USAGE: &str =
    "usage: dbctl replication switchover NAME [--timeout TIME] [--one-way] [--abort]";
/// The one that the command is given to, before it has said its name.
const MASTER: &str = "the master";
/// How long the slave may take for what is left of the log.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A slave that is further behind is not waited for.
const MAX_LAG: u64 = 64 << 20;
/// Each promise is on a disk before the next one is asked for.
const GOES_ON: &str = "the same command goes on where this one was broken off, once both servers answer; with --abort it is taken back";
/// How often a server is asked again that does not answer.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(300);

struct Wanted<'a> {
    name: &'a str,
    timeout: Duration,
    /// Though nobody would feed the old root.
    one_way: bool,
    abort: bool,
}

/// What is promised: by which handover, and where the old root's log ends.
struct Offer {
    id: String,
    position: String,
    hash: String,
    commit: u64,
}

pub(crate) async fn run(invocation: &mut Invocation, command: &[String]) -> Result<()> {
    let wanted = wanted(command)?;
    let root = invocation.connect(SYSTEM_DATABASE).await?;
    let done = switch(invocation, &root, &wanted).await;
    root.close().await;
    match done? {
        Some(proof) => show(invocation, &proof),
        None => Ok(()),
    }
}

fn wanted(command: &[String]) -> Result<Wanted<'_>> {
    let usage = || CommandError::usage(USAGE);
    let mut words = command.iter().skip(2).map(String::as_str);
    let (mut name, mut timeout, mut one_way, mut abort) = (None, TIMEOUT, false, false);
    while let Some(word) = words.next() {
        let time = match word.split_once('=') {
            Some(("--timeout", time)) => Some(time),
            _ if word == "--timeout" => Some(words.next().ok_or_else(usage)?),
            _ => None,
        };
        match (word, time) {
            (_, Some(time)) => timeout = value::duration(time).map_err(CommandError::usage)?,
            ("--abort", _) => abort = true,
            ("--one-way", _) => one_way = true,
            (word, _) if !word.starts_with('-') && name.is_none() => name = Some(word),
            _ => return Err(usage()),
        }
    }
    let name = name.ok_or_else(usage)?;
    Ok(Wanted {
        name,
        timeout,
        one_way,
        abort,
    })
}

/// How a server stands to the role; one of a version that hands no role over is named.
async fn standing(server: &Connection, name: &str) -> Result<HandoverStatus> {
    let asked = ask_json(server, &["handover", "status"]).await;
    asked.map_err(|failure| too_old(failure, name))
}

fn too_old(failure: CommandError, name: &str) -> CommandError {
    if !failure.message.starts_with("unknown command") {
        return failure;
    }
    let state = if name == MASTER {
        SqlState::REPLICATION_OLD_MASTER
    } else {
        SqlState::REPLICATION_OLD_SLAVE
    };
    CommandError::error(format!(
        "a switchover needs version {} of {name}, which has an older one",
        env!("CARGO_PKG_VERSION")
    ))
    .with_state(state)
    .with_hint("nothing has changed; update its programs first (docs/sites.md, A new version)")
}

async fn switch(
    invocation: &mut Invocation,
    root: &Connection,
    wanted: &Wanted<'_>,
) -> Result<Option<Proof>> {
    let here = standing(root, MASTER).await?;
    let given = here.is("given") && here.role == "Slave";
    if given && here.to.as_deref() != Some(wanted.name) {
        let to = here.to.as_deref().unwrap_or("another instance");
        return Err(CommandError::error(format!(
            "{} has given the role of the root to {to} already",
            here.instance
        ))
        .with_hint(format!(
            "'dbctl replication switchover {to}' goes on with that"
        )));
    }
    if here.is("handed") && here.to.as_deref() == Some(wanted.name) && !wanted.abort {
        return done_before(invocation, root, here, wanted).await;
    }
    if !given && wanted.abort {
        return Err(CommandError::error(format!(
            "there is nothing to abort: {} is {} and has given nothing away",
            here.instance, here.role
        )));
    }
    if !given && here.role != "Master" {
        return Err(not_the_root(root, &here).await);
    }
    if !given && here.instance == wanted.name {
        return of_root(invocation, root, &here).await;
    }
    let address = if given {
        here.to_address
            .clone()
            .unwrap_or_else(|| wanted.name.to_owned())
    } else {
        check_known(root, wanted.name).await?
    };
    let peer = invocation.connect_to(&address).await.map_err(|failure| {
        let why = if given {
            "the root stays read-only until it answers"
        } else {
            "nothing has changed"
        };
        let message = format!(
            "{} cannot be asked, so {why}: {}",
            wanted.name, failure.message
        );
        CommandError { message, ..failure }
    })?;
    let there = standing(&peer, wanted.name).await?;
    if !given {
        check_peer(&here, &there, wanted.name)?;
        if !wanted.one_way {
            check_way_back(root, &there, wanted.name).await?;
        }
    }
    let switch = Switch {
        invocation,
        root,
        here,
        address,
        wanted,
    };
    if given {
        switch.go_on(peer, &there).await
    } else {
        switch.begin(peer).await
    }
}

/// The tree as a server knows it.
#[derive(Deserialize)]
struct Tree {
    root: Option<String>,
}

/// A slave knows its root, as long as it is fed.
async fn not_the_root(server: &Connection, here: &HandoverStatus) -> CommandError {
    let (own, role) = (&here.instance, &here.role);
    let tree = ask_json::<Tree>(server, &["replication", "tree"]).await;
    match tree.ok().and_then(|tree| tree.root) {
        Some(root) => CommandError::error(format!("{own} is not the root: it is {role} of {root}"))
            .with_hint(format!("give this command to {root}, which is the root")),
        None => CommandError::error(format!("{own} is not the root: it is {role}"))
            .with_hint("give this command to the master"),
    }
}

/// An answer that did not come: whose it was, and how it goes on.
fn lost(failure: CommandError, server: &str, hint: &str) -> CommandError {
    if failure.exit != Exit::Unreachable {
        return failure;
    }
    let message = format!("the answer of {server} did not come: {}", failure.message);
    CommandError { message, ..failure }.with_hint(hint)
}

/// Whether the log goes to it.
fn is_fed(slave: &KnownSlave) -> bool {
    matches!(slave.state.as_str(), "following" | "catching up")
}

/// It was carried to its end before: the same proof again, as long as the new root is that by this handover.
async fn done_before(
    invocation: &mut Invocation,
    root: &Connection,
    here: HandoverStatus,
    wanted: &Wanted<'_>,
) -> Result<Option<Proof>> {
    let offer = offer_of(&here)?;
    let address = here.to_address.as_deref().unwrap_or(wanted.name);
    let peer = invocation.connect_to(address).await?;
    let there: HandoverStatus = ask_json(&peer, &["handover", "status"]).await?;
    let proof = if there.has_taken(&offer.id) {
        prove((root, &peer), &here, &offer, None).await.map(Some)
    } else {
        Err(CommandError::error(format!(
            "{} is not the root: it is {}, and gave the role to {} at {}, which is the root by another promotion since, or none any more",
            here.instance, here.role, wanted.name, offer.position
        ))
        .with_hint("give this command to the master"))
    };
    peer.close().await;
    proof
}

/// One switchover, once both servers have answered.
struct Switch<'a> {
    invocation: &'a mut Invocation,
    root: &'a Connection,
    /// How the old root stood at the beginning.
    here: HandoverStatus,
    address: String,
    wanted: &'a Wanted<'a>,
}

impl Switch<'_> {
    async fn begin(mut self, peer: Connection) -> Result<Option<Proof>> {
        // What a checkpoint has written nobody waits for later, when nobody can write.
        for (server, name) in [
            (&peer, self.wanted.name),
            (self.root, self.here.instance.as_str()),
        ] {
            let made = ask(server, &["checkpoint".to_owned()]).await;
            made.map_err(|failure| lost(failure, name, "nothing has changed"))?;
        }
        let began = Instant::now();
        let words = ["handover", "offer", self.wanted.name];
        let offered: HandoverStatus = ask_json(self.root, &words).await.map_err(|failure| {
            let own = &self.here.instance;
            let hint = format!(
                "it is not known whether {own} has offered its role: when it runs again, the same command goes on, or begins; with --abort it is taken back"
            );
            lost(failure, own, &hint)
        })?;
        let offer = offer_of(&offered)?;
        self.complete(peer, &offer, Some(began)).await.map(Some)
    }

    /// Goes on with one that was broken off.
    async fn go_on(mut self, peer: Connection, there: &HandoverStatus) -> Result<Option<Proof>> {
        let offer = offer_of(&self.here)?;
        if there.has_taken(&offer.id) {
            let proof = prove((self.root, &peer), &self.here, &offer, None).await;
            peer.close().await;
            return proof.map(Some);
        }
        if !self.wanted.abort {
            return self.complete(peer, &offer, None).await.map(Some);
        }
        let proof = self.take_back(Some(peer), &offer).await?;
        if proof.is_none() {
            let line = format_args!("aborted: {} is the master as before", self.here.instance);
            self.invocation.output.line(line)?;
        }
        Ok(proof)
    }

    async fn complete(
        &mut self,
        peer: Connection,
        offer: &Offer,
        began: Option<Instant>,
    ) -> Result<Proof> {
        let at_most = format!("{}ms", self.wanted.timeout.as_millis());
        let commit = offer.commit.to_string();
        let Offer {
            id, position, hash, ..
        } = offer;
        let words = ["handover", "take", id, position, hash, &commit, &at_most];
        let taken = ask_json::<HandoverStatus>(&peer, &words).await;
        let taken = taken.map_err(|failure| {
            lost(
                failure,
                self.wanted.name,
                "the same command begins it again, once both servers answer",
            )
        });
        let Err(why) = taken else {
            let took = began.map(|began| began.elapsed());
            let proof = prove((self.root, &peer), &self.here, offer, took).await;
            peer.close().await;
            return proof;
        };
        match self.take_back(Some(peer), offer).await {
            Ok(Some(proof)) => Ok(proof),
            Ok(None) => {
                let message = format!(
                    "{}; {} is the master as before",
                    why.message, self.here.instance
                );
                Err(CommandError { message, ..why })
            }
            Err(failure) => {
                let message = format!("{}; {}", why.message, failure.message);
                Err(CommandError { message, ..failure })
            }
        }
    }

    /// The slave has not become the root, or nobody knows: it is asked to refuse, and the old root goes on. The proof, where
    /// the slave turns out to be the root.
    async fn take_back(
        &mut self,
        mut peer: Option<Connection>,
        offer: &Offer,
    ) -> Result<Option<Proof>> {
        let mut last = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            match self.ask_to_refuse(peer.take(), offer).await {
                Ok(Some(proof)) => return Ok(Some(proof)),
                Ok(None) => {
                    let words = ["handover", "withdraw", &offer.id];
                    let withdrawn = ask_json::<HandoverStatus>(self.root, &words).await;
                    withdrawn.map_err(|failure| lost(failure, &self.here.instance, GOES_ON))?;
                    return Ok(None);
                }
                Err(failure) => last = failure.message,
            }
        }
        Err(CommandError::error(format!(
            "whether {} has become the root is not known, so {} stays read-only: {last}",
            self.wanted.name, self.here.instance
        ))
        .with_hint("when the slave answers again, the same command goes on, and with --abort takes it back; if it is gone for good and was never the root: 'dbctl replication promote --force' on the old one"))
    }

    /// `None`: it never becomes the root by this handover. The proof: it is that already.
    async fn ask_to_refuse(
        &mut self,
        peer: Option<Connection>,
        offer: &Offer,
    ) -> Result<Option<Proof>> {
        let peer = match peer {
            Some(peer) => peer,
            None => self.invocation.connect_to(&self.address).await?,
        };
        let commit = offer.commit.to_string();
        let Offer {
            id, position, hash, ..
        } = offer;
        let words = ["handover", "refuse", id, position, hash, &commit];
        let there: HandoverStatus = ask_json(&peer, &words).await?;
        let proof = if there.has_taken(&offer.id) {
            Some(prove((self.root, &peer), &self.here, offer, None).await?)
        } else {
            None
        };
        peer.close().await;
        Ok(proof)
    }
}

fn offer_of(stand: &HandoverStatus) -> Result<Offer> {
    let known = (&stand.id, &stand.position, &stand.hash, stand.commit);
    let (Some(id), Some(position), Some(hash), Some(commit)) = known else {
        return Err(
            CommandError::error("the answer to 'handover offer' can't be read")
                .with_hint("is dbctl of the version of the servers?"),
        );
    };
    Ok(Offer {
        id: id.clone(),
        position: position.clone(),
        hash: hash.clone(),
        commit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_does_not_come_has_the_name_of_the_server_and_the_way_on() {
        let told = lost(CommandError::unreachable("closed"), "south", GOES_ON);
        assert_eq!(told.message, "the answer of south did not come: closed");
        let hint = told.hint.expect("a hint");
        assert!(
            hint.contains("same command") && hint.contains("--abort"),
            "{hint}"
        );
        let refused = lost(CommandError::error("no"), "south", GOES_ON);
        assert_eq!((refused.message.as_str(), refused.hint), ("no", None));
    }

    #[test]
    fn a_server_of_before_is_named_with_a_state_of_its_own() {
        let told = |message: &str, name: &str| too_old(CommandError::error(message), name).message;
        let unknown = "unknown command 'handover'; try 'help'";
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            told(unknown, MASTER),
            format!(
                "a switchover needs version {version} of the master, which has an older one (R0110)"
            )
        );
        assert_eq!(
            told(unknown, "south"),
            format!(
                "a switchover needs version {version} of south, which has an older one (R0111)"
            )
        );
        assert_eq!(told("no", MASTER), "no");
    }
}
