//! The request for TLS that PostgreSQL's protocol has before its first message.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// `SSLRequest`: its length, and a code that no version of the protocol has.
pub const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Longest refusal that is read.
const LONGEST_REFUSAL: usize = 10_000;

/// What the server says to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has TLS, and waits for the hand to be shaken.
    Yes,
    /// It has none here, and goes on in clear text.
    No,
    /// It has no place for a client, or is no PostgreSQL server of this century. Nobody has proved who says so.
    Refused(Words),
    /// It says something else.
    Other,
}

/// What an error message says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Its SQLSTATE.
    pub sqlstate: String,
    /// The message.
    pub message: String,
    /// What to do about it; empty where it does not say.
    pub hint: String,
}

/// Asks the server. Exactly one byte is read: what comes behind it, somebody else may have put there.
pub async fn ask<S>(stream: &mut S) -> io::Result<Answer>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(&SSL_REQUEST).await?;
    stream.flush().await?;
    Ok(match stream.read_u8().await? {
        b'S' => Answer::Yes,
        b'N' => Answer::No,
        b'E' => refusal(stream)
            .await?
            .map_or(Answer::Other, Answer::Refused),
        _ => Answer::Other,
    })
}

/// The rest of an `ErrorResponse`: its length, then fields of one byte and a text that ends with a zero.
async fn refusal<S>(stream: &mut S) -> io::Result<Option<Words>>
where
    S: AsyncRead + Unpin,
{
    let length = stream.read_u32().await? as usize;
    if !(4..=LONGEST_REFUSAL).contains(&length) {
        return Ok(None);
    }
    let mut body = vec![0; length - 4];
    stream.read_exact(&mut body).await?;
    let field = |wanted: u8| {
        let mut fields = body.split(|byte| *byte == 0);
        let found = fields.find_map(|field| field.strip_prefix(&[wanted]));
        String::from_utf8_lossy(found.unwrap_or_default()).replace(char::is_control, " ")
    };
    Ok(Some(Words {
        sqlstate: field(b'C'),
        message: field(b'M'),
        hint: field(b'H'),
    }))
}
