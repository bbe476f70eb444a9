//! The page, and the same as JSON.

use dbtests::{Client, Cluster, Folder, PASSWORD, Server, Settings};
use serde_json::Value;

use crate::http::{ask, get, status, talk, text};
use crate::{master, with_page};

/// A name that would be markup, if it could.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script>\"'&";

/// A server with hostile names everywhere, and a session that has them.
pub(crate) fn hostile(folder: &Folder) -> (Server, Client) {
    let mut server = Server::create(folder.path(), master());
    server.start();
    let quoted = HOSTILE.replace('"', "\"\"");
    server.sql("system", &format!("CREATE DATABASE \"{quoted}\""));
    server.sql(
        "system",
        &format!(
            "CREATE USER \"{quoted}\" PASSWORD '{}'",
            PASSWORD.replace('\'', "''")
        ),
    );
    server.sql(
        "system",
        &format!("GRANT CONNECT ON DATABASE \"{quoted}\" TO \"{quoted}\""),
    );
    let mut config = Client::config(server.address(), HOSTILE, PASSWORD);
    config.user(HOSTILE).application_name(HOSTILE);
    let client = Client::with(&config).expect("a session");
    (server, client)
}

#[test]
fn names_are_never_markup() {
    let folder = Folder::new();
    let (server, _client) = hostile(&folder);
    // A refused login puts the name into the log, and so among the last errors.
    let mut wrong = Client::config(server.address(), "system", "wrong");
    wrong.user(HOSTILE);
    assert!(Client::with(&wrong).is_err());
    let page = text(&server, "/");
    let escaped = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;";
    // User, database and application of the session, the database itself, the message.
    assert!(page.matches(escaped).count() >= 5, "{page}");
    assert!(!page.contains("<script"), "{page}");
    // Nothing is loaded from elsewhere, and nothing runs.
    for mark in [
        "http://",
        "https://",
        " src=",
        " style=",
        "@import",
        "url(",
        "javascript:",
        " on",
    ] {
        let found = page.find(mark).filter(|_| mark != " on");
        assert_eq!(found, None, "{mark}: {page}");
    }
    let list = &status(&server)["session_list"];
    let session = list
        .as_array()
        .expect("a list")
        .iter()
        .find(|it| it["user"] == HOSTILE);
    let session = session.unwrap_or_else(|| panic!("{list}"));
    assert_eq!(
        (&session["database"], &session["application"]),
        (&HOSTILE.into(), &HOSTILE.into())
    );
}

/// The names of all fields; of a list those of its first object.
fn shape(value: &Value, path: &str, names: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = format!("{path}.{name}");
                names.push(path.clone());
                shape(value, &path, names);
            }
        }
        Value::Array(list) => list
            .iter()
            .take(1)
            .for_each(|first| shape(first, path, names)),
        _ => {}
    }
}

#[track_caller]
fn compare(server: &Server) {
    let out = server.dbctl(&["--json", "status"]).ok();
    let told: Value = serde_json::from_str(&out).expect("JSON");
    let served = status(server);
    let mut names = Vec::new();
    shape(&told, "", &mut names);
    assert!(names.len() > 30, "{names:?}");
    for name in &names {
        let pointer = name.replace('.', "/");
        // Of a list the first object stands for all.
        let at = |root: &Value| {
            let mut value = root.clone();
            for part in pointer.split('/').skip(1) {
                if let Value::Array(list) = &value {
                    value = list.first().cloned().unwrap_or_default();
                }
                value = value.get(part).cloned()?;
            }
            Some(value)
        };
        let (one, other) = (at(&told), at(&served));
        assert!(other.is_some(), "{name} is not in {served}");
        let moves = [
            "free_bytes",
            "sessions",
            "last_heard_of",
            "lag_in",
            "since",
            "dirty_bytes",
        ];
        if !moves.iter().any(|part| name.contains(part)) && !one.as_ref().is_some_and(is_branch) {
            assert_eq!(one, other, "{name}");
        }
    }
}

fn is_branch(value: &Value) -> bool {
    matches!(value, Value::Object(_) | Value::Array(_))
}

#[test]
fn json_has_what_dbctl_status_has_on_a_master_and_on_a_slave() {
    let cluster = Cluster::with(master(), with_page(Settings::slave()));
    cluster.master.sql("system", "CREATE DATABASE shop");
    cluster.synchronize();
    compare(&cluster.master);
    compare(&cluster.slave);
    let slave = status(&cluster.slave);
    assert_eq!(slave["role"], "Slave");
    assert_eq!(
        slave["lag_history"].as_array().map(Vec::len),
        Some(1),
        "{slave}"
    );
    assert_eq!(slave["database_list"][0]["database"], "shop");
}

#[test]
fn a_lock_that_is_waited_for_is_shown_with_who_has_it() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), master());
    server.start();
    server.sql("system", "CREATE DATABASE shop");
    let holder = server.client("shop");
    holder.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    holder.run("BEGIN; UPDATE t SET a = 2");
    let held_by = holder.value("SELECT pg_backend_pid()");
    let waiter = server.client("shop");
    std::thread::scope(|scope| {
        let waits = scope.spawn(move || waiter.run("UPDATE t SET a = 3"));
        dbtests::wait_for("the page to show who waits", dbtests::LONG, || {
            let page = text(&server, "/");
            page.contains(&format!("transactionid, of session {held_by}"))
                .then_some(())
        });
        holder.run("COMMIT");
        waits.join().expect("the update is done");
    });
}

#[test]
fn only_get_and_head_of_a_few_places_are_answered_and_nobody_keeps_them() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), master());
    server.start();
    let address = server.http_address();
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/status.json", "application/json"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
        ("/healthz", "text/plain; charset=utf-8"),
        ("/readyz", "text/plain; charset=utf-8"),
        ("/master", "text/plain; charset=utf-8"),
    ] {
        let got = get(&server, path);
        assert_eq!(
            (got.status, &*got.headers["content-type"]),
            (200, kind),
            "{path}"
        );
        let head = ask(address, "HEAD", path, "");
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        assert_ne!(head.headers["content-length"], "0", "{path}");
        let posted = ask(address, "POST", path, "Content-Length: 0\r\n");
        assert_eq!(
            (posted.status, &*posted.headers["allow"]),
            (405, "GET, HEAD"),
            "{path}"
        );
        for answer in [&got, &head, &posted] {
            assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
            assert_eq!(
                answer.headers["x-content-type-options"], "nosniff",
                "{path}"
            );
            assert!(answer.headers["content-security-policy"].starts_with("default-src 'none'"));
        }
    }
    for path in ["/x", "//", "/metrics/", "/..%2fetc/passwd", "*"] {
        assert_eq!(get(&server, path).status, 404, "{path}");
    }
    assert_eq!(talk(address, "nonsense\r\n\r\n").status, 400);
}
