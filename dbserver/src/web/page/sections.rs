//! The parts of the page about the server itself.

use crate::databases::Role;
use crate::environment::session_status::SessionStatus;
use crate::environment::status::SpaceStatus;
use crate::process::bytes;
use crate::web::page::html::Html;
use crate::web::page::table::{self, List};
use crate::web::page::{figures, mood};
use crate::web::view::View;

/// Sessions that are shown; 'dbctl session list' has all.
const MOST_SESSIONS: usize = 200;

/// What is not as it should be.
pub(super) fn alerts(html: &mut Html, alerts: &[mood::Alert]) {
    if alerts.is_empty() {
        return;
    }
    html.raw("<ul class=\"alerts\">");
    for alert in alerts {
        html.raw("<li class=\"")
            .raw(alert.mood.class())
            .raw("\"><strong>")
            .raw(alert.about)
            .raw("</strong><span>")
            .text(&alert.text)
            .raw("</span></li>");
    }
    html.raw("</ul>");
}

/// The figures at the top.
pub(super) fn tiles(html: &mut Html, view: &View) {
    let (status, counts) = (&view.status, &view.since_start);
    let waiting = view
        .session_list
        .iter()
        .filter(|session| session.waits_for.is_some());
    let waiting = match waiting.count() {
        0 => String::new(),
        waiting => format!(", {waiting} waiting"),
    };
    let size = view
        .database_list
        .iter()
        .map(|database| database.size_bytes)
        .sum();
    let redo = status.redo_position.map(|redo| format!("redo from {redo}"));
    html.raw("<dl class=\"tiles\">");
    match view.role {
        // What is committed there, nobody commits here.
        Role::Slave => tile(
            html,
            "Newest commit",
            &figures::grouped(view.newest_commit),
            "that readers see".to_owned(),
        ),
        Role::Standalone | Role::Master => tile(
            html,
            "Commits",
            &figures::grouped(counts.commits),
            format!("{} undone", figures::grouped(counts.rollbacks)),
        ),
    }
    tile(
        html,
        "Statements",
        &figures::grouped(counts.statements),
        format!("{} failed", figures::grouped(counts.statement_failures)),
    );
    tile(
        html,
        "Sessions",
        &figures::grouped(view.session_list.len() as u64),
        format!("of {}{waiting}", figures::grouped(view.max_sessions as u64)),
    );
    tile(
        html,
        "Databases",
        &figures::grouped(view.database_list.len() as u64),
        bytes(size),
    );
    tile(
        html,
        "Not in data files",
        &bytes(status.dirty_bytes),
        redo.unwrap_or_else(|| "no redo position".to_owned()),
    );
    html.raw("</dl>");
}

fn tile(html: &mut Html, name: &'static str, value: &str, below: String) {
    html.raw("<div><dt>")
        .raw(name)
        .raw("</dt><dd>")
        .text(value)
        .raw("</dd><dd class=\"soft\">")
        .text(below)
        .raw("</dd></div>");
}

/// Who is connected.
pub(super) fn sessions(html: &mut Html, view: &View) {
    let all = &view.session_list;
    heading(
        html,
        "Sessions",
        figures::counted(all.len(), "session", "sessions"),
    );
    if all.is_empty() {
        html.raw("<p class=\"empty\">Nobody is connected.</p></section>");
        return;
    }
    let columns = [
        table::short("Session"),
        table::words("User"),
        table::words("Database"),
        table::short("Mode"),
        table::words("Application"),
        table::short("Address"),
        table::words("State"),
        table::figures("For"),
        table::words("Waits for"),
    ];
    let rows = all.iter().take(MOST_SESSIONS);
    let rows = rows.map(|session| {
        vec![
            Some(session.session.to_string()),
            Some(session.user.clone()),
            Some(session.database.clone()),
            session.mode.map(|mode| mode.to_string()),
            Some(session.application.clone()),
            Some(session.address.clone()),
            Some(state(session)),
            Some(figures::age(session.state_since, view.as_of)),
            waits_for(session),
        ]
    });
    html.raw("<div class=\"card flush\">");
    table::write(html, &columns, rows.collect());
    html.raw("</div>");
    if all.len() > MOST_SESSIONS {
        html.raw("<p class=\"soft\">")
            .text(figures::grouped((all.len() - MOST_SESSIONS) as u64))
            .raw(" more: 'dbctl session list' shows them all.</p>");
    }
    html.raw("</section>");
}

fn state(session: &SessionStatus) -> String {
    match &session.target {
        Some(target) => format!("{} to {target}", session.state),
        None => session.state.to_owned(),
    }
}

fn waits_for(session: &SessionStatus) -> Option<String> {
    let what = session.waits_for?;
    let by: Vec<String> = session.blocked_by.iter().map(ToString::to_string).collect();
    if by.is_empty() {
        return Some(what.to_owned());
    }
    Some(format!("{what}, of session {}", by.join(", ")))
}

