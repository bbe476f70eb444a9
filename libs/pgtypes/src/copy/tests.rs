//! Both directions together: known streams, every cut, every error.

use bytes::BytesMut;
use proptest::prelude::*;

use super::{CopyError, CopyOptions, Decoder, Encoder, Force, Header};
use crate::{PgType, SqlState, SqlValueRef, ValueError};

type Rows = Vec<Vec<Option<String>>>;

fn decoder(options: CopyOptions, columns: usize) -> Decoder {
    let names = ["a", "b", "c", "d"]
        .into_iter()
        .take(columns)
        .map(str::to_owned)
        .collect();
    Decoder::new(options, names).unwrap()
}

/// Reads a stream that arrives in pieces of `chunk` bytes.
fn read(
    options: &CopyOptions,
    columns: usize,
    stream: &[u8],
    chunk: usize,
) -> Result<Rows, CopyError> {
    let mut decoder = decoder(options.clone(), columns);
    let mut rows = Vec::new();
    let mut take = |decoder: &mut Decoder| -> Result<(), CopyError> {
        while let Some(row) = decoder.next_row()? {
            let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
            rows.push(row.iter().map(|field| field.map(text)).collect());
        }
        Ok(())
    };
    for piece in stream.chunks(chunk) {
        decoder.feed(piece);
        take(&mut decoder)?;
    }
    decoder.finish();
    take(&mut decoder)?;
    Ok(rows)
}

/// Reads a stream whole and cut into pieces of every length: the result must be the same.
fn read_any_way(options: &CopyOptions, columns: usize, stream: &str) -> Result<Rows, CopyError> {
    let whole = read(options, columns, stream.as_bytes(), stream.len().max(1));
    for chunk in 1..stream.len() {
        let cut = read(options, columns, stream.as_bytes(), chunk);
        assert_eq!(
            cut.as_ref().ok(),
            whole.as_ref().ok(),
            "pieces of {chunk} bytes"
        );
        assert_eq!(
            cut.as_ref().err().map(|e| (&e.message, e.line)),
            whole.as_ref().err().map(|e| (&e.message, e.line))
        );
    }
    whole
}

fn rows(expected: &[&[Option<&str>]]) -> Rows {
    expected
        .iter()
        .map(|row| row.iter().map(|field| field.map(str::to_owned)).collect())
        .collect()
}

fn message(options: &CopyOptions, columns: usize, stream: &str) -> (String, u64) {
    let error = read_any_way(options, columns, stream).unwrap_err();
    assert_eq!(error.sqlstate, SqlState::BAD_COPY_FILE_FORMAT);
    (error.message, error.line)
}

#[test]
fn text_is_read_with_all_its_sequences() {
    let stream = "1\tplain\tx\n2\t\\N\tx\n3\t\tx\n4\ttab\\tnew\\nline\\\\\tx\n\
                  5\t\\x41\\102\\q\\\n6\tgröße\n";
    assert_eq!(
        read_any_way(&CopyOptions::text(), 3, stream).unwrap(),
        rows(&[
            &[Some("1"), Some("plain"), Some("x")],
            &[Some("2"), None, Some("x")],
            &[Some("3"), Some(""), Some("x")],
            &[Some("4"), Some("tab\tnew\nline\\"), Some("x")],
            // A backslash at the end of a line makes the line's end a part of the value.
            &[Some("5"), Some("ABq\n6"), Some("größe")],
        ])
    );
}

#[test]
fn lines_may_end_in_three_ways() {
    for end in ["\n", "\r\n", "\r"] {
        let stream = format!("1\tx{end}2\ty{end}");
        let expected = rows(&[&[Some("1"), Some("x")], &[Some("2"), Some("y")]]);
        assert_eq!(
            read_any_way(&CopyOptions::text(), 2, &stream).unwrap(),
            expected,
            "{end:?}"
        );
        let stream = stream.replace('\t', ",");
        assert_eq!(
            read_any_way(&CopyOptions::csv(), 2, &stream).unwrap(),
            expected,
            "{end:?}"
        );
    }
}

#[test]
fn the_last_line_needs_no_end() {
    let expected = rows(&[&[Some("1"), Some("x")]]);
    assert_eq!(
        read_any_way(&CopyOptions::text(), 2, "1\tx").unwrap(),
        expected
    );
    assert_eq!(
        read_any_way(&CopyOptions::csv(), 2, "1,x").unwrap(),
        expected
    );
    assert_eq!(read_any_way(&CopyOptions::csv(), 2, "").unwrap(), rows(&[]));
}

