//! TLS to the masters of RedirectWrite.

use dbconfig::Config;
use pgtypes::SqlState;
use tls::{ClientTls, Mode};

use crate::asking::{tls_mode, tls_options};
use crate::environment::Environment;
use crate::failure::Failure;

/// What `RedirectTls` asks for. To a master that wants a certificate this server shows its own.
///
/// Error: F0000 where a file can't be used.
pub(in crate::pg) fn tls(environment: &Environment) -> Result<ClientTls, Failure> {
    load(environment.config(), tls_mode(environment.config()))
}

/// The same for an address that a session goes to already: its name is not looked at again.
pub(in crate::pg) fn tls_without_name(environment: &Environment) -> Result<ClientTls, Failure> {
    let mode = tls_mode(environment.config()).min(Mode::VerifyCa);
    load(environment.config(), mode)
}

/// The files of the configuration, as a start sees them.
pub(in crate::pg) fn load(config: &Config, mode: Mode) -> Result<ClientTls, Failure> {
    ClientTls::load(&tls_options(config, mode)).map_err(|error| {
        Failure::fatal(
            SqlState::CONFIG_FILE_ERROR,
            format!("this server can't open TLS to its master: {error}"),
        )
        .hint("See RedirectTls and RedirectTlsCa in section Replication of its configuration.")
    })
}
