//! COPY streams: the same rows however the bytes are cut, or the same refusal.

use pgtypes::copy::{CopyOptions, Decoder, Header};
use pgtypes::{PgType, decode};

use super::choices::Choices;

/// Longest line or row.
const LIMIT: usize = 4096;

/// Takes the bytes as a stream, whole and in pieces.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut options = match choices.byte() % 3 {
        0 => CopyOptions::text(),
        1 => CopyOptions::csv(),
        _ => CopyOptions::binary(),
    };
    let flags = choices.byte();
    if flags & 1 != 0 {
        options.delimiter = choices.byte();
    }
    if flags & 2 != 0 {
        options.quote = choices.byte();
    }
    if flags & 4 != 0 {
        options.escape = choices.byte();
    }
    if flags & 8 != 0 {
        options.null = String::from_utf8_lossy(choices.take(3)).into_owned();
    }
    options.header = match flags >> 4 & 3 {
        0 | 1 => Header::None,
        2 => Header::Present,
        _ => Header::Match,
    };
    let columns: Vec<String> = ["a", "b", "c"]
        .iter()
        .take(usize::from(flags >> 6) % 3 + 1)
        .map(|&name| name.to_owned())
        .collect();
    let step = usize::from(choices.byte()) + 1;
    let stream = choices.rest();
    let whole = rows(&options, &columns, stream, stream.len().max(1));
    let pieces = rows(&options, &columns, stream, step);
    assert_eq!(whole, pieces, "where the stream is cut does not matter");
}

type Rows = (Vec<Vec<Option<Vec<u8>>>>, Option<String>);

fn rows(options: &CopyOptions, columns: &[String], stream: &[u8], step: usize) -> Option<Rows> {
    let mut decoder =
        Decoder::with_max_line_bytes(options.clone(), columns.to_vec(), LIMIT).ok()?;
    let mut rows = Vec::new();
    for piece in stream.chunks(step) {
        decoder.feed(piece);
        if let Some(error) = take(&mut decoder, &mut rows) {
            return Some((rows, Some(error)));
        }
    }
    decoder.finish();
    let error = take(&mut decoder, &mut rows);
    Some((rows, error))
}

fn take(decoder: &mut Decoder, rows: &mut Vec<Vec<Option<Vec<u8>>>>) -> Option<String> {
    loop {
        let format = decoder.value_format();
        match decoder.next_row() {
            Ok(None) => return None,
            Ok(Some(row)) => {
                let fields: Vec<_> = row.iter().map(|field| field.map(<[u8]>::to_vec)).collect();
                let failed = fields.iter().enumerate().find_map(|(index, field)| {
                    let error =
                        decode(field.as_deref()?, &PgType::Timestamp(None), format).err()?;
                    Some((error, index))
                });
                if let Some((error, index)) = failed {
                    let _shown = decoder.value_error(error, index).to_string();
                }
                rows.push(fields);
            }
            Err(error) => return Some(error.to_string()),
        }
    }
}
