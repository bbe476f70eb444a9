//! The page that a person reads: one document without any other resource, light and dark, for any width.

mod chart;
mod figures;
mod html;
mod mood;
mod replication;
mod sections;
mod table;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use ring::digest;

use crate::web::page::html::Html;
use crate::web::page::mood::Mood;
use crate::web::view::View;

/// The one style sheet, which stands in the page.
const STYLE: &str = include_str!("style.css");

/// What a browser may do with any answer of ours: show this style, and nothing from elsewhere; run nothing.
pub(super) fn policy() -> HeaderValue {
    let hash = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    // Base64 has no character that a header may not have; without a style the page can still be read.
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The document.
pub(super) fn render(view: &View) -> String {
    let alerts = mood::alerts(view);
    let mood = alerts.first().map_or(Mood::Good, |worst| worst.mood);
    let mut html = Html::default();
    head(&mut html, view);
    banner(&mut html, view, mood);
    html.raw("<main>");
    sections::alerts(&mut html, &alerts);
    sections::tiles(&mut html, view);
    replication::section(&mut html, view);
    sections::sessions(&mut html, view);
    html.raw("<div class=\"pair\">");
    sections::databases(&mut html, view);
    sections::forward_log(&mut html, view);
    html.raw("</div>");
    sections::disks(&mut html, view);
    sections::messages(&mut html, view);
    html.raw("</main><footer>The same as <a href=\"status.json\">JSON</a> and as <a href=\"metrics\">metrics</a>. Times are UTC. The page is renewed every 10 seconds.</footer></body></html>\n");
    html.into_text()
}

fn head(html: &mut Html, view: &View) {
    html.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta http-equiv=\"refresh\" content=\"10\"><meta name=\"robots\" content=\"noindex\"><link rel=\"icon\" href=\"data:,\"><title>")
        .text(&view.status.instance)
        .raw(" – eloqdb</title><style>")
        .raw(STYLE)
        .raw("</style></head>");
}

fn banner(html: &mut Html, view: &View, mood: Mood) {
    html.raw("<body><header class=\"top\"><div><p class=\"brand\">eloqdb <span>")
        .text(view.status.version)
        .raw("</span></p><h1>")
        .text(&view.status.instance)
        .raw("</h1><p class=\"role\">")
        .text(view.status.role)
        .raw("</p></div><div class=\"now\"><p class=\"pill large ")
        .raw(mood.class())
        .raw("\">")
        .raw(mood.word())
        .raw("</p><p class=\"soft\">")
        .text(figures::moment(view.as_of))
        .raw("</p><p class=\"soft\">serving for ")
        .text(figures::span(view.uptime()))
        .raw("</p></div></header>");
}
