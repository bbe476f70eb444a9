//! What the messages of a master mean for a statement that it runs. No I/O.

use pgtypes::{Oid, PgType, SqlState};

use crate::environment::Seen;
use crate::failure::Failure;
use crate::pg::forward::line::Frame;
use crate::session::parameters;
use crate::session::prepared::Column;

/// A message, by what is to be done about it.
#[derive(Debug)]
pub(super) enum Answer {
    /// It is of no interest to the client, who hears the same from this server.
    Nothing,
    /// How far a reader sees there.
    Seen(Seen),
    /// A message beside the result: the client gets it as it is.
    Notice,
    /// A part of the result: the client gets it as it is.
    Row,
    /// The columns of the result.
    Columns,
    /// The types of a statement's parameters.
    Parameters,
    /// There are no columns.
    NoColumns,
    /// The master waits for the rows of a COPY.
    CopyIn,
    /// The statement is complete; its tag.
    Complete(String),
    /// There are more rows for the next Execute.
    Suspended,
    /// There was no statement.
    Empty,
    /// The statement has failed.
    Refused(Failure),
    /// The master ends the session, and why.
    Fatal(String),
    /// It waits for the next statement.
    Ready,
}

/// Reads a message.
///
/// Error: no master sends this.
pub(super) fn read(frame: &Frame) -> Result<Answer, &'static str> {
    let body = frame.body();
    Ok(match frame.kind {
        // ParseComplete, BindComplete, CloseComplete, NotificationResponse.
        b'1' | b'2' | b'3' | b'A' => Answer::Nothing,
        b'S' => parameter(body),
        b'N' => Answer::Notice,
        // CopyOutResponse, and the lines and the end of it.
        b'D' | b'H' | b'd' | b'c' => Answer::Row,
        b'T' => Answer::Columns,
        b't' => Answer::Parameters,
        b'n' => Answer::NoColumns,
        b'G' => Answer::CopyIn,
        b'C' => Answer::Complete(texts(body).next().unwrap_or_default()),
        b's' => Answer::Suspended,
        b'I' => Answer::Empty,
        b'E' => {
            let failure = failure(body);
            if failure.is_fatal() {
                Answer::Fatal(failure.to_string())
            } else {
                Answer::Refused(failure)
            }
        }
        b'Z' => Answer::Ready,
        _ => return Err("it sends a message that no server of eloqdb's sends"),
    })
}

/// `ParameterStatus`: name and value.
fn parameter(body: &[u8]) -> Answer {
    let mut texts = texts(body);
    let (name, value) = (texts.next(), texts.next().unwrap_or_default());
    match value.parse() {
        Ok(seen) if name.as_deref() == Some(parameters::SEEN) => Answer::Seen(seen),
        _ => Answer::Nothing,
    }
}

fn texts(body: &[u8]) -> impl Iterator<Item = String> {
    body.split(|byte| *byte == 0)
        .map(|text| String::from_utf8_lossy(text).into_owned())
}

/// `ErrorResponse`: fields of one byte and a text.
pub(super) fn failure(body: &[u8]) -> Failure {
    let fields: Vec<(char, String)> = texts(body)
        .filter_map(|text| {
            let kind = text.chars().next()?;
            Some((kind, text.get(kind.len_utf8()..)?.to_owned()))
        })
        .collect();
    let field = |wanted: char| {
        let found = fields.iter().find(|(kind, _)| *kind == wanted);
        found.map(|(_, text)| text.clone())
    };
    let code = field('C').unwrap_or_default();
    let message = field('M').unwrap_or_default();
    let mut failure = match SqlState::from_code(&code) {
        Some(state) => Failure::new(state, message),
        // Of a newer version.
        None => Failure::new(SqlState::INTERNAL_ERROR, format!("{message} ({code})")),
    };
    if field('V')
        .or_else(|| field('S'))
        .is_some_and(|severity| severity != "ERROR")
    {
        failure = failure.into_fatal();
    }
    let known = failure.fields_mut();
    known.detail = field('D');
    known.hint = field('H');
    known.context = field('W');
    known.schema = field('s');
    known.table = field('t');
    known.column = field('c');
    known.constraint = field('n');
    known.position = field('P').and_then(|position| position.parse().ok());
    known.routine = field('R')
        .is_some_and(|routine| routine == REVALIDATE)
        .then_some(REVALIDATE);
    failure
}

/// By which drivers know that a statement is to be prepared anew.
pub(super) const REVALIDATE: &str = "RevalidateCachedQuery";

/// The numbers in `ParameterDescription`.
pub(super) fn parameter_oids(mut body: &[u8]) -> Option<Vec<u32>> {
    use bytes::Buf as _;
    let count = body.try_get_u16().ok()?;
    (0..count).map(|_| body.try_get_u32().ok()).collect()
}

