//! `BackupHold`: how long, and for how much, the data files stand still for a backup.

use std::time::Duration;

use crate::value;

/// The bounds of the backup mode: what comes first ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BackupHold {
    /// So long the data files stand still.
    pub time: Duration,
    /// So many bytes of log, and of pages that the data files do not have, may gather meanwhile.
    pub bytes: u64,
}

impl BackupHold {
    /// `2h, 16g`. Neither is without end: a mode that somebody forgets would fill a disk.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let odd = || format!("`{text}` is not a time and a size; write both, for example 2h, 16g");
        let (time, size) = text.split_once(',').ok_or_else(odd)?;
        let time = value::duration(time.trim()).map_err(|_| odd())?;
        let bytes = value::size(size.trim()).map_err(|_| odd())?;
        if time.is_zero() || bytes == 0 {
            return Err("both bounds must be larger than 0".into());
        }
        Ok(Self { time, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_time_and_a_size_and_neither_is_without_end() {
        let read = BackupHold::read("90min,512m").unwrap();
        assert_eq!(read.time, Duration::from_mins(90));
        assert_eq!(read.bytes, 512 << 20);
        for odd in ["2h", "16g, 2h", "2h 16g", "2h, 16g, 1", ""] {
            let why = BackupHold::read(odd).unwrap_err();
            assert!(why.contains("2h, 16g"), "{odd}: {why}");
        }
        for endless in ["0, 16g", "2h, 0"] {
            let why = BackupHold::read(endless).unwrap_err();
            assert!(why.contains("larger than 0"), "{endless}: {why}");
        }
    }
}
