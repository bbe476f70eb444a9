//! The status page: where it is served, and who may read it.

use std::fmt;

use crate::keys::Section;
use crate::load::text;
use crate::net::words;
use crate::reader::Reader;
use crate::service::Service;

/// Longest name and longest password, in bytes: with more, a request's head would not hold them.
const MAX_CREDENTIAL: usize = 256;

/// The status page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Its port in clear text; the addresses are those of Listen. See [`Server::http_sockets`].
    ///
    /// [`Server::http_sockets`]: crate::Server::http_sockets
    pub clear: Option<Service>,
    /// Its port within TLS; one of the two is set.
    pub tls: Option<Service>,
    /// Who may read it; none = whoever `[http-access]` lets in.
    pub credentials: Option<Credentials>,
    /// By which names it may be asked for.
    pub hosts: HttpHosts,
}

/// `HttpHosts`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpHosts {
    /// Any name.
    All,
    /// These, in lower case, beside those that nobody else can have.
    Named(Vec<String>),
}

impl Http {
    /// Whether the configuration file itself has a password.
    pub(crate) fn has_secret(&self) -> bool {
        let credentials = self.credentials.as_ref();
        credentials.is_some_and(|credentials| credentials.password.spelled_out)
    }
}

/// A user and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `HttpUser`
    pub user: String,
    /// `HttpPswd`
    pub password: Secret,
}

/// A text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    /// It stands in the file, and does not come from a variable.
    spelled_out: bool,
}

impl Secret {
    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The keys of the status page.
pub(crate) fn read(reader: &mut Reader) -> Option<Http> {
    use Section::Server as S;
    let clear = reader.optional(S, "ServiceHttp", maybe_service).flatten();
    let tls = reader.optional(S, "ServiceHttps", maybe_service).flatten();
    let is_served = clear.is_some() || tls.is_some();
    let user = reader.optional(S, "HttpUser", user);
    let password = reader.optional(S, "HttpPswd", |text| bounded(text, "a password"));
    let spelled_out = reader.is_spelled_out(S, "HttpPswd");
    let is_set = |reader: &Reader, name| reader.line(S, name).is_some();
    let credentials = match (user, password) {
        (Some(user), Some(password)) => Some(Credentials {
            user,
            password: Secret {
                text: password,
                spelled_out,
            },
        }),
        (Some(_), None) if !is_set(reader, "HttpPswd") => {
            reader.problem(S, "HttpUser", "HttpUser needs HttpPswd");
            None
        }
        (None, Some(_)) if !is_set(reader, "HttpUser") => {
            reader.problem(S, "HttpPswd", "HttpPswd needs HttpUser");
            None
        }
        _ => None,
    };
    let hosts = reader.optional(S, "HttpHosts", hosts);
    let keys = [
        (S, "HttpUser"),
        (S, "HttpHosts"),
        (Section::HttpAccess, "allow"),
        (Section::HttpAccess, "deny"),
    ];
    for (section, name) in keys {
        if !is_served && let Some(line) = reader.line(section, name) {
            reader.warn(
                line,
                &format!("{name} has no effect without ServiceHttp or ServiceHttps"),
            );
        }
    }
    is_served.then_some(Http {
        clear,
        tls,
        credentials,
        hosts: hosts.unwrap_or(HttpHosts::Named(Vec::new())),
    })
}

/// `all`, or names as a browser sends them, without a port.
fn hosts(text: &str) -> Result<HttpHosts, String> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(HttpHosts::All);
    }
    let names = words(text).map(|name| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if !name.chars().all(is_name) {
            return Err(format!(
                "'{name}' is no name of a host: write names without http:// and port, or all"
            ));
        }
        Ok(name.to_ascii_lowercase())
    });
    names.collect::<Result<_, _>>().map(HttpHosts::Named)
}

/// `off`, or a service.
fn maybe_service(text: &str) -> Result<Option<Service>, String> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let service = text.parse::<Service>();
    service.map(Some).map_err(|error| error.to_string())
}

/// A name that a request can carry: the colon ends it there.
fn user(text: &str) -> Result<String, String> {
    if text.contains(':') {
        return Err("a name of HTTP's basic authentication has no colon".to_owned());
    }
    bounded(text, "a name")
}

