//! From the text of a configuration file to [`Config`]: each key with its reading and its range.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::access;
use crate::apply;
use crate::archives;
use crate::backup_hold::BackupHold;
use crate::config::{
    Compression, Config, ForwardLog, ForwardWrites, Keep, LogFormat, LogTarget, OnFailure,
    Replication, Role, Server, Setting, SyncMode, VerifyData, Volumes,
};
use crate::error::ConfigError;
use crate::http::{self, Http};
use crate::instance;
use crate::keys::{
    self, COMPRESSIONS, FORMER_ROOT_BELOW, Kind, LOG_FORMATS, ON_FAILURE, REJOINS, ROLES, Section,
    VERIFY_DATA,
};
use crate::local_socket::{SocketDir, socket_path};
use crate::log_flags;
use crate::net::networks;
use crate::password_file;
use crate::peer::{self, RepairFrom};
use crate::place::Place;
use crate::reader::{Lookup, Reader, process_environment, read_text};
use crate::service::{Service, addresses, host_services};
use crate::sources;
use crate::sync_slaves;
use crate::tls;
use crate::value;

/// What is shown of a secret.
const HIDDEN: &str = "***";

/// Smallest segment that `FwMaxSize` may ask for, in bytes: a block must fit with room to spare.
const MIN_SEGMENT_SIZE: u64 = 64 << 10;

/// Smallest limit of the data files, in bytes: with less, an environment is full before anybody uses it.
const MIN_VOLUME_SIZE: u64 = 1 << 20;

/// Smallest `CheckpointSize`, in bytes.
const MIN_CHECKPOINT_SIZE: u64 = 1 << 20;

