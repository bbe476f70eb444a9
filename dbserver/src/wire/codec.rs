//! Frames of PostgreSQL's protocol v3, between bytes and messages.
//!
//! A frame is cut off the input by its length first and then read field by field with a check before
//! each step, so a message that lies about its lengths can't reach into the next one. The values are
//! pgwire's message types.

use std::sync::Arc;
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};
use pgwire::messages::cancel::CancelRequest;
use pgwire::messages::copy::{CopyData, CopyDone, CopyFail};
use pgwire::messages::extendedquery::{Bind, Close, Describe, Execute, Flush, Parse, Sync};
use pgwire::messages::simplequery::Query;
use pgwire::messages::startup::{PasswordMessageFamily, Startup};
use pgwire::messages::terminate::Terminate;
use pgwire::messages::{DecodeContext, Message, PgWireBackendMessage, PgWireFrontendMessage};
use tokio_util::codec::{Decoder, Encoder};

use crate::wire::proxy::{self, ProxyHeader};
use crate::wire::silence::Silence;

/// Longest message before authentication.
const MAX_STARTUP_MESSAGE: usize = 10_000;
/// Longest message of an authenticated client; memory is taken as its bytes arrive.
const MAX_MESSAGE: usize = 0x3fff_ffff;
/// Longest message of a dbrepl: one of the replication protocol, and its length field.
const MAX_REPLICATION_MESSAGE: usize = dbproto::MAX_MESSAGE + 4;
/// Length field, code and nothing else: the shortest message of the start-up phase.
const MIN_STARTUP_MESSAGE: usize = 8;

const CANCEL_CODE: u32 = 80_877_102;
const SSL_CODE: u32 = 80_877_103;
const GSS_CODE: u32 = 80_877_104;

/// What the next bytes of a connection are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Messages without a type byte: requests for encryption, cancel, start-up.
    Startup,
    /// Password messages.
    Authentication,
    /// Everything after `AuthenticationOk`.
    Session,
    /// The forward log of a master, after `AuthenticationOk`.
    Replication,
}

/// A message from a client.
#[derive(Debug)]
pub enum Request {
    /// Where the connection comes from, before anything else of it.
    Proxy(ProxyHeader),
    /// `SSLRequest`.
    Tls,
    /// `GSSENCRequest`.
    Gss,
    /// `CancelRequest`, and the packet that it came in.
    Cancel(CancelRequest, Bytes),
    /// The start-up message, and the packet that it came in.
    Startup(Startup, Bytes),
    /// A message as pgwire has it.
    Message(PgWireFrontendMessage),
    /// A message whose frame is sound and whose text is not UTF-8: an error that the session outlives.
    BadText {
        /// Whether it belongs to the extended protocol (the rest up to Sync is skipped).
        extended: bool,
    },
}

/// What ends a connection.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The socket failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The client broke the protocol.
    #[error("{0}")]
    Violation(&'static str),
}

/// Cuts and reads the frames of one connection; writes pgwire's messages.
#[derive(Debug)]
pub struct ClientCodec {
    phase: Phase,
    silence: Option<Arc<Silence>>,
}

impl ClientCodec {
    /// The codec of a fresh connection.
    pub fn new() -> Self {
        Self {
            phase: Phase::Startup,
            silence: None,
        }
    }

    /// The same, which notes until the session begins whether the client keeps it waiting.
    pub fn noting(silence: Arc<Silence>) -> Self {
        Self {
            phase: Phase::Startup,
            silence: Some(silence),
        }
    }

    /// Goes on to another phase.
    pub fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
        if matches!(phase, Phase::Session | Phase::Replication) {
            self.silence = None;
        }
    }

    /// Something else than a message is waited for, or has come.
    pub fn waits_for_client(&self, waits: bool) {
        match &self.silence {
            Some(silence) if waits => silence.goes_on(Instant::now()),
            Some(silence) => silence.ends(),
            None => {}
        }
    }
}

