//! Where the value of an option is from: the command line, else the environment, else the client file.

use std::env;

use dbconfig::ClientConfig;
use tls::Mode;

use crate::args::{Options, TlsArguments};
use crate::error::{CommandError, Result};

/// The options with what others than the command line say.
///
/// Error: the client file names what is no mode of TLS.
pub(crate) fn settled(given: &Options, file: ClientConfig) -> Result<Options> {
    settle(given, &variable, file)
}

fn settle(
    given: &Options,
    variable: &dyn Fn(&str) -> Option<String>,
    file: ClientConfig,
) -> Result<Options> {
    let mut options = given.clone();
    // A configuration that is named says where its server is. A service belongs to its host.
    if options.host.is_none() && options.config.is_none() && variable("EQ_CONFIG").is_none() {
        options.host = file.host;
        options.service = options.service.or(file.service);
    }
    options.user = options.user.or_else(|| variable("EQ_DBUSER")).or(file.user);
    if options.password.is_none() && options.password_file.is_none() {
        options.password = variable("EQ_DBPASSWORD");
        if options.password.is_none() {
            (options.password, options.password_file) = (file.password, file.password_file);
        }
    }
    let mode = file.tls.map(str::parse::<Mode>).transpose();
    let tls = options.tls;
    options.tls = TlsArguments {
        tls: tls.tls.or(mode.map_err(CommandError::usage)?),
        ca_file: tls.ca_file.or(file.ca_file),
        cert_file: tls.cert_file.or(file.cert_file),
        key_file: tls.key_file.or(file.key_file),
    };
    Ok(options)
}

/// An environment variable; one that is empty counts as unset.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser as _;

    use super::*;
    use crate::args::Arguments;

    const FILE: &str = "[client]\nhost = db1\nservice = 9000\nuser = ann\npassword-file = /pw\n\
                        tls = verify-full\nca-file = /ca.pem\n";

    fn settle_words(words: &str, variables: &[(&str, &str)]) -> Options {
        let words = ["dbctl"].into_iter().chain(words.split_whitespace());
        let given = Arguments::try_parse_from(words.chain(["status"])).unwrap();
        let file = ClientConfig::parse(Path::new("/c.cfg"), FILE).unwrap();
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        settle(&given.options, &variable, file).unwrap()
    }

    #[test]
    fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
        let options = settle_words("", &[]);
        assert_eq!(options.user.as_deref(), Some("ann"));
        assert_eq!(options.password_file.as_deref(), Some(Path::new("/pw")));
        assert_eq!(options.tls.tls, Some(Mode::VerifyFull));

        let variables = [("EQ_DBUSER", "bob"), ("EQ_DBPASSWORD", "secret")];
        let options = settle_words("", &variables);
        assert_eq!(options.user.as_deref(), Some("bob"));
        assert_eq!(options.password.as_deref(), Some("secret"));
        assert_eq!(options.password_file, None);

        let line = "-u eve --password-file /mine --tls disable --ca-file /other.pem";
        let options = settle_words(line, &variables);
        assert_eq!(options.user.as_deref(), Some("eve"));
        assert_eq!(options.password, None);
        assert_eq!(options.password_file.as_deref(), Some(Path::new("/mine")));
        assert_eq!(options.tls.tls, Some(Mode::Disable));
        assert_eq!(
            options.tls.ca_file.as_deref(),
            Some(Path::new("/other.pem"))
        );
    }

    #[test]
    fn a_server_that_is_named_otherwise_is_not_the_one_of_the_file() {
        for (words, variables, host, service) in [
            ("", &[][..], Some("db1"), Some("9000")),
            ("-s 7", &[], Some("db1"), Some("7")),
            ("-h db2", &[], Some("db2"), None),
            ("-c x.cfg", &[], None, None),
            ("", &[("EQ_CONFIG", "x.cfg")], None, None),
        ] {
            let options = settle_words(words, variables);
            let found = (options.host.as_deref(), options.service.as_deref());
            assert_eq!(found, (host, service), "{words} {variables:?}");
        }
    }
}
