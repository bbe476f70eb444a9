use super::*;

use crate::access::{Asked, Decision, Known, Target};
use crate::tls::{CertUser, ClientCert};

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse_with(Path::new("/etc/eloqdb/x.cfg"), text, &|name| {
        (name == "BASE").then(|| "/srv".to_owned())
    })
}

fn with_data_dir(text: &str) -> Config {
    parse(&format!("[Server]\nDataDir = /d\n{text}")).expect("a good configuration")
}

fn message(text: &str) -> String {
    let error = parse(&format!("[Server]\nDataDir = /d\n{text}")).expect_err("a mistake");
    error.to_string().replace("/etc/eloqdb/x.cfg:", "")
}

#[test]
fn the_defaults_are_those_of_the_interface() {
    let config = with_data_dir("");
    assert_eq!(config.server.service.resolve(), Ok(8102));
    assert_eq!(config.server.sockets().unwrap().len(), 2);
    assert!(config.server.listen_is_default);
    assert_eq!(config.server.log_file, LogTarget::Console);
    assert_eq!(config.server.sync_mode, SyncMode::EveryCommit);
    assert_eq!(config.server.sync_interval, Duration::from_millis(500));
    assert_eq!(config.server.checkpoint_size, 256 << 20);
    assert_eq!(config.server.checkpoint_interval, Duration::from_mins(5));
    assert_eq!(config.forward_log.location, None);
    assert_eq!(config.forward_log.keep, Keep::All);
    assert!(config.forward_log.recovery);
    assert_eq!(config.replication.role, Role::Standalone);
    assert_eq!(config.replication.tmp_dir, Path::new("/tmp"));
    assert_eq!(config.volumes.max_size, 0);
    let decide = |address: &str| {
        let asked = Asked {
            origin: crate::Origin::Address(address.parse().unwrap()),
            user: "app",
            target: Target::Database("shop"),
        };
        config.access.decide(&asked, &Known::new())
    };
    assert_eq!(decide("127.0.0.1"), Decision::Permitted);
    let Decision::Refused(refusal) = decide("10.0.0.1") else {
        panic!("only this machine may connect");
    };
    assert!(
        refusal
            .rule
            .ends_with("x.cfg: allow of [db-access] is the default"),
        "{refusal:?}"
    );
    assert!(config.warnings.is_empty());
}

#[test]
fn names_ignore_case_and_variables_are_replaced() {
    let config =
        parse("[SERVER]\ndatadir = ${BASE}/data\n[forwardlog]\nFWLOG = \"${BASE}/fw #1/fw-%N\"\n")
            .unwrap();
    assert_eq!(config.server.data_dir, Path::new("/srv/data"));
    assert_eq!(
        config.forward_log.location.unwrap(),
        Path::new("/srv/fw #1/fw-%N")
    );
}

#[test]
fn relative_paths_start_at_the_directory_of_the_file() {
    let config = parse("[Server]\nDataDir = data\nLogFile = eloqdb.log").unwrap();
    assert_eq!(config.server.data_dir, Path::new("/etc/eloqdb/data"));
    assert_eq!(
        config.server.log_file,
        LogTarget::File("/etc/eloqdb/eloqdb.log".into())
    );
}

#[test]
fn mistakes_name_file_line_and_the_way_out() {
    let error = parse("[Server]\nDataDir = /d\nServise = 1")
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "/etc/eloqdb/x.cfg:3: unknown key `Servise` in [Server]; did you mean Service?"
    );
    assert_eq!(
        message("[Replicaton]"),
        "3: unknown section [Replicaton]; did you mean Replication?"
    );
    assert_eq!(
        message("Role = Slave"),
        "3: unknown key `Role` in [Server]; it belongs in [Replication]"
    );
    assert_eq!(
        message("MaxSessions = 5\nmaxsessions = 6"),
        "4: MaxSessions was already set in line 3"
    );
    assert_eq!(
        message("DataDir = ${NOPE}"),
        "3: DataDir was already set in line 2"
    );
    assert_eq!(
        message("LogFile = ${NOPE}"),
        "3: the environment variable NOPE is not set"
    );
}

#[test]
fn all_mistakes_are_reported_in_the_order_of_the_file() {
    let text = message("MaxSessions = many\n[Volumes]\nMaxSize = 1x\nColour = red");
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(lines, ["3", "5", "6"]);
}

#[test]
fn a_missing_data_dir_is_a_mistake_of_the_whole_file() {
    let error = parse("").unwrap_err().to_string();
    assert_eq!(error, "/etc/eloqdb/x.cfg: [Server] DataDir must be set");
    let error = parse("[Server]\nDataDir =").unwrap_err().to_string();
    assert_eq!(error, "/etc/eloqdb/x.cfg: [Server] DataDir must be set");
}

