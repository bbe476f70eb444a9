//! A failure that comes again and again is one line, then a count.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long what was told is only counted: first, and each time that it goes on.
const PAUSES: [Duration; 3] = [
    Duration::from_mins(1),
    Duration::from_mins(10),
    Duration::from_hours(1),
];

/// So often it is told before it is only counted: two incidents are not yet a habit.
const BURST: u32 = 3;

/// Different failures that are remembered. Of more, those of peers count as one, whatever the peer: there are more
/// addresses than a log has room for. All else is told each time.
const MOST: usize = 100;

/// What stands before the host of a peer.
const HOST: &str = " host=";

/// What has happened, of the words of a failure: what a peer does again and again is one failure, whatever user
/// name or database it tries. Who tells of a peer gives its host first.
fn happening(words: &str) -> &str {
    let Some(at) = words.find(HOST) else {
        return words;
    };
    let value = at + HOST.len();
    let length = words[value..].find(' ').unwrap_or(words.len() - value);
    &words[..value + length]
}

/// The failures that were told lately, by what has happened.
#[derive(Debug, Default)]
pub(super) struct Repeats(BTreeMap<String, Repeat>);

#[derive(Debug)]
struct Repeat {
    told: Instant,
    /// Which pause it is in.
    pause: usize,
    /// How often it was told in that pause, and how often it came beyond that.
    lines: u32,
    count: u64,
}

impl Repeat {
    fn is_over(&self, now: Instant) -> bool {
        let pause = PAUSES.get(self.pause).or(PAUSES.last());
        let pause = pause.copied().unwrap_or_default();
        now.saturating_duration_since(self.told) >= pause
    }
}

impl Repeats {
    /// Whether a failure is told now; else it is counted.
    pub(super) fn tell(&mut self, words: &str, now: Instant) -> bool {
        let mut words = happening(words);
        let mut has_room = self.0.len() < MOST;
        if !has_room
            && !self.0.contains_key(words)
            && let Some((what, _)) = words.split_once(HOST)
        {
            // There are a few such texts.
            (words, has_room) = (what, true);
        }
        if let Some(repeat) = self.0.get_mut(words) {
            let told = repeat.pause == 0 && repeat.lines < BURST;
            repeat.lines += u32::from(told);
            repeat.count += u64::from(!told);
            return told;
        }
        if has_room {
            let repeat = Repeat {
                told: now,
                pause: 0,
                lines: 1,
                count: 0,
            };
            self.0.insert(words.to_owned(), repeat);
        }
        true
    }

    /// A part of the server tells of something else than a failure: what fails afterwards is news. The words
    /// begin with the level and the part.
    pub(super) fn news_of(&mut self, part: &str) {
        self.0
            .retain(|words, _| words.split_whitespace().nth(1) != Some(part));
    }

    /// What has come again meanwhile, with how often. What has not is forgotten.
    pub(super) fn due(&mut self, now: Instant) -> Vec<(String, u64)> {
        let mut due = Vec::new();
        self.0.retain(|words, repeat| {
            if !repeat.is_over(now) {
                return true;
            }
            if repeat.count == 0 {
                return false;
            }
            due.push((words.clone(), repeat.count));
            *repeat = Repeat {
                told: now,
                pause: (repeat.pause + 1).min(PAUSES.len() - 1),
                lines: 1,
                count: 0,
            };
            true
        });
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_once_and_counted_ever_more_seldom() {
        let begin = Instant::now();
        let mut repeats = Repeats::default();
        let mut lines = 0_u64;
        let mut counted = 0;
        // A day of a failure each second.
        for second in 0..86_400 {
            let now = begin + Duration::from_secs(second);
            lines += u64::from(repeats.tell("no room", now));
            for (words, count) in repeats.due(now) {
                assert_eq!(words, "no room");
                lines += 1;
                counted += count;
            }
        }
        assert!(lines < 30, "{lines} lines a day");
        assert!(counted > 80_000, "{counted} were counted");
    }

    /// Bug: who tried a password for each of forty users wrote forty lines.
    #[test]
    fn what_one_host_does_again_and_again_is_one_failure() {
        let now = Instant::now();
        let mut repeats = Repeats::default();
        let mut lines = 0;
        for number in 0..40 {
            let words =
                format!("WARN pg: access refused host=10.0.0.9 failure=no user \"u{number}\"");
            lines += u32::from(repeats.tell(&words, now));
        }
        assert_eq!(lines, BURST);
        assert!(repeats.tell("WARN pg: access refused host=10.0.0.8 failure=no", now));
        let due = repeats.due(now + Duration::from_mins(2));
        assert_eq!(
            due,
            [("WARN pg: access refused host=10.0.0.9".to_owned(), 37)]
        );
    }

    /// Bug: who has a whole network of IPv6 wrote a line for each of its addresses.
    #[test]
    fn what_a_thousand_hosts_do_is_a_bounded_number_of_lines() {
        let now = Instant::now();
        let mut repeats = Repeats::default();
        let hosts = 0..1000;
        let told = hosts.filter(|number| {
            let words = format!("WARN pg: access refused host=fd00::{number:x} failure=no");
            repeats.tell(&words, now)
        });
        assert_eq!(told.count(), MOST + BURST as usize);
        let due = repeats.due(now + Duration::from_mins(2));
        let rest = 1000 - (MOST + BURST as usize) as u64;
        assert_eq!(due, [("WARN pg: access refused".to_owned(), rest)]);
    }

    #[test]
    fn what_comes_after_a_long_time_is_told_again() {
        let begin = Instant::now();
        let mut repeats = Repeats::default();
        for told in [true, true, true, false] {
            assert_eq!(repeats.tell("no room", begin), told);
        }
        assert!(repeats.tell("no way", begin));
        let later = begin + Duration::from_mins(2);
        assert_eq!(repeats.due(later), [("no room".to_owned(), 1)]);
        assert_eq!(repeats.due(later + Duration::from_hours(1)), []);
        assert!(repeats.tell("no room", later + Duration::from_hours(1)));
    }

    #[test]
    fn what_comes_after_better_news_is_told_again() {
        let now = Instant::now();
        let mut repeats = Repeats::default();
        let tell = |repeats: &mut Repeats| repeats.tell("ERROR log: no room", now);
        assert!((0..3).all(|_| tell(&mut repeats)));
        assert!(!tell(&mut repeats));
        repeats.news_of("other:");
        assert!(!tell(&mut repeats));
        repeats.news_of("log:");
        assert!(tell(&mut repeats));
    }
}