impl Config {
    /// Reads and checks a file. All its mistakes are reported together.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let config = Self::parse(path, &read_text(path)?)?;
        if config.server.http.as_ref().is_some_and(Http::has_secret) {
            password_file::refuse_open(path)?;
        }
        Ok(config)
    }

    /// Checks a text as the content of the file `path`, which need not exist.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        Self::parse_with(path, text, &process_environment)
    }

    pub(crate) fn parse_with(
        path: &Path,
        text: &str,
        environment: Lookup<'_>,
    ) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(path, text, &Section::SERVER_FILE, environment)?;
        let config = Self {
            path: path.to_owned(),
            server: read_server(&mut reader),
            access: access::read(&mut reader, Section::DbAccess),
            http_access: access::read(&mut reader, Section::HttpAccess),
            forward_log: read_forward_log(&mut reader),
            replication: read_replication(&mut reader),
            archives: archives::read(&mut reader),
            volumes: Volumes {
                max_size: reader.get(Section::Volumes, "MaxSize", |text| {
                    match value::size(text)? {
                        0 => Ok(0),
                        size => at_least(size, MIN_VOLUME_SIZE, "1m")
                            .map_err(|why| format!("{why}; 0 is no limit")),
                    }
                }),
            },
            serves_past: false,
            warnings: Vec::new(),
            settings: Vec::new(),
        };
        config.refuse_audit_only(&mut reader);
        config.refuse_contradictions(&mut reader);
        peer::check_login(
            &mut reader,
            (&config.replication.peer_login, config.server.tls.as_ref()),
            (
                &config.server.repair_from,
                config.replication.verify_at.as_ref(),
                &config.replication.peers,
            ),
        );
        let has_log = config.forward_log.location.is_some();
        let own_name = &config.server.instance;
        sources::check(
            &mut reader,
            &config.replication.sources,
            (own_name, has_log),
            (
                config.replication.peer_login.password_file.is_some(),
                config.server.tls.as_ref(),
            ),
        );
        sync_slaves::warn(&mut reader, &config.replication, own_name);
        archives::check(&mut reader, &config.archives, has_log);
        config.warn_of_combinations(&mut reader);
        let warnings = std::mem::take(&mut reader.warnings);
        let settings = config.list_settings(&mut reader);
        reader.finish()?;
        Ok(Self {
            warnings,
            settings,
            ..config
        })
    }

    /// Audit records need a place, and where they stand alone there is nothing for a slave.
    fn refuse_audit_only(&self, reader: &mut Reader) {
        const KEY: &str = "AuditOnly";
        if !self.forward_log.audit_only {
            return;
        }
        let section = Section::ForwardLog;
        if self.forward_log.location.is_none() && !reader.is_faulty(section, "FwLog") {
            reader.problem(
                section,
                KEY,
                "AuditOnly needs FwLog: the place of the audit records",
            );
        }
        let role = match self.replication.role {
            Role::Standalone => return,
            Role::Master => "Master",
            Role::Slave => "Slave",
        };
        let message = format!(
            "AuditOnly = 1 and Role = {role}: with the audit records alone nothing can be replicated; AuditOnly needs Role = Standalone"
        );
        reader.problem(section, KEY, message);
    }

    /// Who never becomes the root is not told to be it.
    fn refuse_contradictions(&self, reader: &mut Reader) {
        const KEY: &str = "Priority";
        let section = Section::Replication;
        let is_root = self.replication.role == Role::Master;
        if is_root && !self.replication.may_lead && !reader.is_faulty(section, KEY) {
            let message =
                "Priority = 0 and Role = Master: a server of this priority never is the root";
            reader.problem(section, KEY, message);
        }
    }

    fn warn_of_combinations(&self, reader: &mut Reader) {
        let role = self.replication.role;
        // A master may have it for the time when it is a slave.
        if let Some(line) = reader.line(Section::Replication, "RedirectWrite")
            && role == Role::Standalone
        {
            reader.warn(line, "RedirectWrite has no effect while Role = Standalone");
        }
        if let Some(line) = reader.line(Section::Replication, "ForwardWrites")
            && self.replication.forward_writes.is_some()
            && role == Role::Standalone
        {
            reader.warn(line, "ForwardWrites has no effect while Role = Standalone");
        }
        if let Some(line) = reader.line(Section::ForwardLog, "FwKeep")
            && self.forward_log.keep != Keep::All
            && (self.forward_log.location.is_none() || self.forward_log.audit_only)
        {
            let why = if self.forward_log.audit_only {
                "FwKeep has no effect with AuditOnly = 1: audit records are kept until somebody removes them"
            } else {
                "FwKeep has no effect without FwLog"
            };
            reader.warn(line, why);
        }
        if let Some(line) = reader.line(Section::Replication, "Role")
            && role == Role::Master
            && self.forward_log.location.is_none()
        {
            reader.warn(
                line,
                "Role = Master without FwLog: there is nothing to send to slaves",
            );
        }
    }

    /// All keys of the sections for the whole server, and what the sections for a database say.
    fn list_settings(&self, reader: &mut Reader) -> Vec<Setting> {
        let mut settings = Vec::new();
        for section in Section::SERVER_FILE {
            for place in [section.into()]
                .into_iter()
                .chain(reader.places_of_databases(section))
            {
                settings.extend(self.settings_of(reader, &place));
            }
        }
        settings
    }

    fn settings_of(&self, reader: &mut Reader, place: &Place) -> Vec<Setting> {
        let mut settings = Vec::new();
        reader.enter(place);
        for key in keys::of_section(place.section) {
            let (text, line) = reader.text(key);
            if place.database.is_some() && line.is_none() {
                continue;
            }
            let instance = key.section == Section::Server && key.name == "Instance";
            let text = match key.kind {
                _ if instance => &self.server.instance,
                Kind::Secret if !text.is_empty() => HIDDEN,
                _ => text,
            };
            settings.push(Setting {
                key,
                database: place.database.clone(),
                text: text.to_owned(),
                line,
            });
        }
        reader.leave();
        settings
    }
}

