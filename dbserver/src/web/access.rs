//! Who may read the status page: a name and a password, if the configuration asks for them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dbconfig::Credentials;
use hyper::header::HeaderValue;
use ring::hmac;
use ring::rand::SystemRandom;
use tokio::sync::Mutex;

/// How long a wrong password takes. They are looked at one after another, so this is all the guesses there are, whatever the
/// number of connections; the right one waits for nobody.
const WRONG: Duration = Duration::from_secs(1);

/// What a request has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// It may come in.
    Welcome,
    /// It has to say who it is.
    Nothing,
    /// It has said something wrong.
    Wrong,
}

/// The door: the password itself is not kept.
#[derive(Debug)]
pub(super) struct Door {
    /// A key of this process alone, and the tag of `user:password` under it; comparing tags tells nothing by its time.
    lock: Option<(hmac::Key, hmac::Tag)>,
    guesses: Mutex<()>,
}

impl Door {
    /// Without credentials everybody may come in.
    pub(super) fn new(credentials: Option<&Credentials>) -> Result<Self, ring::error::Unspecified> {
        let lock = match credentials {
            Some(credentials) => {
                let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?;
                let pair = format!("{}:{}", credentials.user, credentials.password.text());
                let tag = hmac::sign(&key, pair.as_bytes());
                Some((key, tag))
            }
            None => None,
        };
        Ok(Self {
            lock,
            guesses: Mutex::new(()),
        })
    }

    /// Looks at the header `Authorization`.
    pub(super) fn look(&self, header: Option<&HeaderValue>) -> Shown {
        let Some((key, tag)) = &self.lock else {
            return Shown::Welcome;
        };
        let Some(header) = header else {
            return Shown::Nothing;
        };
        match pair(header).map(|pair| hmac::verify(key, &pair, tag.as_ref())) {
            Some(Ok(())) => Shown::Welcome,
            Some(Err(_)) | None => Shown::Wrong,
        }
    }

    /// Waits after something wrong.
    pub(super) async fn slow_down(&self) {
        let _one_after_another = self.guesses.lock().await;
        tokio::time::sleep(WRONG).await;
    }
}

/// The bytes of `user:password` of basic authentication.
fn pair(header: &HeaderValue) -> Option<Vec<u8>> {
    let (scheme, rest) = header.to_str().ok()?.split_once(' ')?;
    let basic = scheme.eq_ignore_ascii_case("Basic");
    basic.then(|| STANDARD.decode(rest.trim()).ok())?
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use dbconfig::Config;

    use super::*;

    fn door(keys: &str) -> Door {
        let text = format!("[Server]\nDataDir = d\nServiceHttp = 0\n{keys}");
        let config = Config::parse(Path::new("x.cfg"), &text).unwrap();
        Door::new(config.server.http.unwrap().credentials.as_ref()).unwrap()
    }

    fn look(door: &Door, header: &str) -> Shown {
        door.look(Some(&HeaderValue::from_str(header).unwrap()))
    }

    #[test]
    fn without_a_user_everybody_comes_in() {
        let door = door("");
        assert_eq!(door.look(None), Shown::Welcome);
        assert_eq!(look(&door, "Basic nonsense"), Shown::Welcome);
    }

    #[test]
    fn only_the_right_name_with_the_right_password_comes_in() {
        let door = door("HttpUser = ops\nHttpPswd = \"a:b ü\"");
        assert_eq!(door.look(None), Shown::Nothing);
        let basic = |pair: &str| format!("basic {}", STANDARD.encode(pair));
        assert_eq!(look(&door, &basic("ops:a:b ü")), Shown::Welcome);
        for wrong in ["ops:a:b", "ops:a:b ü ", "Ops:a:b ü", "ops", "", ":"] {
            assert_eq!(look(&door, &basic(wrong)), Shown::Wrong, "{wrong}");
        }
        for malformed in ["Basic", "Basic %%%", "Bearer b3BzOmE6YiDDvA==", ""] {
            assert_eq!(look(&door, malformed), Shown::Wrong, "{malformed}");
        }
    }
}