#[test]
fn what_follows_the_end_marker_means_nothing() {
    let expected = rows(&[&[Some("1")]]);
    for tail in ["\\.\n", "\\.", "\\.\n2\n", "\\.\r\n\"\n"] {
        let stream = format!("1\n{tail}");
        assert_eq!(
            read_any_way(&CopyOptions::text(), 1, &stream).unwrap(),
            expected,
            "{tail:?}"
        );
        assert_eq!(
            read_any_way(&CopyOptions::csv(), 1, &stream).unwrap(),
            expected,
            "{tail:?}"
        );
    }
}

#[test]
fn in_csv_the_end_marker_is_data_unless_it_stands_alone() {
    let read = read_any_way(&CopyOptions::csv(), 1, "\\.x\nx\\.\n\"\\.\"\n").unwrap();
    assert_eq!(
        read,
        rows(&[&[Some("\\.x")], &[Some("x\\.")], &[Some("\\.")]])
    );
    assert_eq!(
        message(&CopyOptions::text(), 1, "1\n\\.x\n").0,
        "end-of-copy marker corrupt"
    );
}

#[test]
fn csv_is_read_with_quotes_anywhere() {
    let stream = "1,\"a, b\"\n2,\"say \"\"hi\"\"\"\n3,\"two\nlines\"\n4,\n5,\"\"\n6,a\"b,c\"d\n";
    assert_eq!(
        read_any_way(&CopyOptions::csv(), 2, stream).unwrap(),
        rows(&[
            &[Some("1"), Some("a, b")],
            &[Some("2"), Some("say \"hi\"")],
            &[Some("3"), Some("two\nlines")],
            &[Some("4"), None],
            &[Some("5"), Some("")],
            &[Some("6"), Some("ab,cd")],
        ])
    );
}

#[test]
fn quote_and_escape_may_be_other_bytes() {
    let options = CopyOptions {
        quote: b'\'',
        escape: b'\\',
        delimiter: b';',
        ..CopyOptions::csv()
    };
    let stream = "'it\\'s';'back\\\\slash'\n'a\\b';'one\\'\ntwo'\n";
    assert_eq!(
        read_any_way(&options, 2, stream).unwrap(),
        rows(&[
            &[Some("it's"), Some("back\\slash")],
            &[Some("a\\b"), Some("one'\ntwo")],
        ])
    );
}

#[test]
fn the_force_options_decide_what_is_null() {
    let options = CopyOptions {
        null: "NIL".into(),
        force_null: Force::Columns(vec![1]),
        force_not_null: Force::Columns(vec![2]),
        ..CopyOptions::csv()
    };
    assert_eq!(
        read_any_way(&options, 3, "\"NIL\",\"NIL\",NIL\nNIL,x,\"NIL\"\n").unwrap(),
        rows(&[
            &[Some("NIL"), None, Some("NIL")],
            &[None, Some("x"), Some("NIL")]
        ])
    );
}

#[test]
fn a_header_is_skipped_or_compared() {
    let skip = CopyOptions {
        header: Header::Present,
        ..CopyOptions::csv()
    };
    let expected = rows(&[&[Some("1"), Some("2")]]);
    assert_eq!(read_any_way(&skip, 2, "x,y,z\n1,2\n").unwrap(), expected);
    let compare = CopyOptions {
        header: Header::Match,
        ..CopyOptions::csv()
    };
    assert_eq!(read_any_way(&compare, 2, "a,b\n1,2\n").unwrap(), expected);
    assert_eq!(
        message(&compare, 2, "a,x\n1,2\n"),
        (
            "column name mismatch in header line field 2: got \"x\", expected \"b\"".to_owned(),
            1
        )
    );
    assert_eq!(
        message(&compare, 2, "a\n"),
        (
            "wrong number of fields in header line: got 1, expected 2".to_owned(),
            1
        )
    );
    assert_eq!(
        message(&compare, 2, "a,\n").0,
        "column name mismatch in header line field 2: got null value (\"\"), expected \"b\""
    );
}