#[test]
fn values_out_of_range_are_refused() {
    assert_eq!(
        message("MaxSessions = 0"),
        "3: MaxSessions: at least 1 is needed"
    );
    assert_eq!(
        message("CheckpointInterval = 0"),
        "3: CheckpointInterval: at least 1s is needed"
    );
    assert_eq!(
        message("[ForwardLog]\nFwMaxSize = 1k"),
        "4: FwMaxSize: at least 64k is needed"
    );
    assert_eq!(
        message("[Volumes]\nMaxSize = 1k"),
        "4: MaxSize: at least 1m is needed; 0 is no limit"
    );
    assert!(message("Instance = much-too-long-a-name").contains("1 to 15"));
    assert!(message("Service = 8102/6\nListen = 127.0.0.1").starts_with("3: Service: "));
    assert!(message("Service = no-such-service").contains("not in /etc/services"));
}

#[test]
fn the_log_path_needs_its_number_in_the_file_name() {
    for path in [
        "/fwlog/fw",
        "/fw-%N/log",
        "/fw-%N/fw-%N",
        "/fwlog/%N-%N",
        "/fwlog/fw-%N/",
    ] {
        let text = format!("[ForwardLog]\nFwLog = {path}");
        let good = parse(&format!("[Server]\nDataDir=/d\n{text}")).is_ok();
        assert_eq!(good, path.ends_with("%N/"), "{path}");
    }
}

#[test]
fn what_to_keep_is_all_or_a_size_or_a_time() {
    let keep = |text: &str| text.parse::<Keep>();
    assert_eq!(keep("ALL"), Ok(Keep::All));
    assert_eq!(keep("30m"), Ok(Keep::Bytes(30 << 20)));
    assert_eq!(keep("30min"), Ok(Keep::Age(Duration::from_mins(30))));
    assert_eq!(keep("7d"), Ok(Keep::Age(Duration::from_hours(168))));
    assert!(keep("some").is_err());
    for (text, why) in [
        ("FwKeep = 7d", "FwKeep has no effect without FwLog"),
        (
            "FwLog = /fw/a-%N\nAuditOnly = 1\nFwKeep = 7d",
            "FwKeep has no effect with AuditOnly = 1",
        ),
    ] {
        let warnings = with_data_dir(&format!("[ForwardLog]\n{text}")).warnings;
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert!(warnings.iter().any(|it| it.contains(why)), "{warnings:?}");
    }
}

#[test]
fn roles_have_two_words_each() {
    for (word, expected) in [
        ("standalone", Role::Standalone),
        ("Master", Role::Master),
        ("PRIMARY", Role::Master),
        ("slave", Role::Slave),
        ("Secondary", Role::Slave),
    ] {
        assert_eq!(role(word), Ok(expected), "{word}");
    }
    assert!(role("replica").is_err());
}

#[test]
fn the_other_spelling_of_redirect_write_is_taken_with_a_warning() {
    let config = with_data_dir("[Replication]\nRole = Slave\nRedicectWrite = 194.64.71.28:8202");
    assert_eq!(
        config.replication.redirect_write[0].to_string(),
        "194.64.71.28:8202"
    );
    let spelling = "/etc/eloqdb/x.cfg:5: `RedicectWrite` is read as RedirectWrite";
    assert_eq!(config.warnings, [spelling]);
    assert_eq!(
        message("[Replication]\nRedirectWrite = a:1\nRedicectWrite = b:1"),
        "5: RedirectWrite was already set in line 4"
    );
}

#[test]
fn who_may_redirect_is_nobody_unless_it_is_said() {
    let config = with_data_dir("[Replication]\nRole = Slave");
    assert!(config.replication.redirect_from.is_empty());
    let config = with_data_dir(
        "[ForwardLog]\nFwLog = fw-%N\n[Replication]\nRole = Master\nRedirectWrite = a, b:1\nRedirectFrom = 10.0.0.0/8, fd00::/8",
    );
    assert_eq!(config.replication.redirect_from.len(), 2);
    assert_eq!(config.replication.redirect_write.len(), 2);
    // It may become a slave.
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let config = with_data_dir("[Replication]\nRedirectWrite = a");
    assert!(config.warnings[0].contains("no effect while Role = Standalone"));
}

#[test]
fn writes_are_forwarded_only_by_a_whole_configuration() {
    let config = with_data_dir("[Replication]\nRole = Slave\nForwardUser = forwarder");
    assert_eq!(config.replication.forward_writes, None);
    let whole = "[Replication]\nRole = Slave\nRedirectWrite = m\nForwardWrites = on\nForwardUser = f\nForwardPasswordFile = secret";
    let forward = with_data_dir(whole).replication.forward_writes.unwrap();
    assert_eq!(forward.user, "f");
    assert_eq!(forward.password_file, Path::new("/etc/eloqdb/secret"));
    assert_eq!(forward.read_wait, Duration::from_secs(30));
    for (missing, said) in [
        (
            "RedirectWrite = m\n",
            "RedirectWrite: host:service of the master",
        ),
        ("ForwardUser = f\n", "ForwardUser: the user"),
        (
            "\nForwardPasswordFile = secret",
            "ForwardPasswordFile: the file",
        ),
    ] {
        let refused = message(&whole.replace(missing, ""));
        assert!(
            refused.contains(&format!("ForwardWrites needs {said}")),
            "{refused}"
        );
    }
}