impl Default for ClientCodec {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder for ClientCodec {
    type Item = Request;
    type Error = WireError;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<Request>, WireError> {
        let decoded = match self.phase {
            Phase::Startup => decode_startup(source),
            Phase::Authentication => decode_tagged(source, MAX_STARTUP_MESSAGE),
            Phase::Session => decode_tagged(source, MAX_MESSAGE),
            Phase::Replication => decode_tagged(source, MAX_REPLICATION_MESSAGE),
        };
        self.waits_for_client(matches!(decoded, Ok(None)));
        decoded
    }
}

impl Encoder<PgWireBackendMessage> for ClientCodec {
    type Error = WireError;

    fn encode(
        &mut self,
        message: PgWireBackendMessage,
        output: &mut BytesMut,
    ) -> Result<(), WireError> {
        message
            .encode(output)
            .map_err(|_| WireError::Violation("message too large to send"))
    }
}

fn decode_startup(source: &mut BytesMut) -> Result<Option<Request>, WireError> {
    if proxy::begins(source) {
        let header = proxy::decode(source).map_err(WireError::Violation)?;
        return Ok(header.map(Request::Proxy));
    }
    let Ok(length) = source.as_ref().try_get_u32() else {
        return Ok(None);
    };
    let length = length as usize;
    if !(MIN_STARTUP_MESSAGE..=MAX_STARTUP_MESSAGE).contains(&length) {
        return Err(WireError::Violation("invalid length of startup packet"));
    }
    if source.len() < length {
        return Ok(None);
    }
    let packet = source.split_to(length).freeze();
    let mut frame = BytesMut::from(&packet[..]);
    let code = frame.get(4..).and_then(|mut rest| rest.try_get_u32().ok());
    let context = DecodeContext::default();
    match code {
        Some(SSL_CODE) => Ok(Some(Request::Tls)),
        Some(GSS_CODE) => Ok(Some(Request::Gss)),
        Some(CANCEL_CODE) => CancelRequest::decode(&mut frame, &context)
            .map(|found| found.map(|m| Request::Cancel(m, packet)))
            .map_err(|_| WireError::Violation("invalid cancel request")),
        _ => Startup::decode(&mut frame, &context)
            .map(|found| found.map(|m| Request::Startup(m, packet)))
            .map_err(|_| WireError::Violation("unsupported frontend protocol")),
    }
}

fn decode_tagged(source: &mut BytesMut, limit: usize) -> Result<Option<Request>, WireError> {
    let Some(tag) = source.first().copied() else {
        return Ok(None);
    };
    let Some(Ok(length)) = source.get(1..).map(|mut rest| rest.try_get_u32()) else {
        return Ok(None);
    };
    let length = length as usize;
    if !(4..=limit).contains(&length) {
        return Err(WireError::Violation("invalid message length"));
    }
    if source.len() <= length {
        return Ok(None);
    }
    let mut frame = source.split_to(length + 1);
    frame.advance(5);
    let fields = Fields {
        rest: frame.freeze(),
    };
    match message(tag, fields) {
        Ok(message) => Ok(Some(Request::Message(message))),
        Err(Unreadable::Text) => Ok(Some(Request::BadText {
            extended: matches!(tag, b'P' | b'B' | b'D' | b'E' | b'C'),
        })),
        Err(Unreadable::Frame(why)) => Err(WireError::Violation(why)),
    }
}

enum Unreadable {
    Text,
    Frame(&'static str),
}

/// The fields of one frame, taken from the front.
struct Fields {
    rest: Bytes,
}

impl Fields {
    /// A string up to its zero byte.
    fn text(&mut self) -> Result<String, Unreadable> {
        let Some(end) = self.rest.iter().position(|byte| *byte == 0) else {
            return Err(Unreadable::Frame("invalid string in message"));
        };
        let text = self.rest.split_to(end);
        self.rest.advance(1);
        std::str::from_utf8(&text)
            .map(str::to_owned)
            .map_err(|_| Unreadable::Text)
    }

    /// A name; the empty one is the unnamed object.
    fn name(&mut self) -> Result<Option<String>, Unreadable> {
        let text = self.text()?;
        Ok((!text.is_empty()).then_some(text))
    }

