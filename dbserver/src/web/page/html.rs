//! A text of HTML in which whatever is not of the program itself is escaped: the types leave no other way.

use std::fmt::{self, Display, Write};

/// A document under way.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup, which the program has itself.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Anything else, as text or as the value of a quoted attribute.
    pub(super) fn text(&mut self, value: impl Display) -> &mut Self {
        write!(Escaping(&mut self.0), "{value}").expect("a String takes all");
        self
    }

    /// All of it.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// Escapes what is written through it.
struct Escaping<'a>(&'a mut String);

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // A browser shows none of them, or turns the text around them.
                c if c.is_control() || is_direction(c) => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

/// Marks that change the direction of the text behind them.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_markup_of_ours_is_no_markup() {
        let mut html = Html::default();
        html.raw("<b title=\"")
            .text("\"'><script>alert(1)</script>&amp;\u{1b}\u{202e}")
            .raw("\">");
        assert_eq!(
            html.into_text(),
            "<b title=\"&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;\u{fffd}\u{fffd}\">"
        );
    }
}