fn read_server(reader: &mut Reader) -> Server {
    use Section::Server as S;
    let directory = reader.directory().to_owned();
    let data_dir = reader.path(S, "DataDir");
    if data_dir.is_none() && !reader.is_faulty(S, "DataDir") {
        reader.problem(S, "DataDir", "[Server] DataDir must be set");
    }
    if reader.get(S, "InstanceRequired", value::switch) && reader.line(S, "Instance").is_none() {
        let message =
            "no instance name is set; InstanceRequired = 1 wants Instance in section [Server]";
        reader.problem(S, "InstanceRequired", message);
    }
    let service = |text: &str| text.parse::<Service>().map_err(|error| error.to_string());
    let log_target = |text: &str| Ok(LogTarget::read(text, &directory));
    let sync = reader.get(S, "SyncMode", value::switch);
    let server = Server {
        service: reader.get(S, "Service", service),
        listen: reader.get(S, "Listen", addresses),
        listen_is_default: reader.line(S, "Listen").is_none(),
        socket_dir: read_socket_dir(reader),
        data_dir: data_dir.unwrap_or_default(),
        instance: reader
            .optional(S, "Instance", instance::checked)
            .unwrap_or_else(instance::from_host_name),
        log_file: reader.get(S, "LogFile", log_target),
        log_flags: reader.get(S, "LogFlags", log_flags::checked),
        log_format: reader.get(S, "LogFormat", log_format),
        log_slow: reader.get(S, "LogSlow", value::duration),
        http: http::read(reader),
        tls: tls::read(reader),
        require_tls: reader.get(S, "RequireTls", value::switch),
        max_sessions: reader.get(S, "MaxSessions", |text| {
            at_least(value::number(text)?, 1, "1")
        }),
        statement_timeout: reader.get(S, "StatementTimeout", value::duration),
        idle_transaction_timeout: reader.get(S, "IdleTransactionTimeout", value::duration),
        idle_session_timeout: reader.get(S, "IdleSessionTimeout", value::duration),
        core_dumps: reader.get(S, "CoreDumps", value::switch),
        temp_file_limit: reader.get(S, "TempFileLimit", value::size),
        lock_timeout: reader.get(S, "LockTimeout", value::duration),
        sync_mode: if sync {
            SyncMode::EveryCommit
        } else {
            SyncMode::Interval
        },
        sync_interval: reader.get(S, "SyncInterval", |text| {
            at_least(value::duration(text)?, Duration::from_millis(1), "1ms")
        }),
        checkpoint_size: reader.get(S, "CheckpointSize", |text| {
            at_least(value::size(text)?, MIN_CHECKPOINT_SIZE, "1m")
        }),
        checkpoint_interval: reader.get(S, "CheckpointInterval", |text| {
            at_least(value::duration(text)?, Duration::from_secs(1), "1s")
        }),
        verify_data: reader.get(S, "VerifyData", |text| {
            let on_read = value::word(text, VERIFY_DATA)? == 1;
            Ok(if on_read {
                VerifyData::Read
            } else {
                VerifyData::Start
            })
        }),
        repair_from: reader.get(S, "RepairFrom", RepairFrom::read),
        scrub_rate: reader.get(S, "ScrubRate", value::size),
        backup_hold: reader.get(S, "BackupHold", BackupHold::read),
    };
    check_server(&server, reader);
    server
}

fn read_socket_dir(reader: &mut Reader) -> Option<SocketDir> {
    use Section::Server as S;
    const KEY: &str = "SocketDir";
    let directory = reader.directory().to_owned();
    let is_default = reader.line(S, KEY).is_none();
    let read = |text: &str| Ok(SocketDir::read(text, &directory, is_default));
    reader.optional(S, KEY, read).flatten()
}

/// Whether the socket has a name that the system takes. The longest, where the port is not known.
fn check_socket_dir(server: &Server, reader: &mut Reader) {
    let Some(directory) = &server.socket_dir else {
        return;
    };
    let port = server.service.resolve().unwrap_or_default();
    let port = if port == 0 { u16::MAX } else { port };
    if let Err(why) = socket_path(&directory.path, port) {
        let message = format!("SocketDir: {why}");
        reader.problem(Section::Server, "SocketDir", message);
    }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    let json = value::word(text, LOG_FORMATS)? == 1;
    Ok(if json {
        LogFormat::Json
    } else {
        LogFormat::Text
    })
}

/// What is refused though each key by itself is right.
fn check_server(server: &Server, reader: &mut Reader) {
    use Section::Server as S;
    let has_tls = server.tls.is_some() || reader.is_faulty(S, "TlsCert");
    if server.require_tls && !has_tls {
        reader.problem(S, "RequireTls", "RequireTls needs TlsCert and TlsKey");
    }
    if server.http.as_ref().is_some_and(|http| http.tls.is_some()) && !has_tls {
        reader.problem(S, "ServiceHttps", "ServiceHttps needs TlsCert and TlsKey");
    }
    check_socket_dir(server, reader);
    if server.listen.is_empty() {
        return;
    }
    for (name, sockets) in [
        ("Service", server.sockets()),
        ("ServiceHttp", server.http_sockets()),
        ("ServiceHttps", server.https_sockets()),
    ] {
        if let Err(error) = sockets {
            reader.problem(S, name, format!("{name}: {error}"));
        }
    }
}