/// The columns in `RowDescription`.
pub(super) fn columns(mut body: &[u8]) -> Option<Vec<Column>> {
    use bytes::Buf as _;
    let count = body.try_get_u16().ok()?;
    let mut columns = Vec::new();
    for _ in 0..count {
        let end = body.iter().position(|byte| *byte == 0)?;
        let name = String::from_utf8_lossy(body.get(..end)?).into_owned();
        body = body.get(end + 1..)?;
        let origin = (body.try_get_u32().ok()?, body.try_get_u16().ok()?);
        let oid = Oid::new(body.try_get_u32().ok()?);
        body.try_get_i16().ok()?;
        let modifier = body.try_get_i32().ok()?;
        body.try_get_i16().ok()?;
        let ty = PgType::from_oid(oid, modifier).unwrap_or(PgType::Text);
        columns.push(Column { name, ty, origin });
    }
    Some(columns)
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};
    use pgwire::messages::response::TransactionStatus;

    use super::*;
    use crate::session::row;
    use crate::wire::output;

    fn frame(bytes: BytesMut) -> Frame {
        Frame {
            kind: bytes[0],
            bytes: bytes.freeze(),
        }
    }

    proptest::proptest! {
        /// Whatever a master sends, or somebody in its place.
        #[test]
        fn any_message_of_a_master_is_read_or_refused(
            kind: u8,
            body in proptest::collection::vec(proptest::prop_oneof![0u8..2, 0x20u8..0x7f, proptest::num::u8::ANY], 0..60),
        ) {
            let mut bytes = BytesMut::from(&[kind, 0, 0, 0, 0][..]);
            bytes.extend_from_slice(&body);
            let message = frame(bytes);
            if let Ok(Answer::Refused(failure)) = read(&message) {
                assert!(!failure.to_string().is_empty());
            }
            for kind in *b"CEGNSTZnst" {
                let bytes = message.bytes.clone();
                drop(read(&Frame { kind, bytes }));
            }
            drop((parameter_oids(&body), columns(&body)));
        }
    }

    #[test]
    fn an_error_comes_back_with_all_its_fields() {
        let mut sent = Failure::new(SqlState::UNIQUE_VIOLATION, "duplicate key")
            .detail("Key (id)=(1) already exists.")
            .hint("another")
            .context("COPY t, line 2");
        let fields = sent.fields_mut();
        fields.position = Some(17);
        fields.schema = Some("public".into());
        fields.table = Some("t".into());
        fields.column = Some("id".into());
        fields.constraint = Some("t_pkey".into());
        fields.routine = Some(REVALIDATE);
        let mut bytes = BytesMut::new();
        output::error(&mut bytes, &sent);
        let Ok(Answer::Refused(read)) = read(&frame(bytes)) else {
            panic!("no refusal");
        };
        assert_eq!(
            format!("{:?}", read.fields()),
            format!("{:?}", sent.fields())
        );
    }

    #[test]
    fn a_fatal_error_is_the_end_of_the_connection() {
        let mut bytes = BytesMut::new();
        output::error(
            &mut bytes,
            &Failure::fatal(SqlState::ADMIN_SHUTDOWN, "stop"),
        );
        assert!(matches!(read(&frame(bytes)), Ok(Answer::Fatal(why)) if why == "stop (57P01)"));
        let newer = failure(b"SERROR\0VERROR\0C99Z99\0Mnew\0\0");
        assert_eq!(newer.to_string(), "new (99Z99) (XX000)");
    }

    #[test]
    fn what_only_the_slave_is_told_is_read_and_the_rest_is_not_passed_on() {
        for (name, value, is_seen) in [
            ("eloqdb.seen", "3-0-9", true),
            ("eloqdb.seen", "nonsense", false),
            ("TimeZone", "3-0-9", false),
        ] {
            let mut bytes = BytesMut::new();
            output::parameter_status(&mut bytes, name, value);
            let seen = matches!(read(&frame(bytes)), Ok(Answer::Seen(_)));
            assert_eq!(seen, is_seen, "{name} {value}");
        }
        let mut bytes = BytesMut::new();
        output::ready_for_query(&mut bytes, TransactionStatus::Error);
        assert!(matches!(read(&frame(bytes)), Ok(Answer::Ready)));
        let odd = Frame {
            kind: b'W',
            bytes: Bytes::from_static(b"W\0\0\0\x04"),
        };
        assert!(read(&odd).is_err());
    }

    #[test]
    fn columns_come_back_as_they_were_described() {
        let told = [
            Column {
                name: "id".into(),
                ty: PgType::Int4,
                origin: (16385, 1),
            },
            Column {
                name: "näme".into(),
                ty: PgType::Varchar(Some(7)),
                origin: (0, 0),
            },
        ];
        let mut bytes = BytesMut::new();
        row::describe(&mut bytes, &told, &[]);
        let frame = frame(bytes);
        let read = columns(frame.body()).unwrap();
        assert_eq!(read, told);
        assert_eq!(read[0].origin, (16385, 1));
        for cut in 0..frame.body().len() {
            assert!(columns(&frame.body()[..cut]).is_none(), "{cut}");
        }
        assert_eq!(parameter_oids(b"\0\x01\0\0\0\x17"), Some(vec![23]));
        assert_eq!(parameter_oids(b"\0\x01\0\0\0"), None);
    }
}
