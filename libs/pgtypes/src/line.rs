//! A line of text that is written digit by digit into room on the stack: dates and times, of which
//! a result has many.

use std::fmt;

use crate::calendar::{MINUTE, SECOND};

/// More than the longest form needs, `Wed Dec 31 23:59:59.999999 294276 ` and a zone's name.
const MAX_BYTES: usize = 96;
/// The last two digits of a number.
pub(crate) fn pair(number: u64) -> [u8; 2] {
    let number = u8::try_from(number % 100).unwrap_or(0);
    [b'0' + number / 10, b'0' + number % 10]
}

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

    /// Appends bytes whose number is known, which takes no loop.
    pub(crate) fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        // No form is longer than the line.
        if let Some(room) = self.bytes.get_mut(self.used..self.used + N) {
            room.copy_from_slice(&bytes);
            self.used += N;
        }
    }

    /// Appends any text.
    pub(crate) fn put_text(&mut self, text: &[u8]) {
        for byte in text {
            self.put([*byte]);
        }
    }

    /// The last two digits of a number.
    pub(crate) fn put_pair(&mut self, number: u64) {
        self.put(pair(number));
    }

    /// A year, with at least four digits.
    pub(crate) fn put_year(&mut self, year: u64) {
        if year >= 10_000 {
            self.put_number(year / 10_000);
        }
        self.put_pair(year / 100);
        self.put_pair(year);
    }

    /// As many digits as a number has.
    fn put_number(&mut self, number: u64) {
        if number >= 10 {
            self.put_number(number / 10);
        }
        let [_, last] = pair(number);
        self.put([last]);
    }

    /// `HH:MM:SS`, and a fraction without zeros at its end if there is one.
    pub(crate) fn put_clock(&mut self, micros: u64) {
        let [minute, second] = [MINUTE, SECOND].map(i64::unsigned_abs);
        let (minutes, micros) = (micros / minute, micros % minute);
        let [h1, h2] = pair(minutes / 60);
        let [m1, m2] = pair(minutes % 60);
        let [s1, s2] = pair(micros / second);
        self.put([h1, h2, b':', m1, m2, b':', s1, s2]);
        let fraction = micros % second;
        if fraction == 0 {
            return;
        }
        let ([f1, f2], [f3, f4], [f5, f6]) = (
            pair(fraction / 10_000),
            pair(fraction / 100),
            pair(fraction),
        );
        self.put([b'.', f1, f2, f3, f4, f5, f6]);
        while self.bytes().ends_with(b"0") {
            self.used -= 1;
        }
    }

    /// `+01`, `-03:30`, `+00:19:32`.
    pub(crate) fn put_offset(&mut self, seconds: i64, with_minutes: bool) {
        self.put([if seconds < 0 { b'-' } else { b'+' }]);
        let seconds = seconds.unsigned_abs();
        self.put_pair(seconds / 3600);
        if with_minutes || !seconds.is_multiple_of(3600) {
            self.put([b':']);
            self.put_pair(seconds / 60 % 60);
        }
        if !seconds.is_multiple_of(60) {
            self.put([b':']);
            self.put_pair(seconds % 60);
        }
    }

    pub(crate) fn put_infinity(&mut self, is_late: bool) {
        self.put_text(if is_late { b"infinity" } else { b"-infinity" });
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(self.bytes()).unwrap_or_default())
    }
}
