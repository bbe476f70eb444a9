//! What a session does: written by its own thread with every statement, read by others now and then. The writer takes no
//! lock and asks for no memory.

use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where a session is between its statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum SessionState {
    /// In no transaction.
    Idle,
    /// In a transaction block.
    InTransaction,
    /// In one that has failed.
    Failed,
    /// It ships a log.
    Replication,
    /// A master serves it.
    Redirected,
}

impl SessionState {
    /// As the list of sessions and `pg_stat_activity` show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::InTransaction => "idle in transaction",
            Self::Failed => "idle in transaction (aborted)",
            Self::Replication => "replication",
            Self::Redirected => "redirected",
        }
    }

    pub(super) fn is_in_transaction(self) -> bool {
        matches!(self, Self::InTransaction | Self::Failed)
    }

    fn of(number: u8) -> Self {
        [
            Self::Idle,
            Self::InTransaction,
            Self::Failed,
            Self::Redirected,
        ]
        .into_iter()
        .find(|state| *state as u8 == number)
        .unwrap_or(Self::Replication)
    }
}

/// Times are microseconds since 1970.
#[derive(Debug)]
pub(super) struct Activity {
    state: AtomicU8,
    state_since: AtomicI64,
    statement_start: AtomicI64,
    transaction_start: AtomicI64,
    text: ShownText,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            state: AtomicU8::new(SessionState::Idle as u8),
            state_since: AtomicI64::new(now()),
            statement_start: AtomicI64::new(0),
            transaction_start: AtomicI64::new(0),
            text: ShownText::default(),
        }
    }

    pub(super) fn begin_statement(&self, now: i64, in_transaction: bool) {
        self.statement_start.store(now, Ordering::Relaxed);
        if !in_transaction {
            self.transaction_start.store(now, Ordering::Relaxed);
        }
    }

    pub(super) fn set_state(&self, state: SessionState) {
        self.state_since.store(now(), Ordering::Relaxed);
        self.state.store(state as u8, Ordering::SeqCst);
    }

    pub(super) fn state(&self) -> SessionState {
        SessionState::of(self.state.load(Ordering::SeqCst))
    }

    pub(super) fn state_since(&self) -> i64 {
        self.state_since.load(Ordering::Relaxed)
    }

    /// When the last statement began; `None` before the first.
    pub(super) fn statement_start(&self) -> Option<i64> {
        let start = self.statement_start.load(Ordering::Relaxed);
        (start != 0).then_some(start)
    }

    pub(super) fn transaction_start(&self) -> i64 {
        self.transaction_start.load(Ordering::Relaxed)
    }

    pub(super) fn show(&self, statement: &str) {
        self.text.write(before_password(statement));
    }

    pub(super) fn statement(&self) -> String {
        self.text.read()
    }
}

/// A statement up to the word behind which a password stands, as in `CREATE USER ann PASSWORD 'x'`. It is shown before it is
/// understood, hence by its text.
fn before_password(statement: &str) -> &str {
    const WORD: &str = "password";
    let shown = &statement[..statement.floor_char_boundary(SHOWN)];
    let bytes = shown.as_bytes();
    for begin in memchr::memchr2_iter(b'p', b'P', bytes) {
        let end = begin + WORD.len();
        let Some(word) = bytes.get(begin..end) else {
            break;
        };
        if !word.eq_ignore_ascii_case(WORD.as_bytes()) {
            continue;
        }
        let behind = bytes[end..].trim_ascii_start();
        let literal = behind.first().is_none_or(|byte| b"'$eEuU".contains(byte));
        if literal {
            return &shown[..end];
        }
    }
    shown
}

/// How much of a statement is shown, PostgreSQL's default of `track_activity_query_size` without its last byte.
const SHOWN: usize = 1023;

/// A text that one thread writes while others read it: a reader that has met the writer reads again.
#[derive(Debug)]
struct ShownText {
    /// Odd while the writer is at it.
    version: AtomicU64,
    length: AtomicUsize,
    words: [AtomicU64; SHOWN.div_ceil(8)],
}

impl Default for ShownText {
    fn default() -> Self {
        Self {
            version: AtomicU64::new(0),
            length: AtomicUsize::new(0),
            words: [const { AtomicU64::new(0) }; _],
        }
    }
}

impl ShownText {
    fn write(&self, text: &str) {
        let text = &text[..text.floor_char_boundary(SHOWN)];
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        let (whole, rest) = text.as_bytes().as_chunks::<8>();
        let mut last = [0; 8];
        for (byte, of_text) in last.iter_mut().zip(rest) {
            *byte = *of_text;
        }
        for (word, bytes) in self.words.iter().zip(whole.iter().chain([&last])) {
            word.store(u64::from_le_bytes(*bytes), Ordering::Relaxed);
        }
        self.length.store(text.len(), Ordering::Relaxed);
        self.version.store(version + 2, Ordering::Release);
    }

    fn read(&self) -> String {
        loop {
            let version = self.version.load(Ordering::Acquire);
            let length = self.length.load(Ordering::Relaxed).min(SHOWN);
            let words = self.words.iter().take(length.div_ceil(8));
            let mut bytes: Vec<u8> = words
                .flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes())
                .collect();
            bytes.truncate(length);
            fence(Ordering::Acquire);
            let whole = version.is_multiple_of(2);
            if whole && self.version.load(Ordering::Relaxed) == version {
                return String::from_utf8_lossy(&bytes).into_owned();
            }
            std::thread::yield_now();
        }
    }
}

/// Microseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_as_it_was_written_up_to_its_limit() {
        let shown = ShownText::default();
        for text in ["", "SELECT 1", "SELECT 'eleven'", "x"] {
            shown.write(text);
            assert_eq!(shown.read(), text);
        }
        shown.write(&"x".repeat(5000));
        assert_eq!(shown.read(), "x".repeat(SHOWN));
        // No character is cut.
        shown.write(&"€".repeat(400));
        assert_eq!(shown.read(), "€".repeat(341));
    }

    #[test]
    fn a_statement_is_shown_up_to_its_password() {
        for (statement, shown) in [
            ("CREATE USER ann PASSWORD 'x'", "CREATE USER ann PASSWORD"),
            (
                "select 1; alter role a password\n\tE'x'",
                "select 1; alter role a password",
            ),
            (
                "ALTER USER a ENCRYPTED PASSWORD $$x$$",
                "ALTER USER a ENCRYPTED PASSWORD",
            ),
            ("UPDATE p SET password = 'x'", "UPDATE p SET password = 'x'"),
            ("SELECT passport FROM p", "SELECT passport FROM p"),
        ] {
            assert_eq!(before_password(statement), shown);
        }
        let long = format!("CREATE USER {} PASSWORD 'x'", "€".repeat(330));
        assert!(!before_password(&long).contains("'x'"));
        assert!(before_password(&long).ends_with("PASSWORD"));
    }

    #[test]
    fn a_reader_never_sees_half_of_a_text() {
        let shown = ShownText::default();
        let texts = ["a".repeat(900), "b".repeat(500), "c".repeat(1023)];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..3_000 {
                    for text in &texts {
                        shown.write(text);
                    }
                }
            });
            for _ in 0..3_000 {
                let read = shown.read();
                assert!(read.is_empty() || texts.contains(&read));
            }
        });
    }

    #[test]
    fn states_come_back_from_their_numbers() {
        use SessionState::{Failed, Idle, InTransaction, Redirected, Replication};
        for state in [Idle, InTransaction, Failed, Replication, Redirected] {
            assert_eq!(SessionState::of(state as u8), state);
        }
    }
}
