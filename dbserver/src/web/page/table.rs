//! Tables, which become lists of cards on a small screen.

use std::fmt::Display;

use crate::web::page::html::Html;

/// A column, whose cells are set as their kind is.
pub(super) struct Column {
    name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// What the line is about.
    Title,
    /// May be broken into lines.
    Words,
    /// Stays on one line.
    Short,
    /// Stands under its like.
    Figures,
}

/// The column that says what the line is about.
pub(super) const fn title(name: &'static str) -> Column {
    let kind = Kind::Title;
    Column { name, kind }
}

/// A column of words.
pub(super) const fn words(name: &'static str) -> Column {
    let kind = Kind::Words;
    Column { name, kind }
}

/// A column of words that stay on one line.
pub(super) const fn short(name: &'static str) -> Column {
    let kind = Kind::Short;
    Column { name, kind }
}

/// A column of figures.
pub(super) const fn figures(name: &'static str) -> Column {
    let kind = Kind::Figures;
    Column { name, kind }
}

impl Column {
    fn head(&self) -> &'static str {
        match self.kind {
            Kind::Figures => "<th scope=\"col\" class=\"n\">",
            Kind::Title | Kind::Words | Kind::Short => "<th scope=\"col\">",
        }
    }

    fn cell(&self) -> &'static str {
        match self.kind {
            Kind::Title => "<td class=\"title\" data-label=\"",
            Kind::Words => "<td data-label=\"",
            Kind::Short => "<td class=\"short\" data-label=\"",
            Kind::Figures => "<td class=\"n\" data-label=\"",
        }
    }
}

/// Writes a table. A cell without a text is a dash.
pub(super) fn write(html: &mut Html, columns: &[Column], rows: Vec<Vec<Option<String>>>) {
    html.raw("<table><thead><tr>");
    for column in columns {
        html.raw(column.head()).raw(column.name).raw("</th>");
    }
    html.raw("</tr></thead><tbody>");
    for row in rows {
        html.raw("<tr>");
        for (column, cell) in columns.iter().zip(row) {
            html.raw(column.cell()).raw(column.name).raw("\">");
            match cell.filter(|text| !text.is_empty()) {
                Some(text) => html.text(text),
                None => html.raw("<span class=\"none\">–</span>"),
            };
            html.raw("</td>");
        }
        html.raw("</tr>");
    }
    html.raw("</tbody></table>");
}

/// Names with their values.
pub(super) struct List<'a>(pub(super) &'a mut Html);

impl List<'_> {
    /// A line.
    pub(super) fn entry(&mut self, name: &'static str, value: impl Display) -> &mut Self {
        self.0
            .raw("<div><dt>")
            .raw(name)
            .raw("</dt><dd>")
            .text(value)
            .raw("</dd></div>");
        self
    }

    /// A line, if there is something to say.
    pub(super) fn maybe(&mut self, name: &'static str, value: Option<impl Display>) -> &mut Self {
        if let Some(value) = value {
            self.entry(name, value);
        }
        self
    }
}
