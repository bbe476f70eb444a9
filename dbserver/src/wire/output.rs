//! Messages to the client, appended to the connection's write buffer.
//!
//! The frequent ones are written in place, without a value of their own in between; the rest go
//! through pgwire's types. Nothing here sends: the message loop flushes once for each round trip.

use bytes::{BufMut, BytesMut};
use pgtypes::{Format, SqlState};
use pgwire::messages::Message;
use pgwire::messages::response::{
    ErrorResponse, NoticeResponse, NotificationResponse, TransactionStatus,
};
use pgwire::messages::startup::ParameterStatus;

use crate::databases::notifications::Notification;
use crate::failure::{Failure, Severity};

/// How much is collected before it goes to the socket in the middle of a result.
///
/// Each time wakes the client up: a scan of small rows takes a fifth less than with 32 KiB.
pub const FLUSH_BYTES: usize = 128 * 1024;

/// What a session's buffers begin with, one for each direction; they grow where more is on its way.
pub const BUFFER_BYTES: usize = 32 * 1024;

/// Writes one message: its type byte, its length and what `body` appends.
pub fn frame<T>(out: &mut BytesMut, tag: u8, body: impl FnOnce(&mut BytesMut) -> T) -> T {
    out.put_u8(tag);
    let start = out.len();
    out.put_u32(0);
    let result = body(out);
    patch_length(out, start);
    result
}

/// Fills the length field at `start` with the bytes from there to the end.
pub fn patch_length(out: &mut BytesMut, start: usize) {
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    if let Some(mut field) = out.get_mut(start..start + 4) {
        field.put_u32(length);
    }
}

/// `ParseComplete`.
pub fn parse_complete(out: &mut BytesMut) {
    out.put_slice(b"1\0\0\0\x04");
}

/// `BindComplete`.
pub fn bind_complete(out: &mut BytesMut) {
    out.put_slice(b"2\0\0\0\x04");
}

/// `CloseComplete`.
pub fn close_complete(out: &mut BytesMut) {
    out.put_slice(b"3\0\0\0\x04");
}

/// `NoData`.
pub fn no_data(out: &mut BytesMut) {
    out.put_slice(b"n\0\0\0\x04");
}

/// `PortalSuspended`.
pub fn portal_suspended(out: &mut BytesMut) {
    out.put_slice(b"s\0\0\0\x04");
}

/// `EmptyQueryResponse`.
pub fn empty_query(out: &mut BytesMut) {
    out.put_slice(b"I\0\0\0\x04");
}

/// `CopyDone`.
pub fn copy_done(out: &mut BytesMut) {
    out.put_slice(b"c\0\0\0\x04");
}

/// `ReadyForQuery` with the transaction state.
pub fn ready_for_query(out: &mut BytesMut, status: TransactionStatus) {
    out.put_slice(b"Z\0\0\0\x05");
    out.put_u8(status as u8);
}

/// `CommandComplete` with its tag.
pub fn command_complete(out: &mut BytesMut, tag: &str) {
    frame(out, b'C', |out| {
        out.put_slice(tag.as_bytes());
        out.put_u8(0);
    });
}

/// `ParameterStatus`.
pub fn parameter_status(out: &mut BytesMut, name: &str, value: &str) {
    append(
        out,
        &ParameterStatus::new(name.to_owned(), value.to_owned()),
    );
}

/// `CopyInResponse` or `CopyOutResponse` for so many columns in one format.
pub fn copy_response(out: &mut BytesMut, tag: u8, (columns, format): (usize, Format)) {
    let columns = u16::try_from(columns).unwrap_or(u16::MAX);
    frame(out, tag, |out| {
        out.put_i8(i8::from(format == Format::Binary));
        out.put_u16(columns);
        for _ in 0..columns {
            out.put_i16(format.code());
        }
    });
}

/// `ErrorResponse`.
pub fn error(out: &mut BytesMut, failure: &Failure) {
    let severity = match failure.fields().severity {
        Severity::Error => "ERROR",
        Severity::Fatal => "FATAL",
    };
    append(out, &ErrorResponse::new(fields(failure, severity)));
}

/// `NotificationResponse`.
pub fn notification(out: &mut BytesMut, told: &Notification) {
    let (channel, payload) = (told.channel.to_string(), told.payload.to_string());
    append(out, &NotificationResponse::new(told.pid, channel, payload));
}

/// `NoticeResponse` with a severity of `WARNING`, `NOTICE` and so on.
pub fn notice(
    out: &mut BytesMut,
    severity: &str,
    sqlstate: SqlState,
    (message, detail): (&str, Option<&str>),
) {
    let mut failure = Failure::new(sqlstate, message);
    failure.fields_mut().detail = detail.map(str::to_owned);
    append(out, &NoticeResponse::new(fields(&failure, severity)));
}

/// Appends one of pgwire's messages. Only one longer than 2 GiB can't be encoded; none here is.
pub fn append(out: &mut BytesMut, message: &impl Message) {
    if let Err(error) = message.encode(out) {
        tracing::error!(%error, "a message could not be encoded");
    }
}

fn fields(failure: &Failure, severity: &str) -> Vec<(u8, String)> {
    let known = failure.fields();
    let mut fields = vec![
        (b'S', severity.to_owned()),
        (b'V', severity.to_owned()),
        (b'C', known.sqlstate.to_string()),
        (b'M', clean(&known.message)),
    ];
    let optional = [
        (b'D', &known.detail),
        (b'H', &known.hint),
        (b'W', &known.context),
        (b's', &known.schema),
        (b't', &known.table),
        (b'c', &known.column),
        (b'n', &known.constraint),
    ];
    for (code, value) in optional {
        if let Some(value) = value {
            fields.push((code, clean(value)));
        }
    }
    if let Some(routine) = known.routine {
        fields.push((b'R', routine.to_owned()));
    }
    if let Some(position) = known.position {
        fields.push((b'P', position.to_string()));
    }
    fields
}

/// A zero byte would end the field early.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_tag_is_framed_with_its_length() {
        let mut out = BytesMut::new();
        command_complete(&mut out, "SELECT 1");
        assert_eq!(&out[..], b"C\0\0\0\x0dSELECT 1\0");
    }

    #[test]
    fn an_error_has_the_fields_that_are_known_and_no_others() {
        let mut out = BytesMut::new();
        error(
            &mut out,
            &Failure::new(SqlState::UNDEFINED_TABLE, "no such table: t").hint("make one"),
        );
        let text = String::from_utf8_lossy(&out).into_owned();
        assert!(
            text.contains("SERROR\0VERROR\0C42P01\0Mno such table: t\0Hmake one\0\0"),
            "{text}"
        );
    }
}
