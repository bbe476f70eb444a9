//! `peer …`: what a server that was the root asks of the others before it writes again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dbproto::Progress;
use fwlog::{ChainHash, Follow, FollowItem, LogPoint, Position};
use peers::introduction::{Introduction, LogEnd};

use crate::control_plane::{Call, Table};
use crate::environment::Environment;
use crate::environment::log::read_error;
use crate::error::EngineError;

const USAGE: &str = "usage: peer introduce POSITION | log POSITION HASH";
/// Bytes of log that are given at once, about.
const AT_ONCE: usize = 1 << 20;

/// Who this is and what its log is, or a piece of it.
pub(crate) fn peer(call: &Call<'_>) -> Result<Table, EngineError> {
    let environment = call.environment;
    match call.arguments.as_slice() {
        ["introduce", at] => {
            let told = introduce(environment, position(at)?)?;
            let mut table = Table::list();
            table.entry("instance", &told.instance);
            table.maybe("position", told.end.as_ref().map(|end| &end.position));
            table.typed(&told)
        }
        ["log", at, hash] => {
            let hash: ChainHash = hash
                .parse()
                .map_err(|_| EngineError::Usage(format!("'{hash}' is no chain hash")))?;
            log_behind(environment, LogPoint::new(position(at)?, hash))
        }
        _ => Err(EngineError::Usage(USAGE.into())),
    }
}

fn position(text: &str) -> Result<Position, EngineError> {
    text.parse()
        .map_err(|_| EngineError::Usage(format!("{text} is no position (12-3:184320)")))
}

fn introduce(environment: &Environment, at: Position) -> Result<Introduction, EngineError> {
    let (core, config) = (environment.core(), environment.config());
    // What has come a moment ago counts: on a missing generation the other one would build.
    let history = core.instance();
    history.follow(core, environment.durable_position());
    let greeting = history.greeting();
    let end = match environment.slave() {
        Some(slave) => slave.progress().durable,
        None => environment.durable().as_ref().map(Progress::from),
    };
    let hash = core.hash_of_log(at).map_err(read_error)?;
    Ok(Introduction {
        instance: config.server.instance.clone(),
        id: greeting.speaker.id.to_string(),
        environment: core.id().map(|id| id.to_string()),
        writes: !environment.is_read_only(),
        format: fwlog::layout::header::FORMAT_VERSION,
        volume_limit: config.volumes.max_size,
        end: end.map(|end| LogEnd {
            position: end.point.position.to_string(),
            hash: end.point.hash.to_string(),
            commit: end.commit.get(),
            time: end.time.micros(),
        }),
        history: greeting.branch.iter().map(ToString::to_string).collect(),
        hash_there: hash.map(|hash| hash.to_string()),
    })
}

/// The log from this point on, as it is in the files, up to where it is durable or to about 1 MiB of it.
fn log_behind(environment: &Environment, at: LogPoint) -> Result<Table, EngineError> {
    let cannot = |error: fwlog::FollowError| {
        EngineError::state(
            format!("the log cannot be given behind {at}: {error}"),
            "'dbctl forwardlog status' shows what of the log is here.",
        )
    };
    let location = environment.core().log_location()?;
    let mut follow = Follow::start(location, at).map_err(cannot)?;
    let mut table = Table::new(&["piece", "position", "content"]);
    let mut given = 0;
    while given < AT_ONCE {
        let begins = follow.given().0.position;
        let (piece, begins, bytes) = match follow.next().map_err(cannot)? {
            FollowItem::Segment {
                id, header_bytes, ..
            } => ("segment", Position::new(id, 0), header_bytes),
            FollowItem::Blocks { bytes, .. } => ("blocks", begins, bytes),
            FollowItem::Seal { bytes } => ("seal", begins, bytes),
            FollowItem::UpToDate(_) | FollowItem::Until(_) => break,
        };
        given += bytes.len();
        table.row(vec![
            piece.to_owned(),
            begins.to_string(),
            STANDARD.encode(&bytes),
        ]);
    }
    Ok(table)
}