#[test]
fn errors_name_the_line() {
    let text = CopyOptions::text();
    assert_eq!(
        message(&text, 2, "1\t2\n3\n"),
        ("missing data for column \"b\"".to_owned(), 2)
    );
    assert_eq!(
        message(&text, 2, "1\t2\n3\t4\t5\n"),
        ("extra data after last expected column".to_owned(), 2)
    );
    assert_eq!(
        message(&text, 1, "1\n2\r3\n"),
        ("literal carriage return found in data".to_owned(), 2)
    );
    assert_eq!(
        message(&text, 1, "1\r\n2\n"),
        ("literal newline found in data".to_owned(), 2)
    );
    let csv = CopyOptions::csv();
    assert_eq!(
        message(&csv, 1, "1\n2\r\n"),
        ("unquoted carriage return found in data".to_owned(), 2)
    );
    // The lines inside the quotes count.
    assert_eq!(
        message(&csv, 1, "\"a\nb\nc\"\n\"open\n"),
        ("unterminated CSV quoted field".to_owned(), 5)
    );
}

#[test]
fn the_context_reads_as_postgresqls() {
    let error = read(&CopyOptions::text(), 2, b"1\t2\nthree\n", 64).unwrap_err();
    assert_eq!(error.context("orders"), "COPY orders, line 2: \"three\"");
    let mut decoder = decoder(CopyOptions::csv(), 2);
    decoder.feed(b"1,x\n");
    assert!(decoder.next_row().unwrap().is_some());
    let value = ValueError::new(SqlState::INVALID_TEXT_REPRESENTATION, "no number");
    let error = decoder.value_error(value.clone(), 1);
    assert_eq!(
        error.context("orders"),
        "COPY orders, line 1, column b: \"x\""
    );
    assert_eq!(
        (error.sqlstate, error.to_string()),
        (value.sqlstate, value.message)
    );
    let long = format!("{}\n", "ä".repeat(500));
    let error = read(&CopyOptions::text(), 2, long.as_bytes(), 64).unwrap_err();
    assert_eq!(
        error.context("t"),
        format!("COPY t, line 1: \"{}...\"", "ä".repeat(100))
    );
}

#[test]
fn the_first_error_is_final() {
    let mut decoder = decoder(CopyOptions::text(), 1);
    decoder.feed(b"1\t2\n3\n");
    let first = decoder.next_row().unwrap_err();
    decoder.feed(b"4\n");
    assert_eq!(decoder.next_row().unwrap_err(), first);
}

#[test]
fn a_line_without_end_is_limited() {
    let names = vec!["a".to_owned()];
    let mut decoder = Decoder::with_max_line_bytes(CopyOptions::text(), names, 1000).unwrap();
    for _ in 0..11 {
        decoder.feed(&[b'x'; 100]);
        if let Err(error) = decoder.next_row() {
            assert_eq!(error.sqlstate, SqlState::PROGRAM_LIMIT_EXCEEDED);
            return;
        }
    }
    panic!("1100 bytes were taken as one line");
}

#[test]
fn a_table_without_columns_has_empty_lines() {
    assert_eq!(
        read_any_way(&CopyOptions::text(), 0, "\n\n").unwrap(),
        rows(&[&[], &[]])
    );
    assert_eq!(
        message(&CopyOptions::text(), 0, "\nx\n"),
        ("extra data after last expected column".to_owned(), 2)
    );
}

fn write(options: &CopyOptions, columns: usize, fields: &[Option<&str>]) -> String {
    let mut encoder = Encoder::new(options.clone(), columns).unwrap();
    let mut out = BytesMut::new();
    for field in fields {
        encoder.field(field.map(str::as_bytes), &mut out);
    }
    String::from_utf8(out.to_vec()).unwrap()
}

#[test]
fn text_is_written_with_all_its_sequences() {
    let fields = [
        Some("tab\tnew\nline\r\\"),
        None,
        Some("\u{8}\u{b}\u{c}"),
        Some(""),
    ];
    assert_eq!(
        write(&CopyOptions::text(), 2, &fields),
        "tab\\tnew\\nline\\r\\\\\t\\N\n\\b\\v\\f\t\n"
    );
    let bars = CopyOptions {
        delimiter: b'|',
        ..CopyOptions::text()
    };
    assert_eq!(write(&bars, 2, &[Some("a|b"), Some("c")]), "a\\|b|c\n");
}

#[test]
fn csv_is_quoted_where_needed_or_asked_for() {
    let fields = [
        Some("a,b"),
        None,
        Some("say \"hi\""),
        Some(""),
        Some("x\ny"),
        Some("plain"),
    ];
    assert_eq!(
        write(&CopyOptions::csv(), 2, &fields),
        "\"a,b\",\n\"say \"\"hi\"\"\",\"\"\n\"x\ny\",plain\n"
    );
    let forced = CopyOptions {
        force_quote: Force::Columns(vec![1]),
        ..CopyOptions::csv()
    };
    assert_eq!(
        write(&forced, 2, &[Some("a"), Some("b"), None, None]),
        "a,\"b\"\n,\n"
    );
    let escape = CopyOptions {
        escape: b'\\',
        ..CopyOptions::csv()
    };
    assert_eq!(write(&escape, 1, &[Some("a\"b\\c,")]), "\"a\\\"b\\\\c,\"\n");
    assert_eq!(write(&CopyOptions::csv(), 1, &[Some("\\.")]), "\"\\.\"\n");
}