fn bounded(value: &str, what: &str) -> Result<String, String> {
    if value.len() > MAX_CREDENTIAL {
        return Err(format!("{what} has at most {MAX_CREDENTIAL} bytes"));
    }
    text(value)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::HttpHosts;
    use crate::{Config, ConfigError};

    fn parse(text: &str) -> Result<Config, ConfigError> {
        let text = format!("[Server]\nDataDir = /d\n{text}");
        Config::parse_with(Path::new("/etc/x.cfg"), &text, &|name| {
            (name == "PSWD").then(|| "from outside".to_owned())
        })
    }

    fn message(text: &str) -> String {
        let error = parse(text).expect_err("a mistake");
        error.to_string().replace("/etc/x.cfg:", "")
    }

    #[test]
    fn names_of_the_page_are_a_list_or_all() {
        let hosts = |text: &str| {
            let config = parse(&format!("ServiceHttp = 1\n{text}")).unwrap();
            config.server.http.unwrap().hosts
        };
        assert_eq!(hosts(""), HttpHosts::Named(Vec::new()));
        assert_eq!(hosts("HttpHosts = ALL"), HttpHosts::All);
        let two = vec!["db1.example.com".to_owned(), "db".to_owned()];
        assert_eq!(
            hosts("HttpHosts = DB1.example.com, db"),
            HttpHosts::Named(two)
        );
        for odd in ["http://db1", "db1:8103", "a b"] {
            let told = message(&format!("ServiceHttp = 1\nHttpHosts = {odd}"));
            assert!(told.contains("is no name of a host"), "{told}");
        }
    }

    #[test]
    fn there_is_no_page_unless_a_port_is_given() {
        assert!(parse("").unwrap().server.http.is_none());
        assert!(parse("ServiceHttp = OFF").unwrap().server.http.is_none());
        let server = parse("ServiceHttp = 8103/4").unwrap().server;
        assert_eq!(
            server.http_sockets().unwrap(),
            ["127.0.0.1:8103".parse().unwrap()]
        );
        assert_eq!(server.http.unwrap().credentials, None);
        assert!(message("ServiceHttp = no-such-service").contains("not in /etc/services"));
        assert!(message("ServiceHttp = 8103/6\nListen = 127.0.0.1").starts_with("3: ServiceHttp:"));
    }

    #[test]
    fn a_user_needs_a_password_and_the_other_way_round() {
        assert_eq!(
            message("ServiceHttp = 1\nHttpUser = u"),
            "4: HttpUser needs HttpPswd"
        );
        assert_eq!(
            message("ServiceHttp = 1\nHttpPswd = p"),
            "4: HttpPswd needs HttpUser"
        );
        assert!(message("HttpUser = a:b\nHttpPswd = p").contains("has no colon"));
        let long = "x".repeat(300);
        assert!(message(&format!("HttpUser = u\nHttpPswd = {long}")).contains("at most 256"));
    }

    #[test]
    fn what_has_no_effect_is_warned_of() {
        let config = parse("HttpUser = u\nHttpPswd = p\n[http-access]\nallow = all").unwrap();
        let warnings = config.warnings.join("\n");
        assert!(warnings.contains("HttpUser has no effect"), "{warnings}");
        assert!(warnings.contains("allow has no effect"), "{warnings}");
    }

    #[test]
    fn a_password_is_shown_nowhere() {
        let config = parse("ServiceHttp = 1\nHttpUser = u\nHttpPswd = tell-nobody").unwrap();
        assert!(!format!("{config:?}").contains("tell-nobody"));
        let shown = config
            .settings
            .iter()
            .find(|setting| setting.key.name == "HttpPswd");
        assert_eq!(shown.unwrap().text, "***");
        let credentials = config.server.http.unwrap().credentials.unwrap();
        assert_eq!(credentials.password.text(), "tell-nobody");
    }

    #[test]
    fn a_file_with_a_password_is_closed_to_others() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let text = "[Server]\nDataDir = d\nServiceHttp = 0\nHttpUser = u\nHttpPswd = p\n";
        file.write_all(text.as_bytes()).unwrap();
        let path = file.path();
        for (mode, good) in [(0o600, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            let loaded = Config::load(path);
            assert_eq!(loaded.is_ok(), good, "{mode:o}");
            if let Err(error) = loaded {
                let words = error.to_string();
                assert!(
                    words.contains("has a password, and is open to others"),
                    "{words}"
                );
            }
        }
        // A password that comes from a variable is not in the file.
        let config = parse("ServiceHttp = 1\nHttpUser = u\nHttpPswd = ${PSWD}").unwrap();
        assert!(!config.server.http.unwrap().has_secret());
    }
}
