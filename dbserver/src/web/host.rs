//! By which name the status page is asked for.
//!
//! A web site may give its own name the address of this server once a browser has loaded its page ("DNS rebinding"): what
//! the page then reads comes from the browser's machine, which `[http-access]` lets in, most often from loopback. The
//! browser says in the header `Host` by which name it asks. A name that a stranger can have is refused, unless a password
//! is asked for, which the browser has for the right name alone.

use dbconfig::{Http, HttpHosts};
use hyper::header::HOST;
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Uri};

/// Domains in which nobody has a name on the internet.
const PRIVATE: [&str; 4] = [".localhost", ".local", ".internal", ".home.arpa"];

/// Characters of a name that are told.
const MAX_SHOWN: usize = 80;

/// The names by which it may be asked for.
#[derive(Debug)]
pub(super) enum Names {
    /// Any.
    All,
    /// These, and those that no stranger can have.
    Named(Vec<String>),
}

impl Names {
    pub(super) fn new(http: &Http) -> Self {
        match &http.hosts {
            HttpHosts::Named(names) if http.credentials.is_none() => Self::Named(names.clone()),
            HttpHosts::Named(_) | HttpHosts::All => Self::All,
        }
    }

    /// The name that a request must not have, as it is told; `None` where it is as it should be. Who says no name is no browser.
    pub(super) fn refused(&self, uri: &Uri, headers: &HeaderMap) -> Option<String> {
        let Self::Named(names) = self else {
            return None;
        };
        let said = headers.get_all(HOST).iter();
        let said = said.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let whole = uri.authority().map(ToString::to_string);
        let found = said.chain(whole).find(|host| !is_known(names, host));
        found.map(|host| host.escape_debug().take(MAX_SHOWN).collect())
    }
}

fn is_known(names: &[String], host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host().to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    let is_address = name.starts_with('[') || name.parse::<std::net::IpAddr>().is_ok();
    is_address
        || !name.contains('.')
        || PRIVATE.iter().any(|domain| name.ends_with(domain))
        || names.iter().any(|known| known == name)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn refused(names: &Names, hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
        }
        names.refused(&Uri::from_static("/"), &headers).is_some()
    }

    #[test]
    fn a_name_that_a_stranger_can_have_is_refused() {
        let names = Names::Named(vec!["db1.example.com".to_owned()]);
        for host in [
            "127.0.0.1:8103",
            "[::1]:8103",
            "10.1.2.3",
            "localhost:8103",
            "LOCALHOST",
            "db.localhost",
            "eloqdb:8103",
            "eloqdb.shop.svc.cluster.local:8103",
            "db1.example.com:8103",
            "DB1.Example.com.",
        ] {
            assert!(!refused(&names, &[host]), "{host}");
        }
        for host in [
            "evil.example:8103",
            "db1.example.com.evil.example",
            "127.0.0.1.evil.example",
            "evil.example\u{e9}",
            "local.example",
            "db2.example.com",
            "a b",
            "",
        ] {
            assert!(refused(&names, &[host]), "{host}");
        }
        assert!(refused(&names, &["127.0.0.1", "evil.example"]));
        assert!(!refused(&names, &[]));
        assert!(!refused(&Names::All, &["evil.example"]));
        let uri = Uri::from_static("http://evil.example/status.json");
        assert!(names.refused(&uri, &HeaderMap::new()).is_some());
    }
}
