//! Page deltas: any runs on any page, and the round trip from two versions of a page.

use fwlog::{
    CommitHead, CommitNumber, DatabaseId, PAGE_SIZE, PageNumber, Record, RecordBuffer, Records,
    Timestamp,
};

use super::choices::Choices;

const HEAD: CommitHead = CommitHead {
    number: CommitNumber::new(1),
    database: DatabaseId::new(2),
    time: Timestamp::ZERO,
    exclusive: false,
    page_count: 9,
    transaction: None,
};

/// Takes the bytes as the runs of a delta, or as changes to a page.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    if choices.flag() {
        runs(choices.rest());
    } else {
        round_trip(choices);
    }
}

/// A commit record with one delta of these runs.
fn runs(runs: &[u8]) {
    let mut body = vec![1, 2];
    body.extend_from_slice(&[0; 8]);
    // No flags, nine pages afterwards, a delta for page 1, no checksum that fits.
    body.extend_from_slice(&[0, 9, 2, 1, 2, 3, 4]);
    let mut length = runs.len();
    while length >= 0x80 {
        body.push(length.to_le_bytes()[0] | 0x80);
        length >>= 7;
    }
    body.push(length.to_le_bytes()[0]);
    body.extend_from_slice(runs);
    let size = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut raw = vec![fwlog::kind::COMMIT];
    raw.extend_from_slice(&size.to_le_bytes()[..3]);
    raw.extend_from_slice(&body);
    let Some(Ok(Record::Commit(commit))) = Records::new(&raw).next() else {
        return;
    };
    for change in commit.pages.into_iter().flatten() {
        let mut page = [0xa5; PAGE_SIZE];
        let _ = change.apply(&mut page);
    }
}

fn round_trip(mut choices: Choices<'_>) {
    let mut old = [choices.byte(); PAGE_SIZE];
    change(&mut old, &mut choices);
    let mut new = old;
    change(&mut new, &mut choices);
    let mut buffer = RecordBuffer::new();
    let mut encoder = buffer.begin_commit(HEAD);
    encoder.page_delta(PageNumber::new(3), &old, &new);
    encoder.finish();
    let Some(Ok(Record::Commit(commit))) = Records::new(buffer.as_bytes()).next() else {
        panic!("a commit was written");
    };
    let mut pages = commit.pages.into_iter();
    let Some(Ok(page)) = pages.next() else {
        panic!("a page was written");
    };
    assert!(pages.next().is_none());
    let mut made = old;
    assert_eq!(page.apply(&mut made), Ok(()));
    assert!(made == new, "the delta makes the new page");
    let mut other = [choices.byte(); PAGE_SIZE];
    if page.apply(&mut other).is_ok() {
        assert!(other == new, "the checksum proves the page");
    }
}

/// Up to sixteen runs of new bytes.
fn change(page: &mut [u8; PAGE_SIZE], choices: &mut Choices<'_>) {
    for _ in 0..choices.byte() % 17 {
        let at = usize::from(choices.u16()) % PAGE_SIZE;
        let length = usize::from(choices.byte());
        let bytes = choices.take(length);
        for (to, from) in page[at..].iter_mut().zip(bytes) {
            *to = *from;
        }
    }
}
