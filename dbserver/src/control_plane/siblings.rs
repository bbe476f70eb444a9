//! Before a slave is promoted its `Peers` are asked: one that lives as the root is no reason to promote another, and what
//! one of them has of the log, and this slave lacks, comes here first.

use std::sync::Arc;
use std::time::Duration;

use crate::asking::ask_others;
use crate::environment::Environment;
use crate::error::EngineError;
use crate::feed::get_back::{Answer, Peer, ask_peers, get_back};

/// How long all of them may take to answer.
const ANSWERS: Duration = Duration::from_secs(2);

/// Brings this slave to the end of what its peers have.
///
/// Errors: what keeps it from being promoted (R0115).
pub(super) fn catch_up(environment: &Arc<Environment>) -> Result<(), EngineError> {
    let is_alone = environment.config().replication.peers.is_empty();
    if is_alone || environment.slave().is_none() || environment.id().is_none() {
        return Ok(());
    }
    ask_others("siblings", |runtime| runtime.block_on(ask(environment)))
        .map_err(|why| cannot_ask(&why))?
}

fn cannot_ask(why: &str) -> EngineError {
    obstacle(format!("the peers can't be asked: {why}"))
}

fn obstacle(obstacle: String) -> EngineError {
    EngineError::CannotLead {
        obstacle,
        hint: Some(
            "--force makes this slave the root all the same; what the other one has and this one has not is not here then."
                .to_owned(),
        ),
    }
}

async fn ask(environment: &Arc<Environment>) -> Result<(), EngineError> {
    let end = environment.branch_end().map(|end| end.point);
    let mut ahead: Vec<Peer> = Vec::new();
    for (address, answer) in ask_peers(environment, end, ANSWERS).await {
        let peer = match answer {
            Ok(Answer::Peer(peer)) => *peer,
            Ok(Answer::Own | Answer::Empty) => continue,
            Err(why) => {
                tracing::info!(%address, "a peer was not asked before the promotion: {why}");
                continue;
            }
        };
        let name = &peer.told.instance;
        if peer.told.writes {
            return Err(EngineError::CannotLead {
                obstacle: format!("{name} is alive and is the root"),
                hint: Some(format!(
                    "To change the root while both run: 'dbctl replication switchover' on {name}. --force makes this slave a root all the same: then there are two."
                )),
            });
        }
        match environment.goes_on_here(&peer.log) {
            Some(_) if peer.has_point => ahead.push(peer),
            Some(theirs) => {
                return Err(obstacle(
                    environment.forked(&peer.log, theirs.point.position),
                ));
            }
            None => {}
        }
    }
    ahead.sort_by_key(|peer| peer.log.end.point.position);
    let Some(peer) = ahead.pop() else {
        return Ok(());
    };
    let (name, theirs) = (&peer.told.instance, peer.log.end);
    let own = end.map_or_else(|| "nowhere".to_owned(), |at| at.position.to_string());
    get_back(environment, &peer).await.map_err(|why| {
        obstacle(format!(
            "{name} is ahead, at {} (commit {}), and this slave at {own}; it does not give what is between: {why}",
            theirs.point.position, theirs.commit
        ))
    })?;
    tracing::info!(
        from = name,
        up_to = %theirs.point.position,
        "what a sibling had and this slave had not is here now"
    );
    Ok(())
}
