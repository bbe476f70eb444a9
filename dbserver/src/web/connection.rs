//! Connections: one request each, with an end to everything that a client may take long for.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::web::answer::answer;
use crate::web::{Shared, Transport};
use crate::wire::certificate;

/// How long a client may take for the head of its request.
const HEAD: Duration = Duration::from_secs(5);

/// How long a connection may be there, whatever it does.
const LONGEST: Duration = Duration::from_mins(1);

/// Bytes and lines of a request's head.
const MAX_HEAD: usize = 16 << 10;
const MAX_HEADERS: usize = 64;

/// How long it waits where no connection can be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections until the future is dropped; its connections go with it.
pub(super) async fn listen(transport: Transport, listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let served = serve_in_time(transport, stream, peer, Arc::clone(&shared));
                    connections.spawn(served);
                }
                Err(error) => {
                    // Out of descriptors, most likely: others have to leave first.
                    tracing::warn!(%error, "a connection to the status page could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves a connection until its time is over, or another one needs its place.
async fn serve_in_time(
    transport: Transport,
    stream: TcpStream,
    peer: SocketAddr,
    shared: Arc<Shared>,
) {
    let admission = shared.admissions.arrive();
    let host = peer.ip().to_canonical();
    let served = async {
        match transport {
            Transport::Clear => serve(stream, host, &shared).await,
            Transport::Tls => serve_within_tls(stream, host, &shared).await,
        }
    };
    tokio::select! {
        () = served => {}
        () = tokio::time::sleep(LONGEST) => tracing::debug!(%peer, "a client of the status page took too long"),
        () = admission.sent_away() => tracing::debug!(%peer, "a client of the status page made room for another"),
    }
}

async fn serve_within_tls(stream: TcpStream, peer: IpAddr, shared: &Arc<Shared>) {
    let Some(certificate) = &shared.certificate else {
        return;
    };
    let shaken = tokio::time::timeout(HEAD, certificate::current(certificate).accept(stream)).await;
    match shaken {
        Ok(Ok(stream)) => serve(stream, peer, shared).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS with a client of the status page"),
        Err(_) => tracing::debug!(%peer, "a client of the status page took too long for TLS"),
    }
}

/// Serves the one request of a stream, whatever lies under it.
async fn serve<S>(stream: S, peer: IpAddr, shared: &Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service =
        service_fn(
            |request| async move { Ok::<_, Infallible>(answer(shared, peer, request).await) },
        );
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "a client of the status page was not served");
    }
}
