//! The first master of several that takes a session.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use dbconfig::{AddressFamily, HostService};
use tls::{ClientTls, Line};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use crate::pg::keep_alive;

/// How long a client may wait until it knows whether a master takes its session.
const LIMIT: Duration = Duration::from_secs(5);
/// Longest refusal that is waited for.
const LONGEST_REFUSAL: usize = 10_000;
/// `ErrorResponse`.
const ERROR: u8 = b'E';
/// Of a server that is a slave.
const READ_ONLY: &str = "25006";

/// A server that has answered.
#[derive(Debug)]
pub(in crate::pg) struct Reached {
    /// As the configuration calls it.
    pub(in crate::pg) target: String,
    /// Where it is.
    pub(in crate::pg) address: SocketAddr,
    /// The connection, on which the session has begun.
    pub(in crate::pg) stream: Line<TcpStream>,
    /// What it has said so far.
    pub(in crate::pg) answer: BytesMut,
    /// Why it does not take the session: SQLSTATE and message.
    pub(in crate::pg) refusal: Option<(String, String)>,
}

/// Begins the session with `opening` on the first server that takes it. Where none does and one says why, that one:
/// the client reads its words, unless it is a slave and another one, which may be the master, does not answer.
///
/// Error: each server with the reason why it can't be reached.
pub(in crate::pg) async fn reach(
    targets: &[HostService],
    opening: &[u8],
    tls: &ClientTls,
) -> Result<Reached, Vec<(String, String)>> {
    reach_within(LIMIT, targets, opening, tls).await
}

async fn reach_within(
    limit: Duration,
    targets: &[HostService],
    opening: &[u8],
    tls: &ClientTls,
) -> Result<Reached, Vec<(String, String)>> {
    let deadline = Instant::now() + limit;
    let mut refused: Option<Reached> = None;
    let mut silent = Vec::new();
    for (at, target) in targets.iter().enumerate() {
        // A server that does not answer leaves time for those behind it.
        let now = Instant::now();
        let left = u32::try_from(targets.len() - at).unwrap_or(u32::MAX);
        let share = now + deadline.saturating_duration_since(now) / left;
        let answered = timeout_at(share, begin(target, opening, tls)).await;
        match answered.unwrap_or_else(|_| Err(io::Error::other("no answer in time"))) {
            Ok(reached) if reached.refusal.is_none() => return Ok(reached),
            // That a server is a slave is the least telling of all reasons.
            Ok(reached) if refused.as_ref().is_none_or(is_slave) => refused = Some(reached),
            Ok(_) => {}
            Err(error) => silent.push((target.to_string(), error.to_string())),
        }
    }
    match refused {
        Some(slave) if is_slave(&slave) && !silent.is_empty() => {
            silent.push((slave.target, "it is a slave".to_owned()));
            Err(silent)
        }
        Some(refused) => Ok(refused),
        None => Err(silent),
    }
}

fn is_slave(reached: &Reached) -> bool {
    let refusal = reached.refusal.as_ref();
    refusal.is_some_and(|(state, _)| state == READ_ONLY)
}

/// Connects, sends, and waits for the first word.
async fn begin(target: &HostService, opening: &[u8], tls: &ClientTls) -> io::Result<Reached> {
    let (stream, address) = connect(target).await?;
    let agreed = Line::agree(stream, &target.host, tls).await;
    let mut stream = agreed.map_err(|why| io::Error::other(why.to_string()))?;
    stream.write_all(opening).await?;
    stream.flush().await?;
    let mut answer = BytesMut::new();
    let mut refusal = None;
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if answer.first() != Some(&ERROR) {
            break;
        }
        if let Some(found) = read_refusal(&answer) {
            refusal = Some(found);
            break;
        }
        if answer.len() > LONGEST_REFUSAL {
            return Err(io::Error::other("this is no answer of a database server"));
        }
    }
    Ok(Reached {
        target: target.to_string(),
        address,
        stream,
        answer,
        refusal,
    })
}

/// The first address of the host that accepts a connection.
async fn connect(target: &HostService) -> io::Result<(TcpStream, SocketAddr)> {
    let port = target.service.resolve().map_err(io::Error::other)?;
    let mut last = None;
    for address in lookup_host((target.host.as_str(), port)).await? {
        let wanted = match target.service.family() {
            AddressFamily::Any | AddressFamily::V46 => true,
            AddressFamily::V4 => address.is_ipv4(),
            AddressFamily::V6 => address.is_ipv6(),
        };
        if wanted {
            match connect_to(address).await {
                Ok(stream) => return Ok((stream, address)),
                Err(error) => last = Some(error),
            }
        }
    }
    Err(last.unwrap_or_else(|| io::Error::other("the host has no address of this family")))
}

/// A connection that sends what it has at once, and notices a machine that is gone.
pub(super) async fn connect_to(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    keep_alive::watch(&stream, &keep_alive::WITH_MASTER)?;
    Ok(stream)
}

