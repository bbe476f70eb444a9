//! The request for TLS that PostgreSQL's protocol has before its first message.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// `SSLRequest`: its length, and a code that no version of the protocol has.
pub const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// What the server says to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has TLS, and waits for the hand to be shaken.
    Yes,
    /// It has none here, and goes on in clear text.
    No,
    /// It says something else, which is an error message if the byte is `E`.
    Other(u8),
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
        other => Answer::Other(other),
    })
}
