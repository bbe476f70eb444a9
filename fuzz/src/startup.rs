//! What comes from a client: the packets before authentication, and the messages after it.

use bytes::BytesMut;
use dbserver::wire::codec::{ClientCodec, Phase};
use tokio_util::codec::Decoder;

use super::choices::Choices;

/// Takes the bytes as a client's, whole and in pieces.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    let phase = match choices.byte() % 4 {
        0 => Phase::Startup,
        1 => Phase::Authentication,
        2 => Phase::Session,
        _ => Phase::Replication,
    };
    let step = usize::from(choices.byte()) + 1;
    let stream = choices.rest();
    let whole = read(phase, stream, stream.len().max(1));
    let pieces = read(phase, stream, step);
    assert_eq!(whole, pieces, "where the stream is cut does not matter");
    let text = String::from_utf8_lossy(stream);
    drop(dbserver::pg::startup::option_settings(&text));
    for binds in [false, true] {
        let body = stream.to_vec().into();
        drop(dbserver::pg::auth::initial_response(&body, binds));
    }
}

/// The messages, and how it ended.
fn read(phase: Phase, stream: &[u8], step: usize) -> Vec<String> {
    let mut codec = ClientCodec::new();
    codec.set_phase(phase);
    let mut buffer = BytesMut::new();
    let mut seen = Vec::new();
    for piece in stream.chunks(step) {
        buffer.extend_from_slice(piece);
        loop {
            match codec.decode(&mut buffer) {
                Ok(None) => break,
                Ok(Some(request)) => {
                    let shown = format!("{request:?}");
                    // Passwords come after a start-up message.
                    if shown.starts_with("Startup(") {
                        codec.set_phase(Phase::Authentication);
                    }
                    seen.push(shown);
                }
                Err(error) => {
                    seen.push(error.to_string());
                    return seen;
                }
            }
        }
    }
    seen
}