/// SQLSTATE and message of an `ErrorResponse` that is complete: type, length, fields of one byte and a text
/// that ends with a zero.
fn read_refusal(answer: &[u8]) -> Option<(String, String)> {
    let length = answer.get(1..)?.try_get_u32().ok()?;
    let end = usize::try_from(length).ok()?.checked_add(1)?;
    let fields = answer.get(5..end)?.split(|byte| *byte == 0);
    let field = |wanted: u8| {
        let found = fields
            .clone()
            .find_map(|field| field.strip_prefix(&[wanted]));
        String::from_utf8_lossy(found.unwrap_or_default()).into_owned()
    };
    Some((field(b'C'), field(b'M')))
}

#[cfg(test)]
mod tests {
    use super::*;

    use pgtypes::SqlState;
    use tokio::net::TcpListener;

    use crate::failure::Failure;
    use crate::wire::output;

    fn refusal(state: SqlState, message: &str) -> BytesMut {
        let mut out = BytesMut::new();
        output::error(
            &mut out,
            &Failure::fatal(state, message).hint("M is no message"),
        );
        out
    }

    #[test]
    fn a_refusal_is_read_when_it_is_complete() {
        let bytes = refusal(SqlState::CANNOT_CONNECT_NOW, "starting up");
        for cut in 0..bytes.len() {
            assert_eq!(read_refusal(&bytes[..cut]), None);
        }
        let expected = ("57P03".to_owned(), "starting up".to_owned());
        assert_eq!(read_refusal(&bytes), Some(expected));
        assert_eq!(read_refusal(b"E\0\0\0\x01abc"), None);
        assert_eq!(read_refusal(b"E\0\0\0\x04"), Some(Default::default()));
    }

    /// As most tests want it: the servers have none, and are not asked.
    fn clear() -> ClientTls {
        let mode = tls::Mode::Disable;
        ClientTls::load(&tls::ClientOptions {
            mode,
            ..Default::default()
        })
        .unwrap()
    }

    /// A server that answers each connection with these bytes and keeps it open.
    async fn answering(answer: Vec<u8>) -> HostService {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.write_all(&answer).await.unwrap();
                open.push(stream);
            }
        });
        address.to_string().parse().unwrap()
    }

    #[tokio::test]
    async fn masters_are_tried_in_turn_until_one_takes_the_session() {
        let slave = refusal(SqlState::READ_ONLY_SQL_TRANSACTION, "a slave");
        let full = refusal(SqlState::TOO_MANY_CONNECTIONS, "full");
        let slave = answering(slave.to_vec()).await;
        let full = answering(full.to_vec()).await;
        let master = answering(b"R\0\0\0\x08\0\0\0\x0a".to_vec()).await;
        // Nobody listens there any more.
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr();
        let gone: HostService = gone.unwrap().to_string().parse().unwrap();
        let all = [gone.clone(), slave.clone(), full.clone(), master.clone()];
        let reached = reach(&all, b"opening", &clear()).await.unwrap();
        assert_eq!(
            (reached.target, reached.refusal),
            (master.to_string(), None)
        );
        assert_eq!(&reached.answer[..1], b"R");

        let reached = reach(
            &[slave.clone(), full, slave.clone(), gone.clone()],
            b"opening",
            &clear(),
        )
        .await;
        let (state, message) = reached.unwrap().refusal.unwrap();
        assert_eq!((state.as_str(), message.as_str()), ("53300", "full"));

        let why = reach(&[slave.clone(), gone.clone()], b"opening", &clear())
            .await
            .unwrap_err();
        assert_eq!(
            why.last(),
            Some(&(slave.to_string(), "it is a slave".to_owned()))
        );
        assert_eq!(why.len(), 2);
        let reached = reach(&[slave.clone(), slave], b"opening", &clear())
            .await
            .unwrap();
        assert_eq!(reached.refusal.unwrap().0, "25006");

        let [(target, why)] = <[_; 1]>::try_from(
            reach(std::slice::from_ref(&gone), b"", &clear())
                .await
                .unwrap_err(),
        )
        .unwrap();
        assert_eq!(target, gone.to_string());
        assert!(why.contains("refused"), "{why}");
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_leaves_time_for_the_next() {
        let silent = answering(Vec::new()).await;
        let master = answering(b"R".to_vec()).await;
        let limit = Duration::from_millis(600);
        let both = [silent.clone(), master.clone()];
        let reached = reach_within(limit, &both, b"opening", &clear())
            .await
            .unwrap();
        assert_eq!(reached.target, master.to_string());
        let both = [silent.clone(), silent];
        let tried = reach_within(limit, &both, b"opening", &clear())
            .await
            .unwrap_err();
        assert_eq!(tried.len(), 2);
        assert!(tried[0].1.contains("no answer in time"), "{tried:?}");
    }
}