fn read_forward_log(reader: &mut Reader) -> ForwardLog {
    use Section::ForwardLog as S;
    let directory = reader.directory().to_owned();
    let audit_only = reader.get(S, "AuditOnly", value::switch);
    ForwardLog {
        location: reader.optional(S, "FwLog", |text| log_path(text, &directory)),
        max_size: reader.get(S, "FwMaxSize", |text| {
            at_least(value::size(text)?, MIN_SEGMENT_SIZE, "64k")
        }),
        keep: reader.get(S, "FwKeep", str::parse),
        keep_for_slaves: reader.get(S, "FwKeepForSlaves", value::size),
        on_failure: reader.get(S, "FwOnFailure", |text| {
            let disable = value::word(text, ON_FAILURE)? == 1;
            Ok(if disable {
                OnFailure::Disable
            } else {
                OnFailure::Stop
            })
        }),
        recovery: reader.get(S, "FwRecovery", value::switch),
        compress: reader.get(S, "FwCompress", |text| {
            let none = value::word(text, COMPRESSIONS)? == 1;
            Ok(if none {
                Compression::None
            } else {
                Compression::Zstd
            })
        }),
        enable_audit: reader.get(S, "EnableAudit", value::switch) || audit_only,
        audit_only,
        group_read_access: reader.get(S, "GroupReadAccess", value::switch),
    }
}

fn read_replication(reader: &mut Reader) -> Replication {
    use Section::Replication as S;
    let redirect_write = reader.get(S, "RedirectWrite", host_services);
    let peers = reader.get(S, "Peers", host_services);
    let role = reader.get(S, "Role", role);
    Replication {
        role,
        apply: apply::read(reader, role),
        start_guard: peer::read_start_guard(reader, &peers),
        rejoins: reader.get(S, "Rejoin", |text| {
            value::word(text, REJOINS).map(|word| word == 1)
        }),
        former_root_below_any: reader.get(S, "FormerRootBelow", |text| {
            value::word(text, FORMER_ROOT_BELOW).map(|word| word == 1)
        }),
        synchronous: sync_slaves::read(reader),
        rewind_wait: reader.get(S, "RewindWait", value::duration),
        peers,
        may_lead: reader.get(S, "Priority", value::number) > 0,
        message_file: reader.path(S, "MessageFile"),
        peer_login: peer::read_login(reader),
        verify_at: peer::read_verify_at(reader, &redirect_write),
        redirect_write,
        redirect_tls: reader.get(S, "RedirectTls", tls::mode),
        redirect_tls_ca: reader.path(S, "RedirectTlsCa"),
        forward_writes: read_forward_writes(reader),
        redirect_from: reader.get(S, "RedirectFrom", networks),
        sources: sources::read(reader),
        tmp_dir: reader.path(S, "TmpDir").unwrap_or_default(),
        max_apply_delay: reader.get(S, "MaxApplyDelay", value::duration),
    }
}

/// Where something is missing, that is the problem: nothing is forwarded by half a configuration.
fn read_forward_writes(reader: &mut Reader) -> Option<ForwardWrites> {
    use Section::Replication as S;
    let user = reader.optional(S, "ForwardUser", text);
    let password_file = reader.path(S, "ForwardPasswordFile");
    let read_wait = reader.get(S, "ForwardReadWait", value::duration);
    if !reader.get(S, "ForwardWrites", value::switch) {
        return None;
    }
    for (name, what) in [
        ("RedirectWrite", "host:service of the master"),
        ("ForwardUser", "the user to log in as there"),
        ("ForwardPasswordFile", "the file with that user's password"),
    ] {
        if reader.line(S, name).is_none() {
            let message = format!("ForwardWrites needs {name}: {what}");
            reader.problem(S, "ForwardWrites", message);
        }
    }
    Some(ForwardWrites {
        user: user?,
        password_file: password_file?,
        read_wait,
    })
}

fn role(text: &str) -> Result<Role, String> {
    Ok(match value::word(text, ROLES)? {
        0 => Role::Standalone,
        1 | 2 => Role::Master,
        _ => Role::Slave,
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the shape of all readings of a value"
)]
pub(crate) fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

fn at_least<T: PartialOrd + Copy>(value: T, least: T, shown: &str) -> Result<T, String> {
    if value < least {
        Err(format!("at least {shown} is needed"))
    } else {
        Ok(value)
    }
}

/// A path whose file name, and nothing before it, holds `%N` once.
fn log_path(text: &str, directory: &Path) -> Result<PathBuf, String> {
    let path = directory.join(text);
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    if name.matches("%N").count() == 1 && text.matches("%N").count() == 1 {
        return Ok(path);
    }
    Err(format!(
        "the file name of `{text}` must hold %N once, for example /fwlog/fw-%N"
    ))
}

#[cfg(test)]
mod tests;