#[test]
fn what_comes_later_is_accepted_only_when_off() {
    let off = "[ForwardLog]\nEnableAudit = no\n[http-access]\ndeny = none";
    assert!(!with_data_dir(off).forward_log.enable_audit);
    let refused = message("[ForwardLog]\nFwRecovery = 0");
    assert!(refused.ends_with("FwRecovery is not supported by this version"));
}

#[test]
fn keys_of_tls_that_belong_together_are_asked_for_together() {
    for (text, problem) in [
        ("TlsCert = c.pem", "TlsCert needs TlsKey"),
        ("TlsKey = k.pem", "TlsKey needs TlsCert"),
        ("TlsClientCa = a.pem", "TlsClientCa needs TlsCert"),
        (
            "TlsClientCert = required",
            "TlsClientCert needs TlsClientCa",
        ),
        ("CertUser = CN", "CertUser needs TlsClientCa"),
        ("RequireTls = 1", "RequireTls needs TlsCert and TlsKey"),
        (
            "ServiceHttps = 8103",
            "ServiceHttps needs TlsCert and TlsKey",
        ),
        ("TlsMinVersion = 1.1", "`1.1` is not one of 1.2, 1.3"),
    ] {
        assert!(message(text).contains(problem), "{text}: {}", message(text));
    }
    assert_eq!(with_data_dir("").server.tls, None);
    let text = "[Server]\nDataDir = /d\nTlsCert = c.pem\nTlsKey = /k/k.pem\nTlsClientCa = a.pem\nCertUser = cn";
    let tls = parse(text).unwrap().server.tls.unwrap();
    assert_eq!(tls.certificate, Path::new("/etc/eloqdb/c.pem"));
    assert_eq!(tls.key, Path::new("/k/k.pem"));
    assert_eq!(tls.cert_user, CertUser::CommonName);
    assert_eq!(tls.client_cert, ClientCert::Optional);
}

#[test]
fn audit_records_alone_need_a_place_and_no_slave() {
    let audit_only = "[ForwardLog]\nFwLog = /fw/log/a-%N\nAuditOnly = 1";
    let log = with_data_dir(audit_only).forward_log;
    assert!(log.audit_only && log.enable_audit);
    assert_eq!(
        log.audit_location().as_deref(),
        Some(Path::new("/fw/log/audit/a-%N"))
    );
    let off = with_data_dir("[ForwardLog]\nFwLog = /fw/log/a-%N").forward_log;
    assert_eq!(off.audit_location(), None);
    let refused = message("[ForwardLog]\nAuditOnly = 1");
    assert!(refused.contains("AuditOnly needs FwLog"), "{refused}");
    for role in ["Master", "Slave"] {
        let refused = message(&format!("{audit_only}\n[Replication]\nRole = {role}"));
        assert!(
            refused.contains(&format!("AuditOnly = 1 and Role = {role}")),
            "{refused}"
        );
    }
}

#[test]
fn endless_values_are_refused_in_a_short_message() {
    for key in [
        "DataDir",
        "Service",
        "Listen",
        "Instance",
        "LogFlags",
        "MaxSessions",
    ] {
        let text = format!("[Server]\n{key} = {}", "x".repeat(200_000));
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains("longer than 4096 characters"), "{key}");
        assert!(error.len() < 300, "{key}");
    }
    let error = parse(&format!("[Server]\n{} = 1", "k".repeat(200_000))).unwrap_err();
    assert!(error.to_string().len() < 300);
}

#[test]
fn a_master_without_log_is_warned() {
    let config = with_data_dir("[Replication]\nRole = Master");
    assert_eq!(config.warnings.len(), 1);
    assert!(config.warnings[0].contains(":4: Role = Master without FwLog"));
}

#[test]
fn settings_show_each_key_with_its_line() {
    let config = with_data_dir("MaxSessions = 5");
    let setting = |name: &str| config.settings.iter().find(|s| s.key.name == name).unwrap();
    assert_eq!(
        (
            setting("MaxSessions").text.as_str(),
            setting("MaxSessions").line
        ),
        ("5", Some(3))
    );
    assert_eq!(
        (
            setting("FwMaxSize").text.as_str(),
            setting("FwMaxSize").line
        ),
        ("256m", None)
    );
    assert_eq!(setting("Instance").text, config.server.instance);
}
