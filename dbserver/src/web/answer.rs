//! From a request to its answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dbconfig::{Asked, Origin, Target};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use crate::environment::Environment;
use crate::error::EngineError;
use crate::web::access::Shown;
use crate::web::health::{self, Health, MaxLag};
use crate::web::metrics;
use crate::web::page;
use crate::web::view::View;
use crate::web::{Served, Shared};

/// How long an answer may take that reads a disk.
const MAKING: Duration = Duration::from_secs(20);

/// Prometheus' text format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Page,
    Json,
    Metrics,
    Health,
    Ready,
    Master,
    Replica,
}

impl Place {
    fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/" => Self::Page,
            "/status.json" => Self::Json,
            "/metrics" => Self::Metrics,
            "/healthz" => Self::Health,
            "/readyz" => Self::Ready,
            "/master" => Self::Master,
            "/replica" => Self::Replica,
            _ => return None,
        })
    }
}

/// A status, a type and a text.
struct Answer {
    status: StatusCode,
    kind: &'static str,
    text: String,
}

impl Answer {
    fn well(kind: &'static str, text: String) -> Self {
        Self {
            status: StatusCode::OK,
            kind,
            text,
        }
    }

    /// A line that says what is wrong.
    fn line(status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            status,
            kind: TEXT,
            text: text.into() + "\n",
        }
    }

    fn of_health(health: Health) -> Self {
        match health {
            Health::Well => Self::line(StatusCode::OK, "ok"),
            Health::Ill(why) => Self::line(StatusCode::SERVICE_UNAVAILABLE, why),
        }
    }

    /// With what every answer has: nobody keeps it, nothing from elsewhere is loaded.
    fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.text)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let fixed: [(HeaderName, &'static str); 5] = [
            (header::CONTENT_TYPE, self.kind),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                "same-origin",
            ),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(header::CONTENT_SECURITY_POLICY, page::policy());
        response
    }
}

/// Answers a request.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let asked = Asked {
        origin: Origin::Address(peer),
        user: "",
        target: Target::StatusPage,
    };
    if let Err(rule) = shared.gate.judge(&asked).await {
        tracing::warn!(host = %peer, rule, "access to the status page refused: [http-access] does not let this address in");
        count_denied(shared);
        return Answer::line(StatusCode::FORBIDDEN, "no access").into_response();
    }
    if let Some(name) = shared.names.refused(request.uri(), request.headers()) {
        tracing::warn!(host = %peer, name, "access to the status page refused: it was asked for by a name that is not in HttpHosts");
        count_denied(shared);
        let why = "this name is not in HttpHosts of the server's configuration: ask by its address, or list the name there";
        return Answer::line(StatusCode::MISDIRECTED_REQUEST, why).into_response();
    }
    let shown = shared
        .door
        .look(request.headers().get(header::AUTHORIZATION));
    if shown != Shown::Welcome {
        return ask_who(shared, peer, shown).await;
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let only = "only GET and HEAD are answered";
        let mut response = Answer::line(StatusCode::METHOD_NOT_ALLOWED, only).into_response();
        let allowed = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(header::ALLOW, allowed);
        return response;
    }
    let uri = request.uri();
    let answer = match Place::of(uri.path()) {
        Some(place) => at(shared, place, uri.query()).await,
        None => Answer::line(
            StatusCode::NOT_FOUND,
            "there are /, /status.json, /metrics, /healthz, /readyz, /master and /replica",
        ),
    };
    answer.into_response()
}

/// 401; a wrong password takes its time.
async fn ask_who(shared: &Shared, peer: IpAddr, shown: Shown) -> Response<Full<Bytes>> {
    if shown == Shown::Wrong {
        tracing::warn!(host = %peer, "access to the status page refused: the name or the password is wrong");
        count_denied(shared);
        shared.door.slow_down().await;
    }
    let needed = "HttpUser and HttpPswd are needed";
    let mut response = Answer::line(StatusCode::UNAUTHORIZED, needed).into_response();
    let basic = HeaderValue::from_static("Basic realm=\"eloqdb\", charset=\"UTF-8\"");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, basic);
    response
}

fn count_denied(shared: &Shared) {
    if let Some(served) = shared.served.get() {
        served.environment.sessions().counts().denied.add(1);
    }
}

async fn at(shared: &Arc<Shared>, place: Place, query: Option<&str>) -> Answer {
    let max_lag = match place {
        Place::Ready | Place::Replica => match MaxLag::of_query(query.unwrap_or_default()) {
            Ok(max_lag) => max_lag,
            Err(why) => return Answer::line(StatusCode::BAD_REQUEST, why),
        },
        _ => MaxLag::default(),
    };
    let Some(served) = shared.served.get() else {
        return Answer::of_health(Health::starting());
    };
    // What needs no disk waits for none.
    match place {
        Place::Health => return Answer::of_health(Health::of(&served.environment)),
        Place::Master => return Answer::of_health(health::master(&served.environment)),
        Place::Page | Place::Json | Place::Metrics | Place::Ready | Place::Replica => {}
    }
    let work = Arc::clone(shared);
    let made = tokio::task::spawn_blocking(move || {
        let Some(served) = work.served.get() else {
            return Answer::of_health(Health::starting());
        };
        make(&work, served, place, max_lag).unwrap_or_else(|error| {
            Answer::line(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
        })
    });
    match tokio::time::timeout(MAKING, made).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            tracing::error!(%error, "an answer of the status page could not be made");
            let why = "an error in the server, see its log";
            Answer::line(StatusCode::INTERNAL_SERVER_ERROR, why)
        }
        Err(_) => Answer::line(
            StatusCode::SERVICE_UNAVAILABLE,
            "the disks of the server do not answer",
        ),
    }
}

/// The answers that may read a disk.
fn make(
    shared: &Shared,
    served: &Served,
    place: Place,
    max_lag: MaxLag,
) -> Result<Answer, EngineError> {
    let environment: &Environment = &served.environment;
    match place {
        Place::Ready => return health::ready(environment, max_lag).map(Answer::of_health),
        Place::Replica => return health::replica(environment, max_lag).map(Answer::of_health),
        Place::Page | Place::Json | Place::Metrics | Place::Health | Place::Master => {}
    }
    let view = View::of(shared, served)?;
    Ok(match place {
        Place::Metrics => Answer::well(EXPOSITION, metrics::exposition(&view)),
        Place::Json => Answer::well(JSON, view.to_json()?),
        Place::Page | Place::Health | Place::Ready | Place::Master | Place::Replica => {
            Answer::well(HTML, page::render(&view))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_forbids_what_is_from_elsewhere_and_is_kept_by_nobody() {
        let response = Answer::line(StatusCode::NOT_FOUND, "x").into_response();
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-content-type-options"), "nosniff");
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe") && !policy.contains("http"),
            "{policy}"
        );
    }

    #[test]
    fn paths_are_exact() {
        assert_eq!(Place::of("/"), Some(Place::Page));
        for path in [
            "",
            "//",
            "/metrics/",
            "/../metrics",
            "/Metrics",
            "/favicon.ico",
        ] {
            assert_eq!(Place::of(path), None, "{path}");
        }
    }
}
