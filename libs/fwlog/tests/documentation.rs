//! `docs/forward-log.md` and the constants say the same.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use fwlog::{kind, layout};

const PAGE: &str = include_str!("../../../docs/forward-log.md");

/// The rows of the first table below this heading, cells trimmed.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap();
    rows(section)
}

fn rows(section: &'static str) -> Vec<Vec<&'static str>> {
    section
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split(" |").map(str::trim).collect())
        .collect()
}

/// Compares a table of offset, size and field with a chain of offsets that ends with the size.
fn assert_layout(heading: &str, fields: &[(&str, usize)]) {
    let mut expected: Vec<Vec<String>> = fields
        .windows(2)
        .map(|pair| {
            let [(name, at), (_, next)] = pair else {
                unreachable!()
            };
            vec![at.to_string(), (next - at).to_string(), (*name).to_owned()]
        })
        .collect();
    expected.push(vec![
        fields.last().unwrap().1.to_string(),
        String::new(),
        String::new(),
    ]);
    let documented: Vec<Vec<&str>> = table(heading)
        .into_iter()
        .map(|row| row.into_iter().take(3).collect())
        .collect();
    assert_eq!(documented, expected, "{heading}");
}

#[test]
fn the_segment_header_is_as_documented() {
    use layout::header as at;
    assert_layout(
        "Segment header",
        &[
            ("magic", at::MAGIC_AT),
            ("version", at::VERSION_AT),
            ("page size", at::PAGE_SIZE_AT),
            ("environment", at::ENVIRONMENT_AT),
            ("generation", at::GENERATION_AT),
            ("sequence", at::SEQUENCE_AT),
            ("log bytes", at::LOG_BYTES_AT),
            ("last commit", at::LAST_COMMIT_AT),
            ("created", at::CREATED_AT),
            ("previous", at::PREVIOUS_AT),
            ("origin", at::ORIGIN_AT),
            ("reserved", at::RESERVED_AT),
            ("crc", at::CRC_AT),
            ("", at::SIZE),
        ],
    );
}

#[test]
fn the_block_head_is_as_documented() {
    use layout::block as at;
    assert_layout(
        "Block",
        &[
            ("mark", at::MARK_AT),
            ("length", at::LENGTH_AT),
            ("raw length", at::RAW_LENGTH_AT),
            ("flags", at::FLAGS_AT),
            ("first commit", at::FIRST_COMMIT_AT),
            ("last commit", at::LAST_COMMIT_AT),
            ("time", at::TIME_AT),
            ("chain", at::CHAIN_AT),
            ("crc", at::CRC_AT),
            ("", at::SIZE),
        ],
    );
}

#[test]
fn the_seal_is_as_documented() {
    use layout::seal as at;
    assert_layout(
        "Seal",
        &[
            ("mark", at::MARK_AT),
            ("reserved", at::RESERVED_AT),
            ("length", at::LENGTH_AT),
            ("first commit", at::FIRST_COMMIT_AT),
            ("last commit", at::LAST_COMMIT_AT),
            ("chain", at::CHAIN_AT),
            ("crc", at::CRC_AT),
            ("", at::SIZE),
        ],
    );
}

#[test]
fn the_durable_end_is_as_documented() {
    use layout::position as at;
    assert_layout(
        "fw.position",
        &[
            ("magic", at::MAGIC_AT),
            ("version", at::VERSION_AT),
            ("flags", at::FLAGS_AT),
            ("environment", at::ENVIRONMENT_AT),
            ("generation", at::GENERATION_AT),
            ("sequence", at::SEQUENCE_AT),
            ("offset", at::OFFSET_AT),
            ("chain", at::CHAIN_AT),
            ("commit", at::COMMIT_AT),
            ("time", at::TIME_AT),
            ("log bytes", at::LOG_BYTES_AT),
            ("crc", at::CRC_AT),
            ("", at::SIZE),
        ],
    );
}

#[test]
fn the_record_head_is_as_documented() {
    use layout::record as at;
    assert_layout(
        "Records",
        &[
            ("kind", at::KIND_AT),
            ("length", at::LENGTH_AT),
            ("", at::SIZE),
        ],
    );
}

#[test]
fn the_kinds_of_records_are_as_documented() {
    let (_, section) = PAGE.split_once("\n| kind | record |").unwrap();
    let documented: Vec<(&str, &str)> = section
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let mut cells = line.trim_matches('|').split(" |").map(str::trim);
            (cells.next().unwrap(), cells.next().unwrap())
        })
        .collect();
    let expected = [
        (kind::GENERATION, "generation"),
        (kind::CHECKPOINT, "checkpoint"),
        (kind::COMMIT, "commit"),
        (kind::PART, "part"),
        (kind::CREATE_DATABASE, "create database"),
        (kind::DROP_DATABASE, "drop database"),
        (kind::RENAME_DATABASE, "rename database"),
        (kind::RESTORE_DATABASE, "restore database"),
        (kind::ACCESS, "access"),
        (kind::AUDIT, "audit"),
        (kind::COPIED, "copied"),
    ]
    .map(|(number, name)| (number.to_string(), name));
    let documented: Vec<_> = documented
        .into_iter()
        .map(|(number, name)| (number.to_owned(), name))
        .collect();
    assert_eq!(documented, expected);
}

#[test]
fn magics_marks_and_limits_are_as_documented() {
    let marks = [
        ("Segment header", &layout::header::MAGIC_BYTES[..]),
        ("Block", &layout::block::MARK_BYTES[..]),
        ("Seal", &layout::seal::MARK_BYTES[..]),
        ("fw.position", &layout::position::MAGIC_BYTES[..]),
    ];
    for (heading, mark) in marks {
        let first = table(heading).remove(0);
        assert_eq!(
            first[3],
            format!("`{}`", std::str::from_utf8(mark).unwrap())
        );
    }
    assert!(PAGE.starts_with(&format!(
        "# The forward log, version {}\n",
        layout::header::FORMAT_VERSION
    )));
    assert!(PAGE.contains(&format!("1 to {} MiB", fwlog::MAX_BLOCK_RAW >> 20)));
    assert!(PAGE.contains(&format!(
        "at most {} bytes, a statement {}",
        fwlog::MAX_NAME,
        fwlog::MAX_STATEMENT
    )));
    assert!(PAGE.contains(&format!("Page size is {}", fwlog::PAGE_SIZE)));
}
