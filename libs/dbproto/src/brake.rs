//! What a source holds back on purpose. [`crate::BRAKE`] names it.

use std::time::Duration;

use fwlog::CommitNumber;

use crate::ProtocolError;
use crate::wire::{FieldReader, FieldWriter};

/// What a source holds back on purpose: that is no trouble.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brake {
    /// A transaction is sent no earlier than so long after its commit; zero: at once.
    pub delay: Duration,
    /// The commit before which a person's filter has stopped the log.
    pub held: Option<CommitNumber>,
}

impl Brake {
    /// Whether nothing is held back.
    pub fn is_off(self) -> bool {
        self == Self::default()
    }

    /// In words, if there is something to say.
    pub fn in_words(self) -> Option<String> {
        if let Some(held) = self.held {
            return Some(format!(
                "the filter of dbrepl holds the log before commit {}; see why, and start dbrepl again: it asks once more",
                held.get()
            ));
        }
        (!self.delay.is_zero()).then(|| format!("delayed by {}", shown(self.delay)))
    }

    pub(crate) fn write(self, out: &mut FieldWriter<'_>) {
        out.u64(u64::try_from(self.delay.as_micros()).unwrap_or(u64::MAX));
        out.optional(self.held.as_ref(), |out, held| out.commit(*held));
    }

    pub(crate) fn read(from: &mut FieldReader) -> Result<Self, ProtocolError> {
        Ok(Self {
            delay: Duration::from_micros(from.u64()?),
            held: from.optional(FieldReader::commit)?,
        })
    }
}

/// `1 h 30 min`; milliseconds where there are some.
fn shown(time: Duration) -> String {
    let (seconds, rest) = (time.as_secs(), time.subsec_millis());
    if rest > 0 {
        return format!("{} ms", time.as_millis());
    }
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_back_has_words() {
        let delayed = |milliseconds| Brake {
            delay: Duration::from_millis(milliseconds),
            held: None,
        };
        for (milliseconds, words) in [
            (3_600_000, "delayed by 1 h"),
            (5_400_000, "delayed by 1 h 30 min"),
            (1_500, "delayed by 1500 ms"),
            (61_000, "delayed by 1 min 1 s"),
        ] {
            assert_eq!(delayed(milliseconds).in_words().as_deref(), Some(words));
        }
        assert_eq!(Brake::default().in_words(), None);
        let held = Brake {
            held: Some(CommitNumber::new(7)),
            ..delayed(1000)
        };
        assert!(held.in_words().unwrap().contains("before commit 7"));
    }
}