#[test]
fn values_and_header_are_written_in_their_text_form() {
    let options = CopyOptions {
        header: Header::Present,
        ..CopyOptions::csv()
    };
    let mut encoder = Encoder::new(options, 3).unwrap();
    let mut out = BytesMut::new();
    encoder.header(["ok", "price, net", "note"], &mut out);
    encoder
        .value(SqlValueRef::Integer(1), &PgType::Bool, &mut out)
        .unwrap();
    encoder
        .value(
            SqlValueRef::Text("1.50"),
            &PgType::from_declared("numeric(9,2)").unwrap(),
            &mut out,
        )
        .unwrap();
    encoder
        .value(SqlValueRef::Null, &PgType::Text, &mut out)
        .unwrap();
    assert_eq!(out, &b"ok,\"price, net\",note\nt,1.50,\n"[..]);
}

fn any_options() -> impl Strategy<Value = CopyOptions> {
    let csv = (
        prop::sample::select(vec![b',', b';', b'|', b'\t', b'x']),
        prop::sample::select(vec![b'"', b'\'', b'q']),
        prop::sample::select(vec![b'"', b'\\', b'e']),
        prop::sample::select(vec!["", "NULL", "\\N"]),
    )
        .prop_map(|(delimiter, quote, escape, null)| CopyOptions {
            delimiter,
            quote,
            escape,
            null: null.to_owned(),
            ..CopyOptions::csv()
        });
    let text = (
        prop::sample::select(vec![b'\t', b'|', b',', b'X']),
        prop::sample::select(vec!["\\N", "", "NULL"]),
    )
        .prop_map(|(delimiter, null)| CopyOptions {
            delimiter,
            null: null.to_owned(),
            ..CopyOptions::text()
        });
    prop_oneof![csv, text]
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        options in any_options(),
        fields in prop::collection::vec(
            prop::option::of("[a-zäNULqex ,;|\"'\\\\\t\n\r\u{8}.]{0,8}"), 3..12
        ),
        chunk in 1_usize..40,
    ) {
        let fields = &fields[..fields.len() / 3 * 3];
        // In text a value that reads like NULL is taken for it: PostgreSQL has it so too.
        let reads_as_null = |field: &Option<String>| {
            options.format == super::CopyFormat::Text
                && field.as_ref().is_some_and(|field| *field == options.null && field != "\\N")
        };
        let mut encoder = Encoder::new(options.clone(), 3).unwrap();
        let mut out = BytesMut::new();
        for field in fields {
            encoder.field(field.as_ref().map(String::as_bytes), &mut out);
        }
        let read_back = |field: &Option<String>| field.clone().filter(|_| !reads_as_null(field));
        let row = |row: &[Option<String>]| row.iter().map(read_back).collect();
        let expected: Rows = fields.chunks(3).map(row).collect();
        prop_assert_eq!(read(&options, 3, &out, chunk).unwrap(), expected);
    }

    #[test]
    fn any_stream_is_read_or_refused_the_same_however_it_is_cut(
        options in any_options(),
        stream in "[ab,\"'\\\\\t\n\r.NxX]{0,40}",
        chunk in 1_usize..20,
    ) {
        let whole = read(&options, 2, stream.as_bytes(), 100);
        let cut = read(&options, 2, stream.as_bytes(), chunk);
        prop_assert_eq!(whole.as_ref().ok(), cut.as_ref().ok());
        prop_assert_eq!(
            whole.err().map(|e| (e.message, e.line)),
            cut.err().map(|e| (e.message, e.line))
        );
    }

    #[test]
    fn any_bytes_do_no_harm(options in any_options(), stream: Vec<u8>) {
        let mut decoder = decoder(options, 2);
        decoder.feed(&stream);
        decoder.finish();
        let mut rows = 0;
        while let Ok(Some(row)) = decoder.next_row() {
            prop_assert_eq!(row.len(), 2);
            rows += 1;
        }
        prop_assert!(rows <= stream.len() + 1);
    }
}