    fn byte(&mut self) -> Result<u8, Unreadable> {
        self.rest.try_get_u8().map_err(short)
    }

    fn count(&mut self) -> Result<usize, Unreadable> {
        self.rest.try_get_u16().map(usize::from).map_err(short)
    }

    fn int(&mut self) -> Result<i32, Unreadable> {
        self.rest.try_get_i32().map_err(short)
    }

    fn formats(&mut self) -> Result<Vec<i16>, Unreadable> {
        let count = self.count()?;
        (0..count)
            .map(|_| self.rest.try_get_i16().map_err(short))
            .collect()
    }

    fn oids(&mut self) -> Result<Vec<u32>, Unreadable> {
        let count = self.count()?;
        (0..count)
            .map(|_| self.rest.try_get_u32().map_err(short))
            .collect()
    }

    /// Parameter values; length -1 is NULL.
    fn values(&mut self) -> Result<Vec<Option<Bytes>>, Unreadable> {
        let count = self.count()?;
        (0..count)
            .map(|_| match usize::try_from(self.int()?) {
                Ok(length) if length <= self.rest.len() => Ok(Some(self.rest.split_to(length))),
                Ok(_) => Err(Unreadable::Frame("insufficient data left in message")),
                Err(_) => Ok(None),
            })
            .collect()
    }
}

fn short(_: bytes::TryGetError) -> Unreadable {
    Unreadable::Frame("insufficient data left in message")
}

fn message(tag: u8, mut fields: Fields) -> Result<PgWireFrontendMessage, Unreadable> {
    use PgWireFrontendMessage as Frontend;
    Ok(match tag {
        b'Q' => Frontend::Query(Query::new(fields.text()?)),
        b'P' => Frontend::Parse(Parse::new(fields.name()?, fields.text()?, fields.oids()?)),
        b'B' => Frontend::Bind(Bind::new(
            fields.name()?,
            fields.name()?,
            fields.formats()?,
            fields.values()?,
            fields.formats()?,
        )),
        b'D' => Frontend::Describe(Describe::new(fields.byte()?, fields.name()?)),
        b'C' => Frontend::Close(Close::new(fields.byte()?, fields.name()?)),
        b'E' => Frontend::Execute(Execute::new(fields.name()?, fields.int()?)),
        b'H' => Frontend::Flush(Flush::new()),
        b'S' => Frontend::Sync(Sync::new()),
        b'X' => Frontend::Terminate(Terminate::new()),
        b'd' => Frontend::CopyData(CopyData::new(fields.rest)),
        b'c' => Frontend::CopyDone(CopyDone::new()),
        b'f' => Frontend::CopyFail(CopyFail::new(fields.text()?)),
        b'p' => {
            Frontend::PasswordMessageFamily(PasswordMessageFamily::Raw(BytesMut::from(fields.rest)))
        }
        _ => return Err(Unreadable::Frame("invalid frontend message type")),
    })
}

/// Whether the buffer holds a whole message, so that the next one can be had without a wait.
pub fn has_frame(buffer: &BytesMut) -> bool {
    let Some(Ok(length)) = buffer.get(1..).map(|mut rest| rest.try_get_u32()) else {
        return false;
    };
    buffer.len() > length as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    use bytes::BufMut as _;

    fn session(bytes: &[u8]) -> (Result<Option<Request>, WireError>, usize) {
        let mut source = BytesMut::from(bytes);
        let found = decode_tagged(&mut source, MAX_MESSAGE);
        (found, source.len())
    }

    #[test]
    fn a_query_is_read_when_all_its_bytes_are_there() {
        let bytes = b"Q\0\0\0\x0dselect 1\0";
        assert!(matches!(session(&bytes[..bytes.len() - 1]), (Ok(None), _)));
        let (found, left) = session(bytes);
        let Ok(Some(Request::Message(PgWireFrontendMessage::Query(query)))) = found else {
            panic!("not a query");
        };
        assert_eq!((query.query.as_str(), left), ("select 1", 0));
    }

    #[test]
    fn a_parameter_that_claims_more_bytes_than_its_message_has_is_a_violation() {
        // Bind, unnamed portal and statement, no formats, one value of 100 bytes; then a Sync.
        let bytes = b"B\0\0\0\x10\0\0\0\0\0\x01\0\0\0\x64\0\0S\0\0\0\x04";
        assert!(matches!(session(bytes).0, Err(WireError::Violation(_))));
    }

    #[test]
    fn each_phase_has_its_longest_message() {
        for (phase, longest) in [
            (Phase::Authentication, MAX_STARTUP_MESSAGE),
            (Phase::Replication, dbproto::MAX_MESSAGE + 4),
            (Phase::Session, MAX_MESSAGE),
        ] {
            let mut codec = ClientCodec::new();
            codec.set_phase(phase);
            for (length, taken) in [(longest, true), (longest + 1, false)] {
                let mut bytes = BytesMut::from(&b"d"[..]);
                bytes.put_u32(u32::try_from(length).unwrap());
                assert_eq!(
                    codec.decode(&mut bytes).is_ok(),
                    taken,
                    "{phase:?} {length}"
                );
            }
        }
    }

    #[test]
    fn text_that_is_not_utf8_leaves_the_connection_usable() {
        let (found, left) = session(b"P\0\0\0\x09\0\xff\xfe\0\0\0");
        assert!(matches!(
            found,
            Ok(Some(Request::BadText { extended: true }))
        ));
        assert_eq!(left, 1);
    }

    #[test]
    fn lengths_below_the_header_and_unknown_types_are_violations() {
        assert!(matches!(
            session(b"S\0\0\0\x03").0,
            Err(WireError::Violation(_))
        ));
        assert!(matches!(
            session(b"S\xff\xff\xff\xff").0,
            Err(WireError::Violation(_))
        ));
        assert!(matches!(
            session(b"!\0\0\0\x04").0,
            Err(WireError::Violation(_))
        ));
    }

    #[test]
    fn no_prefix_and_no_changed_byte_of_a_bind_panics() {
        let bind = b"B\0\0\0\x1cp\0s\0\0\x01\0\x01\0\x02\0\0\0\x02ab\xff\xff\xff\xff\0\x01\0\0";
        for at in 0..bind.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bytes = bind.to_vec();
                bytes[at] = value;
                drop(session(&bytes));
                drop(session(&bytes[..at]));
            }
        }
        assert!(matches!(
            session(bind).0,
            Ok(Some(Request::Message(PgWireFrontendMessage::Bind(_))))
        ));
    }

