//! Requests, with what goes wrong with them.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::IF_NONE_MATCH;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

use crate::faults::{Fault, Faults};

type Answer = Response<Either<Full<Bytes>, Cut>>;

/// The connection ends here.
type Gone = io::Error;

/// The server, and what is in front of it.
pub(crate) struct Service {
    store: S3Service,
    root: PathBuf,
    faults: Arc<Faults>,
    /// It looks whether an object is there before it writes it: of two that put one, one waits.
    putting: Mutex<()>,
}

/// A body that has half of what it says.
pub(crate) struct Cut {
    half: Option<Bytes>,
    length: u64,
}

impl Body for Cut {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.half.take().map(|half| Ok(Frame::data(half))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

impl Service {
    pub(crate) fn new(root: &Path, (key, secret): (&str, &str), faults: Arc<Faults>) -> Self {
        let files = FileSystem::new(root).expect("a store");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(key, secret));
        Self {
            store: builder.build(),
            root: root.to_owned(),
            faults,
            putting: Mutex::new(()),
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Gone> {
        let fault = self.faults.of(request.method().as_str());
        match fault {
            Some(Fault::Unavailable) => return Ok(said(StatusCode::SERVICE_UNAVAILABLE)),
            Some(Fault::Forbidden) => return Ok(said(StatusCode::FORBIDDEN)),
            Some(Fault::Slow(time)) => tokio::time::sleep(time).await,
            Some(Fault::LostAnswer | Fault::CutAnswer) | None => {}
        }
        // Several at once are a POST.
        let removes = *request.method() == Method::DELETE
            || request
                .uri()
                .query()
                .is_some_and(|query| query.split('&').any(|it| it.starts_with("delete")));
        if removes && self.faults.are_deletes_refused() {
            return Ok(said(StatusCode::FORBIDDEN));
        }
        if request.headers().contains_key(IF_NONE_MATCH) {
            if self.faults.are_conditions_refused() {
                return Ok(said(StatusCode::NOT_IMPLEMENTED));
            }
            if self.faults.are_conditions_ignored() {
                let file = self.root.join(request.uri().path().trim_start_matches('/'));
                // There is none where it is put for the first time.
                drop(tokio::fs::remove_file(file).await);
            }
        }
        let done = self.done(request).await?;
        match fault {
            Some(Fault::LostAnswer) => Err(io::Error::other("the answer is lost")),
            Some(Fault::CutAnswer) => Ok(cut(done)),
            _ => Ok(done.map(|body| Either::Left(Full::new(body)))),
        }
    }

    async fn done(&self, request: Request<Incoming>) -> Result<Response<Bytes>, Gone> {
        let is_put = *request.method() == Method::PUT;
        let _one = if is_put {
            Some(self.putting.lock().await)
        } else {
            None
        };
        let request = request.map(s3s::Body::from);
        let answer = self.store.call(request).await;
        let (head, body) = answer
            .map_err(|error| io::Error::other(format!("{error:?}")))?
            .into_parts();
        let body = body.collect().await.map_err(io::Error::other)?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

fn said(status: StatusCode) -> Answer {
    let mut answer = Response::new(Either::Left(Full::default()));
    *answer.status_mut() = status;
    answer
}

fn cut(answer: Response<Bytes>) -> Answer {
    answer.map(|body| {
        let length = body.len() as u64;
        let half = body.slice(..body.len() / 2);
        Either::Right(Cut {
            half: Some(half),
            length,
        })
    })
}

/// Serves connections until its event loop ends.
pub(crate) async fn serve(listener: TcpListener, service: Arc<Service>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, Arc::clone(&service)));
    }
}

async fn connection(stream: TcpStream, service: Arc<Service>) {
    let answer = service_fn(|request| {
        let service = Arc::clone(&service);
        async move { service.answer(request).await }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
    // That it was ended is what a fault does.
    drop(connection.await);
}
