//! A line of text that is written digit by digit into room on the stack: dates and times, of which
//! a result has many.

use std::fmt;

use crate::calendar::{HOUR, MINUTE, SECOND};

/// More than the longest form needs, `Wed Dec 31 23:59:59.999999 294276 ` and a zone's name.
const MAX_BYTES: usize = 96;
/// Every number of two digits.
const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
    2021222324252627282930313233343536373839\
    4041424344454647484950515253545556575859\
    6061626364656667686970717273747576777879\
    8081828384858687888990919293949596979899";

/// A line of text that is being written.
pub(crate) struct Line {
    bytes: [u8; MAX_BYTES],
    used: usize,
}

impl Line {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; MAX_BYTES],
            used: 0,
        }
    }

    /// What was written.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }

    pub(crate) fn put(&mut self, text: &[u8]) {
        // No form is longer than the line.
        if let Some(room) = self.bytes.get_mut(self.used..self.used + text.len()) {
            room.copy_from_slice(text);
            self.used += text.len();
        }
    }

    pub(crate) fn put_byte(&mut self, byte: u8) {
        self.put(&[byte]);
    }

    /// Two digits of a number below 100.
    pub(crate) fn put_pair(&mut self, number: u64) {
        let at = usize::try_from(number % 100).unwrap_or(0) * 2;
        self.put(PAIRS.get(at..at + 2).unwrap_or(b"00"));
    }

    /// At least two digits.
    pub(crate) fn put_two(&mut self, number: u64) {
        self.put_at_least(number, 2);
    }

    /// At least so many digits, an even number.
    pub(crate) fn put_at_least(&mut self, number: u64, width: usize) {
        if number >= 100 || width > 2 {
            let rest = number / 100;
            if rest >= 10 || width > 2 {
                self.put_at_least(rest, width.saturating_sub(2));
            } else {
                self.put_byte(
                    PAIRS
                        .get(usize::try_from(rest).unwrap_or(0) * 2 + 1)
                        .copied()
                        .unwrap_or(b'0'),
                );
            }
        }
        self.put_pair(number);
    }

    /// `HH:MM:SS`, and a fraction without zeros at its end if there is one.
    pub(crate) fn put_clock(&mut self, micros: u64) {
        let [hour, minute, second] = [HOUR, MINUTE, SECOND].map(i64::unsigned_abs);
        self.put_two(micros / hour);
        self.put_byte(b':');
        self.put_pair(micros / minute % 60);
        self.put_byte(b':');
        self.put_pair(micros / second % 60);
        let fraction = micros % second;
        if fraction == 0 {
            return;
        }
        self.put_byte(b'.');
        self.put_pair(fraction / 10_000);
        self.put_pair(fraction / 100 % 100);
        self.put_pair(fraction % 100);
        while self.bytes().ends_with(b"0") {
            self.used -= 1;
        }
    }

    /// `+01`, `-03:30`, `+00:19:32`.
    pub(crate) fn put_offset(&mut self, seconds: i64, with_minutes: bool) {
        self.put_byte(if seconds < 0 { b'-' } else { b'+' });
        let seconds = seconds.unsigned_abs();
        self.put_two(seconds / 3600);
        if with_minutes || !seconds.is_multiple_of(3600) {
            self.put_byte(b':');
            self.put_pair(seconds / 60 % 60);
        }
        if !seconds.is_multiple_of(60) {
            self.put_byte(b':');
            self.put_pair(seconds % 60);
        }
    }

    pub(crate) fn put_infinity(&mut self, is_late: bool) {
        self.put(if is_late { b"infinity" } else { b"-infinity" });
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(self.bytes()).unwrap_or_default())
    }
}
