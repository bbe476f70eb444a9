//! Pages with wrong bytes are an error, or other rows; never a panic, and never work without an end.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't make its database fails"
)]

use std::fs;
use std::sync::{Arc, OnceLock};

use proptest::prelude::*;
use rowdiff::{Error, Image, PAGE_SIZE, Pages, RowDiff, Step};
use rusqlite::Connection;

const STEPS: [&str; 3] = [
    "PRAGMA page_size = 4096;
     CREATE TABLE a (id INTEGER PRIMARY KEY, v BLOB);
     CREATE TABLE b (k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID;
     CREATE INDEX i ON a (v);
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)
     INSERT INTO a SELECT i, zeroblob(i % 60 * 3) FROM n;
     INSERT INTO a VALUES (2000, zeroblob(30000)), (2001, zeroblob(20000));
     INSERT INTO b SELECT printf('%05d', id), v FROM a",
    "UPDATE a SET v = CAST(v || 'x' AS BLOB) WHERE id % 50 = 0; DELETE FROM b WHERE k > '00500'; INSERT INTO b VALUES ('x', zeroblob(9000))",
    "ALTER TABLE a ADD COLUMN c DEFAULT 5; DELETE FROM a WHERE id < 400; CREATE TABLE c AS SELECT * FROM a",
];

#[derive(Clone)]
struct Database(Vec<Image>);

impl Pages for Database {
    fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap()
    }

    fn page(&self, number: u32) -> Result<Image, Error> {
        let image = number
            .checked_sub(1)
            .and_then(|index| self.0.get(index as usize));
        image.cloned().ok_or(Error::Missing { page: number })
    }
}

/// The database after each step.
fn states() -> &'static [Database] {
    static STATES: OnceLock<Vec<Database>> = OnceLock::new();
    STATES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let connection = Connection::open(&path).unwrap();
        let state = |sql: &&str| {
            connection.execute_batch(sql).unwrap();
            let bytes = fs::read(&path).unwrap();
            let pages = bytes
                .chunks(PAGE_SIZE)
                .map(|page| Arc::new(page.try_into().unwrap()));
            Database(pages.collect())
        };
        STEPS.iter().map(state).collect()
    })
}

/// Where bytes are other ones: which state, which page, where in it, and what is there.
type Wrong = (usize, usize, usize, u8);

/// Goes through all steps with wrong bytes in some pages.
fn survives(wrong: &[Wrong]) {
    let mut states = states().to_vec();
    for (state, page, at, value) in wrong {
        let count = states.len();
        let pages = &mut states[state % count].0;
        let count = pages.len();
        let image = Arc::make_mut(&mut pages[page % count]);
        // Heads of pages and of cells are where it matters.
        image[at % PAGE_SIZE] = *value;
    }
    let Ok(mut diff) = RowDiff::of(&states[0]) else {
        return;
    };
    for pair in states.windows(2) {
        let changed: Vec<u32> = (1..=pair[1].count()).collect();
        let step = Step {
            before: &pair[0],
            after: &pair[1],
            changed: &changed,
        };
        if diff.commit(step, &mut |_| Ok(())).is_err() {
            return;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn wrong_bytes_are_survived(
        heads in prop::collection::vec((0..3usize, any::<usize>(), 0..110usize, any::<u8>()), 0..4),
        anywhere in prop::collection::vec((0..3usize, any::<usize>(), any::<usize>(), any::<u8>()), 0..8),
    ) {
        survives(&heads);
        survives(&anywhere);
    }
}

#[test]
fn a_tree_that_goes_round_in_a_circle_ends() {
    let mut database = states()[0].clone();
    // Every child of the first page is the page itself.
    for page in 1..database.0.len() {
        let image = Arc::make_mut(&mut database.0[page]);
        if image[0] == 5 {
            let number = u8::try_from(page + 1).unwrap_or(2);
            image[8..12].copy_from_slice(&[0, 0, 0, number]);
        }
    }
    let Err(Error::Damaged { page, what }) = RowDiff::of(&database) else {
        panic!("it is damaged")
    };
    assert!(page > 1 && what.contains("twice"), "page {page}: {what}");
}