    #[test]
    fn a_startup_packet_may_be_a_request_for_encryption() {
        let mut source = BytesMut::from(&b"\0\0\0\x08\x04\xd2\x16\x2f"[..]);
        assert!(matches!(
            decode_startup(&mut source),
            Ok(Some(Request::Tls))
        ));
        let mut source = BytesMut::from(&b"\0\0\0\x02"[..]);
        assert!(decode_startup(&mut source).is_err());
    }

    #[test]
    fn a_header_of_a_proxy_stands_before_the_packet_that_is_kept_as_it_came() {
        let header = ProxyHeader {
            addresses: Some((([10, 0, 0, 7], 1).into(), ([10, 0, 0, 8], 2).into())),
            hops: 1,
        };
        let packet = b"\0\0\0\x14\0\x03\0\0user\0ann\0\0rest of another one";
        let mut source = BytesMut::new();
        header.encode(&mut source);
        source.extend_from_slice(packet);
        let Ok(Some(Request::Proxy(read))) = decode_startup(&mut source) else {
            panic!("no header");
        };
        assert_eq!(read, header);
        let Ok(Some(Request::Startup(startup, raw))) = decode_startup(&mut source) else {
            panic!("no start-up packet");
        };
        assert_eq!(startup.parameters.get("user").unwrap(), "ann");
        assert_eq!(&raw[..], &packet[..20]);
        // What only begins as a signature does is a packet of an impossible length.
        let mut source = BytesMut::from(&b"\r\n\r\nGET"[..]);
        assert!(decode_startup(&mut source).is_err());
    }
}
