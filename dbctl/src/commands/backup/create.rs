//! `backup create`

use dbconfig::value;
use dbproto::base::{Asked, StageStatus};
use fwlog::HistoryLine;
use repository::{MAX_LABEL, Repository};
use serde::Deserialize;
use serde_json::json;

use super::open::bytes;
use super::taking::{Taken, Wish, take};
use crate::backup_args::CreateArguments;
use crate::base_line::BaseLine;
use crate::commands::archive::store_of;
use crate::commands::asking::ask_json;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::{self, ProgressLine, Table};

/// A generation of the server's log.
#[derive(Deserialize)]
struct Generation {
    /// As the file of the history has it.
    line: String,
}

pub(super) async fn run(invocation: &mut Invocation, arguments: CreateArguments) -> Result<()> {
    if arguments.label.len() > MAX_LABEL {
        return Err(CommandError::usage(format!(
            "--label: at most {MAX_LABEL} bytes"
        )));
    }
    let rate = arguments.rate.as_deref().map(value::bandwidth).transpose();
    let rate = rate.map_err(|why| CommandError::usage(format!("--rate: {why}")))?;
    let store = store_of(&arguments.url)?;
    let repository = Repository::open(store)?;
    let branch = branch(invocation).await?;
    let (target, mut credentials) = invocation.target()?;
    let line = BaseLine::open(&target, &mut credentials).await?;
    let version = line.version;
    let (ends, carried) = line.split(rate.map(|bits| bits / 8));
    let open = Asked::OpenCut {
        version,
        taker: "dbctl backup".to_owned(),
        pack: false,
    };
    let lost = |_| CommandError::unreachable("the connection to the server is lost");
    ends.asked.send(open).map_err(lost)?;
    let wish = Wish {
        label: arguments.label,
        full: arguments.full,
        branch,
    };
    let mut shown = ProgressLine::new();
    let taking = tokio::task::spawn_blocking(move || {
        let taken = take(&repository, &wish, ends, &mut |status| {
            shown.show(|| in_words(&status));
        });
        shown.clear();
        taken.map(|taken| (taken, repository.place()))
    });
    let (taken, ()) = tokio::join!(taking, carried);
    let taken = taken.map_err(|error| CommandError::error(format!("the backup broke: {error}")))?;
    let (taken, place) = taken?;
    tell(invocation, &taken, &place)
}

/// The generations of the server's log, so that a restored server knows what its log was.
async fn branch(invocation: &mut Invocation) -> Result<Vec<HistoryLine>> {
    let connection = invocation.control().await?;
    let known: Vec<Generation> = ask_json(connection, &["replication", "history"]).await?;
    let lines = known.iter().map(|it| it.line.parse());
    let lines: std::result::Result<_, _> = lines.collect();
    lines.map_err(|why: String| CommandError::error(format!("the history of the server: {why}")))
}

fn in_words(status: &StageStatus) -> String {
    let page = pagehash::PAGE_SIZE as u64;
    let percent = (status.done() * 100).checked_div(status.of).unwrap_or(0);
    format!(
        "{percent:3} %, {} of {} ({} were there already), {}",
        bytes(status.done() * page),
        bytes(status.of * page),
        bytes(status.equal * page),
        status.stage
    )
}

fn tell(invocation: &Invocation, taken: &Taken, place: &str) -> Result<()> {
    let (manifest, page) = (&taken.manifest, pagehash::PAGE_SIZE as u64);
    let cost = manifest.cost;
    let micros = manifest.ended.micros() - manifest.begun.micros().min(manifest.ended.micros());
    if invocation.output.json {
        let databases = manifest.databases.iter().map(|database| {
            json!({
                "name": database.name,
                "pages": database.pages,
                "checksum": database.root.to_string(),
            })
        });
        return output::json(&json!({
            "backup": manifest.id.to_string(),
            "repository": place,
            "compared_with": taken.compared.map(|id| id.to_string()),
            "commit": manifest.commit.get(),
            "time": manifest.time.to_string(),
            "log_end": manifest.log_end.map(|end| end.point.position.to_string()),
            "pages": manifest.page_count(),
            "pages_equal": cost.equal,
            "pages_taken": cost.taken,
            "bytes_stored": cost.stored,
            "packs_found": taken.found.packs,
            "bytes_found": taken.found.bytes,
            "milliseconds": micros / 1000,
            "databases": databases.collect::<Vec<_>>(),
        }));
    }
    let mut table = Table::new(&["name", "value"]);
    let compared = taken.compared;
    let compared =
        compared.map_or_else(|| "nothing: all is stored".to_owned(), |id| id.to_string());
    let rows = [
        ("backup", manifest.id.to_string()),
        ("repository", place.to_owned()),
        ("compared with", compared),
        ("commit", format!("{} ({})", manifest.commit, manifest.time)),
        ("size", bytes(manifest.page_count() * page)),
        ("read", bytes(cost.taken * page)),
        ("stored", bytes(cost.stored)),
        (
            "not sent again",
            format!("{} packs, {}", taken.found.packs, bytes(taken.found.bytes)),
        ),
        (
            "seconds",
            format!("{}.{:01}", micros / 1_000_000, micros / 100_000 % 10),
        ),
    ];
    for (name, value) in rows {
        table.push([name.to_owned(), value]);
    }
    for database in &manifest.databases {
        table.push([
            format!("checksum of {}", database.name),
            database.root.to_string(),
        ]);
    }
    invocation.output.result(&table)?;
    invocation.output.line(format_args!(
        "restore it with: dbctl -c CFG backup restore --from {place} {} DIR",
        manifest.id
    ))
}
