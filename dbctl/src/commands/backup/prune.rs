//! `backup prune`

use dbconfig::value;
use fwlog::Timestamp;
use repository::{Fate, KeepRules, PrunePlan, plan_prune, prune};
use serde_json::json;

use super::open::{Opened, bytes};
use crate::backup_args::PruneArguments;
use crate::commands::archive::Named;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::{self, Table};

pub(super) fn run(invocation: &Invocation, arguments: &PruneArguments) -> Result<()> {
    let time = |option: &str, text: &str| {
        value::duration(text).map_err(|why| CommandError::usage(format!("--{option}: {why}")))
    };
    let history = arguments.keep_history.as_deref();
    let history = history.map(|text| time("keep-history", text)).transpose()?;
    let named = Named::of(invocation, &arguments.url)?;
    let mut rules = KeepRules {
        history: history.unwrap_or_default(),
        daily: arguments.keep_daily.unwrap_or(0),
        weekly: arguments.keep_weekly.unwrap_or(0),
        monthly: arguments.keep_monthly.unwrap_or(0),
    };
    // All of one place: two that are put together would be rules that nobody has written.
    if let Some(archive) = named.archive.filter(|_| rules == KeepRules::default()) {
        let dbconfig::KeepBackups {
            history,
            daily,
            weekly,
            monthly,
        } = archive.keep;
        rules = KeepRules {
            history,
            daily,
            weekly,
            monthly,
        };
    }
    if rules == KeepRules::default() {
        return Err(CommandError::usage(
            "nothing says what is to be kept: only the newest backup would be",
        )
        .with_hint("give --keep-history, --keep-daily, --keep-weekly or --keep-monthly, or the keys of these names in [Archive NAME], and the name"));
    }
    let grace = time("grace", &arguments.grace)?;
    let opened = Opened::open(&named.place, arguments.environment.as_deref(), None)?;
    let all = (&opened.backups, &opened.catalog);
    let now = Timestamp::now();
    let plan = plan_prune(all, &rules, now, grace)?;
    if !arguments.dry_run {
        prune(all, &plan, now)?;
    }
    tell(invocation, &plan, arguments.dry_run)
}

/// What becomes of a backup, in words.
fn words(fate: Fate) -> String {
    match fate {
        Fate::Kept(reason) => format!("kept: {}", reason.words()),
        Fate::Unreadable => "kept: it can't be read, 'backup verify' says why".to_owned(),
        Fate::UnderWay => "unfinished: it may be under way".to_owned(),
        Fate::Marked => "marked, to be removed later".to_owned(),
        Fate::Waits(at) => format!("marked, to be removed from {at} on"),
        Fate::Removed => "removed".to_owned(),
    }
}

fn tell(invocation: &Invocation, plan: &PrunePlan, dry_run: bool) -> Result<()> {
    let freed: u64 = plan.packs.iter().map(|(_, bytes)| bytes).sum();
    if invocation.output.json {
        let backups = plan.backups.iter();
        let backups =
            backups.map(|(id, fate)| json!({ "backup": id.to_string(), "fate": words(*fate) }));
        return output::json(&json!({
            "dry_run": dry_run,
            "backups": backups.collect::<Vec<_>>(),
            "packs_removed": plan.packs.len(),
            "bytes_removed": freed,
            "packs_stay": plan.packs_stay,
        }));
    }
    let mut table = Table::new(&["backup", "what becomes of it"]);
    for (id, fate) in &plan.backups {
        table.push([id.to_string(), words(*fate)]);
    }
    invocation.output.result(&table)?;
    let done = if dry_run {
        "would be removed"
    } else {
        "removed"
    };
    let packs = match &plan.packs_stay {
        Some(why) => format!("packs that no backup has stay: {why}"),
        None => format!("{} packs {done}, {}", plan.packs.len(), bytes(freed)),
    };
    invocation.output.line(packs)
}
