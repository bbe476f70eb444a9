//! How the server is, in one word, and what is wrong.

use dbproto::Weight;

use crate::environment::status::SpaceStatus;
use crate::process::bytes;
use crate::web::view::View;

/// How serious something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mood {
    Good,
    Attention,
    Trouble,
}

impl Mood {
    /// The same as a class of the style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Attention => "warn",
            Self::Trouble => "bad",
        }
    }

    /// In words.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Good => "All is well",
            Self::Attention => "Needs attention",
            Self::Trouble => "Trouble",
        }
    }
}

impl From<Weight> for Mood {
    fn from(weight: Weight) -> Self {
        match weight {
            Weight::Ok => Self::Good,
            Weight::Warning => Self::Attention,
            Weight::Critical => Self::Trouble,
        }
    }
}

/// Something that a person should know of.
pub(super) struct Alert {
    pub(super) mood: Mood,
    pub(super) about: &'static str,
    pub(super) text: String,
}

/// What is not as it should be, the worst first.
pub(super) fn alerts(view: &View) -> Vec<Alert> {
    let status = &view.status;
    let log = &status.forward_log;
    let mut alerts = Vec::new();
    let mut note = |mood, about, text: Option<String>| {
        alerts.extend(text.map(|text| Alert { mood, about, text }));
    };
    let troubles = [
        ("Forward log", log.trouble_since, &log.trouble),
        (
            "Data files",
            status.data_trouble_since,
            &status.data_trouble,
        ),
        (
            "Checkpoints",
            status.checkpoint_trouble_since,
            &status.checkpoint_trouble,
        ),
    ];
    let is_told = troubles.iter().any(|(_, _, text)| text.is_some());
    for (about, since, text) in troubles {
        let since = since.map(|since| format!(" (since {since})"));
        let text = text
            .as_ref()
            .map(|text| format!("{text}{}", since.unwrap_or_default()));
        note(Mood::Trouble, about, text);
    }
    note(
        Mood::Trouble,
        "Health",
        view.unhealthy.clone().filter(|_| !is_told),
    );
    for slave in &status.replication {
        let mood = Mood::from(slave.state.0.weight());
        // Why is told beside its name.
        let text = format!("{} is {}", slave.slave, slave.state);
        note(mood, "Replication", (mood > Mood::Good).then_some(text));
    }
    let low: Vec<&SpaceStatus> = status.space.iter().filter(|space| space.low).collect();
    for space in low {
        let free = bytes(space.free_bytes);
        let text = format!(
            "{free} free for {} in {}",
            space.what,
            space.directory.display()
        );
        note(Mood::Attention, "Little room", Some(text));
    }
    let stop = status.stop_scheduled;
    note(
        Mood::Attention,
        "Stop",
        stop.map(|at| format!("at {at}; 'dbctl shutdown cancel' takes it back")),
    );
    alerts.sort_by_key(|alert| std::cmp::Reverse(alert.mood));
    alerts
}