/// The databases.
pub(super) fn databases(html: &mut Html, view: &View) {
    let all = &view.database_list;
    heading(
        html,
        "Databases",
        figures::counted(all.len(), "database", "databases"),
    );
    let columns = [
        table::title("Name"),
        table::figures("Size"),
        table::figures("Pages"),
        table::figures("Sessions"),
    ];
    let rows = all.iter().map(|database| {
        vec![
            Some(database.database.clone()),
            Some(bytes(database.size_bytes)),
            Some(figures::grouped(database.pages.into())),
            Some(figures::grouped(database.sessions as u64)),
        ]
    });
    html.raw("<div class=\"card flush\">");
    table::write(html, &columns, rows.collect());
    html.raw("</div></section>");
}

/// The forward log with its segments.
pub(super) fn forward_log(html: &mut Html, view: &View) {
    let log = &view.status.forward_log;
    let word = if log.enabled {
        "enabled"
    } else {
        "disabled: slaves can't follow"
    };
    heading(html, "Forward log", word.to_owned());
    html.raw("<div class=\"card\"><dl class=\"facts\">");
    let kept = log.kept.as_ref();
    let mut list = List(html);
    list.maybe("Durable up to", log.position)
        .maybe("Written at", log.durable_at.map(figures::moment))
        .maybe("Newest segment", log.segment.as_ref())
        .maybe(
            "Segments",
            kept.map(|kept| {
                let number = figures::counted(kept.segments, "segment", "segments");
                format!("{number}, {}", bytes(kept.bytes))
            }),
        )
        .maybe(
            "Generation since",
            kept.and_then(|kept| kept.generation_since)
                .map(figures::moment),
        )
        .maybe("Log so far", log.log_bytes.map(bytes))
        .entry("Directory", log.directory.display())
        .maybe("Segments", log.kept_error.as_ref());
    for damaged in kept.map(|kept| kept.damaged.as_slice()).unwrap_or_default() {
        list.entry("Damaged", damaged);
    }
    html.raw("</dl></div></section>");
}

/// Room on the disks.
pub(super) fn disks(html: &mut Html, view: &View) {
    heading(html, "Disk", String::new());
    html.raw("<div class=\"card disks\">");
    for space in &view.status.space {
        disk(html, space);
    }
    if view.status.space.is_empty() {
        html.raw("<p class=\"empty\">No directory can be looked at.</p>");
    }
    html.raw("</div></section>");
}

fn disk(html: &mut Html, space: &SpaceStatus) {
    let used = space.size_bytes.saturating_sub(space.free_bytes);
    let thousandths = u128::from(used) * 1000 / u128::from(space.size_bytes.max(1));
    let mood = if space.low { "warn" } else { "good" };
    html.raw("<div class=\"disk\"><p><strong>")
        .text(space.what)
        .raw("</strong> <span class=\"soft\">")
        .text(space.directory.display())
        .raw("</span></p><svg viewBox=\"0 0 1000 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"track\" width=\"1000\" height=\"8\"/><rect class=\"fill ")
        .raw(mood)
        .raw("\" width=\"")
        .text(thousandths)
        .raw("\" height=\"8\"/></svg><p>")
        .text(bytes(space.free_bytes))
        .raw(" free <span class=\"soft\">of ")
        .text(bytes(space.size_bytes))
        .raw("</span>");
    if space.low {
        html.raw(" <span class=\"pill warn\">little room</span>");
    }
    html.raw("</p></div>");
}

/// The warnings and errors of late.
pub(super) fn messages(html: &mut Html, view: &View) {
    let counts = &view.since_start;
    let told = format!(
        "{}, {} since the start",
        figures::counted(
            usize::try_from(counts.errors).unwrap_or(usize::MAX),
            "error",
            "errors"
        ),
        figures::counted(
            usize::try_from(counts.warnings).unwrap_or(usize::MAX),
            "warning",
            "warnings"
        ),
    );
    heading(html, "Last errors and warnings", told);
    if view.recent_messages.is_empty() {
        html.raw("<p class=\"empty\">None since the start of the server.</p></section>");
        return;
    }
    html.raw("<ol class=\"card messages\">");
    for message in &view.recent_messages {
        let is_error = message.level == "error";
        html.raw(if is_error {
            "<li><span class=\"pill bad\">error</span>"
        } else {
            "<li><span class=\"pill warn\">warning</span>"
        });
        html.raw("<time>")
            .text(figures::moment(message.time))
            .raw("</time><span class=\"words\">")
            .text(&message.text)
            .raw("</span></li>");
    }
    html.raw("</ol></section>");
}

fn heading(html: &mut Html, name: &'static str, beside: String) {
    html.raw("<section><h2>").raw(name);
    if !beside.is_empty() {
        html.raw(" <span class=\"soft\">")
            .text(beside)
            .raw("</span>");
    }
    html.raw("</h2>");
}
