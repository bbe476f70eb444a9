//! The part of the page about slaves: on a master each of them, on a slave itself.

use crate::databases::Role;
use crate::environment::replication_status::ReplicationStatus;
use crate::process::bytes;
use crate::web::page::html::Html;
use crate::web::page::mood::Mood;
use crate::web::page::table::List;
use crate::web::page::{chart, figures};
use crate::web::view::View;

/// All of it.
pub(super) fn section(html: &mut Html, view: &View) {
    html.raw("<section><h2>Replication</h2>");
    let slaves = &view.status.replication;
    if slaves.is_empty() {
        html.raw("<p class=\"empty\">").raw(match view.role {
            Role::Standalone => "A standalone server: nobody follows it.",
            Role::Master => "No slave is known. A dbrepl beside this master makes one known.",
            Role::Slave => "Nothing is known of a source.",
        });
        html.raw("</p>");
    }
    for slave in slaves {
        card(html, view, slave);
    }
    html.raw("</section>");
}

fn card(html: &mut Html, view: &View, slave: &ReplicationStatus) {
    let mood = Mood::from(slave.state.0.weight());
    html.raw("<article class=\"card slave\"><header><h3>")
        .text(&slave.slave)
        .raw("</h3><p class=\"pill ")
        .raw(mood.class())
        .raw("\">")
        .text(slave.state)
        .raw("</p><p class=\"soft\">for ")
        .text(figures::age(slave.since, view.as_of))
        .raw("</p></header>");
    if let Some(reason) = &slave.reason {
        html.raw("<p class=\"reason\">").text(reason).raw("</p>");
    }
    html.raw("<div class=\"split\"><dl class=\"lags\">");
    let unknown = || "unknown".to_owned();
    let lags = [
        ("Lag", slave.lag_in_seconds.map(figures::lag)),
        ("Commits behind", slave.lag_in_commits.map(figures::grouped)),
        ("Log behind", slave.lag_in_bytes.map(bytes)),
    ];
    for (name, value) in lags {
        html.raw("<div><dt>")
            .raw(name)
            .raw("</dt><dd>")
            .text(value.unwrap_or_else(unknown))
            .raw("</dd></div>");
    }
    html.raw("</dl>");
    let known = view
        .lag_history
        .iter()
        .find(|known| known.slave == slave.slave);
    let samples = known
        .map(|known| known.samples.as_slice())
        .unwrap_or_default();
    chart::draw(html, samples, view.as_of.0);
    html.raw("</div><dl class=\"facts\">");
    let is_slave = view.role == Role::Slave;
    let by = slave.suspended_by.as_ref().map(|by| {
        format!(
            "session {} of {} in {}, mode {}, since {}",
            by.session,
            by.user,
            by.database,
            by.mode,
            figures::moment(by.since)
        )
    });
    List(html)
        .maybe("Suspended by", by)
        .maybe("Source", slave.source.as_ref().filter(|_| is_slave))
        .maybe(
            if is_slave { "Its dbrepl" } else { "Address" },
            slave.address.as_ref(),
        )
        .maybe("Last heard of", slave.last_heard_of.map(figures::moment))
        .maybe(
            "Source has",
            slave.source_durable.as_ref().map(figures::point),
        )
        .maybe("Received", slave.received.as_ref().map(figures::point))
        .maybe("Durable", slave.durable.as_ref().map(figures::point))
        .maybe("Applied", slave.applied.as_ref().map(figures::point));
    html.raw("</dl></article>");
}
