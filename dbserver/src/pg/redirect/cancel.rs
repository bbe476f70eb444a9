//! Cancel requests for sessions that others serve.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tls::{ClientTls, Line};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::environment::Environment;
use crate::pg::caller::Caller;
use crate::pg::redirect::{MAX_HOPS, header, reach, tls_without_name};

/// How long a client waits for the end of its request.
const LIMIT: Duration = Duration::from_secs(5);

/// Hands a request whose key nobody has here to the servers of redirected sessions: one of them knows it, or none.
/// When it comes back, they have it: a client waits for that.
pub(in crate::pg) async fn cancel(
    environment: &Environment,
    caller: &Caller,
    packet: &Bytes,
    targets: BTreeSet<SocketAddr>,
) {
    if caller.hops >= MAX_HOPS || targets.is_empty() {
        return;
    }
    let tls = match tls_without_name(environment) {
        Ok(tls) => tls,
        Err(failure) => {
            tracing::warn!(%failure, "cancel requests can't be handed on");
            return;
        }
    };
    let mut request = BytesMut::new();
    header(caller).encode(&mut request);
    request.extend_from_slice(packet);
    let sent = targets
        .into_iter()
        .map(|target| send_cancel(target, &request, LIMIT, &tls));
    futures::future::join_all(sent).await;
}

/// Hands a request to one server.
pub(in crate::pg) async fn send_cancel(
    target: SocketAddr,
    request: &[u8],
    limit: Duration,
    tls: &ClientTls,
) {
    let answered = tokio::time::timeout(limit, send(target, request, tls)).await;
    if let Err(error) = answered.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        tracing::warn!(%target, %error, "a cancel request could not be handed on");
    }
}

/// The other side closes the connection when it is done, without a word.
async fn send(target: SocketAddr, request: &[u8], tls: &ClientTls) -> io::Result<()> {
    let stream = reach::connect_to(target).await?;
    let agreed = Line::agree(stream, &target.ip().to_string(), tls).await;
    let mut stream = agreed.map_err(|why| io::Error::other(why.to_string()))?;
    stream.write_all(request).await?;
    stream.flush().await?;
    let mut words = [0; 64];
    while stream.read(&mut words).await? > 0 {}
    Ok(())
}
