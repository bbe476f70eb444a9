//! The progress bar of a catch-up: from what was done when, to one line.

use std::collections::VecDeque;
use std::time::Duration;

use indicatif::BinaryBytes;
use tokio::time::Instant;

/// The rate is that of so long.
const WINDOW: Duration = Duration::from_secs(10);

/// Characters of the bar itself.
const WIDTH: u64 = 20;

/// How a catch-up went on so far.
#[derive(Clone, Debug)]
pub struct CatchUp {
    /// When so many bytes were done: the newest at the end, and one that is older than the window.
    done: VecDeque<(Instant, u64)>,
}

impl CatchUp {
    /// It begins.
    pub fn begin(now: Instant) -> Self {
        Self {
            done: VecDeque::from([(now, 0)]),
        }
    }

    /// So many bytes are done, of so many. What matters most stands first: the terminal may be narrow.
    pub fn line(&mut self, now: Instant, done: u64, all: u64) -> String {
        self.done.push_back((now, done));
        while let Some((second, _)) = self.done.get(1)
            && now.duration_since(*second) >= WINDOW
        {
            self.done.pop_front();
        }
        let rate = self.bytes_per_second();
        let left = match (all.saturating_sub(done), rate) {
            (0, _) => time_to_go(0),
            (_, 0) => "-:--".to_owned(),
            (left, rate) => time_to_go(left.div_ceil(rate)),
        };
        let part = |of: u64| of * done.min(all) / all.max(1);
        let full = usize::try_from(part(WIDTH)).unwrap_or_default();
        let open = usize::try_from(WIDTH).unwrap_or_default() - full;
        format!(
            "{} of {}, {}/s, {left} to go, {:3} % {}{}",
            BinaryBytes(done),
            BinaryBytes(all),
            BinaryBytes(rate),
            part(100),
            "█".repeat(full),
            "░".repeat(open)
        )
    }

    fn bytes_per_second(&self) -> u64 {
        let (Some((begin, before)), Some((end, after))) = (self.done.front(), self.done.back())
        else {
            return 0;
        };
        let micros = end.duration_since(*begin).as_micros();
        let bytes = u128::from(after.saturating_sub(*before)) * 1_000_000;
        let rate = bytes.checked_div(micros).unwrap_or_default();
        u64::try_from(rate).unwrap_or(u64::MAX)
    }
}

fn time_to_go(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// The last line after so many MiB done, one number each second, of so many in all.
    fn after(mebibytes: &[u64], all: u64) -> String {
        let begun = Instant::now();
        let mut catch_up = CatchUp::begin(begun);
        let mut line = String::new();
        for (done, second) in mebibytes.iter().zip(1..) {
            line = catch_up.line(begun + Duration::from_secs(second), done * MIB, all * MIB);
        }
        line
    }

    #[test]
    fn a_line_has_bytes_rate_and_time_to_go() {
        assert_eq!(
            after(&[10, 20], 80),
            "20.00 MiB of 80.00 MiB, 10.00 MiB/s, 0:06 to go,  25 % █████░░░░░░░░░░░░░░░"
        );
        assert_eq!(
            after(&[1], 4000),
            "1.00 MiB of 3.91 GiB, 1.00 MiB/s, 1:06:39 to go,   0 % ░░░░░░░░░░░░░░░░░░░░"
        );
    }

    #[test]
    fn before_anything_has_arrived_no_time_is_made_up() {
        assert_eq!(
            after(&[0, 0], 80),
            "0 B of 80.00 MiB, 0 B/s, -:-- to go,   0 % ░░░░░░░░░░░░░░░░░░░░"
        );
        assert!(after(&[], 80).is_empty());
        assert!(after(&[80], 80).contains(" 0:00 to go, 100 % ████████████████████"));
        // The log may grow, or the slave have more than was meant.
        assert!(after(&[90], 80).contains(" 0:00 to go, 100 % "));
        assert!(after(&[0], 0).contains(" 0:00 to go, "));
    }

    #[test]
    fn the_rate_is_that_of_the_last_ten_seconds() {
        // Fast for 20 s, then 1 MiB a second for 10 s.
        let done: Vec<u64> = (1..=20)
            .map(|second| second * 50)
            .chain(1001..=1010)
            .collect();
        let line = after(&done, 1020);
        assert!(line.contains(", 1.00 MiB/s, 0:10 to go, "), "{line}");
    }
}
