//! Messages for the client that are no errors, until they are sent.

use dialect::Notice;
use pgtypes::SqlState;

use crate::session::settings::Settings;

/// What is to be sent before the statement completes.
#[derive(Default)]
pub struct Notices(Vec<Notice>);

impl Notices {
    /// Adds a warning.
    pub fn warn(&mut self, sqlstate: SqlState, message: &str) {
        self.add("WARNING", sqlstate, message);
    }

    /// Adds a message of less weight than a warning.
    pub fn notice(&mut self, message: &str) {
        self.add("NOTICE", SqlState::SUCCESSFUL_COMPLETION, message);
    }

    /// Adds a message as it is.
    pub fn push(&mut self, notice: Notice) {
        self.0.push(notice);
    }

    /// Adds what the translation has to say.
    pub fn extend(&mut self, notices: &[Notice]) {
        self.0.extend_from_slice(notices);
    }

    /// The messages since the last call that the client wants to see.
    pub fn take(&mut self, settings: &Settings) -> Vec<Notice> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let mut notices = std::mem::take(&mut self.0);
        notices.retain(|notice| settings.sends(notice.severity));
        notices
    }

    fn add(&mut self, severity: &'static str, sqlstate: SqlState, message: &str) {
        self.0.push(Notice {
            severity,
            sqlstate,
            message: message.to_owned(),
            detail: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_client_gets_what_it_wants_to_see_once() {
        let mut settings = Settings::new(HashMap::new());
        let mut notices = Notices::default();
        let mut told = |settings: &Settings| {
            notices.warn(SqlState::NO_ACTIVE_SQL_TRANSACTION, "a warning");
            notices.notice("a notice");
            let told: Vec<_> = notices
                .take(settings)
                .into_iter()
                .map(|n| n.severity)
                .collect();
            assert!(notices.take(settings).is_empty());
            told
        };
        assert_eq!(told(&settings), ["WARNING", "NOTICE"]);
        for (least, expected) in [("warning", &["WARNING"][..]), ("error", &[])] {
            let least = Some(least);
            settings
                .set("client_min_messages", least, false, false)
                .unwrap();
            assert_eq!(told(&settings), expected);
        }
    }
}
