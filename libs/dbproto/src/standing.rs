//! How replication to one slave stands, in the words that both sides show.

use std::fmt;
use std::str::FromStr;

use crate::{Refuse, state};

/// How replication to one slave stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The slave has what the source has, but for what is on its way.
    Following,
    /// It gets what it lacks.
    CatchingUp,
    /// It gets a copy of the source's state: the log can't tell it what it lacks.
    Copying,
    /// A person's filter at the source has stopped the log.
    Held,
    /// It does not apply what it has, or can't keep what comes.
    Suspended,
    /// Its log and the source's differ.
    Diverged,
    /// It has all of the source's log, and goes on where that ends.
    Ahead,
    /// The source keeps no forward log.
    LogOff,
    /// The source's log does not hold what the slave needs next.
    LogMissing,
    /// The source's log is damaged where the slave needs it next.
    LogDamaged,
    /// One of the two won't talk to the other.
    Refused,
    /// Two slaves have the name of this one.
    NotUnique,
    /// dbrepl runs, and the source's server does not.
    SourceSilent,
    /// dbrepl runs, and the source's server was stopped cleanly.
    SourceStopped,
    /// Nothing comes from the other side.
    NotConnected,
}

/// What is wrong, for those who must do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Nothing is.
    Ok,
    /// It may come right by itself.
    Warning,
    /// Replication stands still.
    Critical,
}

impl Standing {
    /// Whether how much the slave lacks can be told by the ends of the two logs: they are one history.
    pub fn has_lag(self) -> bool {
        !matches!(
            self,
            Self::Copying
                | Self::Diverged
                | Self::Ahead
                | Self::LogOff
                | Self::Refused
                | Self::NotUnique
        )
    }

    /// Whether the slave can go on from the source's log, or could if both talked to each other.
    pub fn lives_on_the_log(self) -> bool {
        !matches!(self, Self::Diverged | Self::LogOff | Self::LogMissing)
    }

    /// Whether where a slave of this standing is tells what of the source's log it needs: the two are one history.
    pub fn tells_what_is_needed(self) -> bool {
        match self {
            Self::Following
            | Self::CatchingUp
            | Self::Held
            | Self::Suspended
            | Self::LogDamaged
            | Self::SourceSilent
            | Self::SourceStopped
            | Self::NotConnected => true,
            // A log that it lacks already is not what it needs of this one, and two slaves need two things.
            Self::Copying
            | Self::Diverged
            | Self::Ahead
            | Self::LogOff
            | Self::LogMissing
            | Self::Refused
            | Self::NotUnique => false,
        }
    }

    const ALL: [Self; 15] = [
        Self::Following,
        Self::CatchingUp,
        Self::Copying,
        Self::Held,
        Self::Suspended,
        Self::Diverged,
        Self::Ahead,
        Self::LogOff,
        Self::LogMissing,
        Self::LogDamaged,
        Self::Refused,
        Self::NotUnique,
        Self::SourceSilent,
        Self::SourceStopped,
        Self::NotConnected,
    ];

    /// What to do about two slaves of one name.
    pub const NAME_EACH: &str = "give each its own Instance (section [Server] of its eloqdb.cfg), restart it, and forget the name that is left ('dbctl replication forget NAME' on the master)";

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Following => "following",
            Self::CatchingUp => "catching up",
            Self::Copying => "copying",
            Self::Held => "held",
            Self::Suspended => "suspended",
            Self::Diverged => "diverged",
            Self::Ahead => "ahead of its source",
            Self::LogOff => "forward logging off",
            Self::LogMissing => "log missing",
            Self::LogDamaged => "log damaged",
            Self::Refused => "refused",
            Self::NotUnique => "not unique",
            Self::SourceSilent => "source silent",
            Self::SourceStopped => "source stopped",
            Self::NotConnected => "not connected",
        }
    }

    /// What a refusal means; `None` where it says nothing of the slave: another dbrepl feeds it.
    pub fn of_refusal(refuse: &Refuse) -> Option<Self> {
        let is = |state: pgtypes::SqlState| refuse.sqlstate == state.as_str();
        if is(state::IN_USE) {
            return None;
        }
        let has_left = [
            state::DIVERGED,
            state::LEFT_BEHIND,
            state::NO_HISTORY,
            state::NEEDS_REJOIN,
        ];
        Some(if is(state::NAME_TAKEN) {
            Self::NotUnique
        } else if has_left.into_iter().any(is) {
            Self::Diverged
        } else if is(state::AHEAD) {
            Self::Ahead
        } else if is(state::LOG_OFF) {
            Self::LogOff
        } else if is(state::LOG_MISSING) {
            Self::LogMissing
        } else if is(state::SOURCE_DAMAGED) {
            Self::LogDamaged
        } else if is(state::DISK_FULL) || is(state::IO_ERROR) {
            Self::Suspended
        } else if refuse.is_transient() {
            Self::NotConnected
        } else {
            Self::Refused
        })
    }

    /// Whether the two talk to each other.
    pub fn is_connected(self) -> bool {
        matches!(
            self,
            Self::Following
                | Self::CatchingUp
                | Self::Copying
                | Self::Held
                | Self::Suspended
                | Self::SourceSilent
                | Self::SourceStopped
        )
    }

    /// How bad it is.
    pub fn weight(self) -> Weight {
        match self {
            Self::Following => Weight::Ok,
            Self::CatchingUp | Self::Copying => Weight::Warning,
            _ => Weight::Critical,
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Standing {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        let known = Self::ALL.into_iter();
        known
            .into_iter()
            .find(|standing| standing.as_str() == word)
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for standing in Standing::ALL {
            assert_eq!(standing.as_str().parse(), Ok(standing));
        }
        assert_eq!("asleep".parse::<Standing>(), Err(()));
    }

    #[test]
    fn refusals_are_states_of_the_slave_but_for_a_second_dbrepl() {
        for (state, standing) in [
            (state::DIVERGED, Some(Standing::Diverged)),
            (state::AHEAD, Some(Standing::Ahead)),
            (state::LOG_OFF, Some(Standing::LogOff)),
            (state::LOG_MISSING, Some(Standing::LogMissing)),
            (state::SOURCE_DAMAGED, Some(Standing::LogDamaged)),
            (state::DISK_FULL, Some(Standing::Suspended)),
            (state::ADMIN_SHUTDOWN, Some(Standing::NotConnected)),
            (state::OTHER_ENVIRONMENT, Some(Standing::Refused)),
            (state::SAME_NAME, Some(Standing::Refused)),
            (state::LEFT_BEHIND, Some(Standing::Diverged)),
            (state::NO_HISTORY, Some(Standing::Diverged)),
            (state::TWO_ROOTS, Some(Standing::Refused)),
            (state::IN_USE, None),
            (state::NAME_TAKEN, Some(Standing::NotUnique)),
            (state::CYCLE, Some(Standing::Refused)),
            (state::TOO_DEEP, Some(Standing::Refused)),
        ] {
            let refuse = Refuse::new(state, "no");
            assert_eq!(Standing::of_refusal(&refuse), standing, "{state}");
        }
    }
}
