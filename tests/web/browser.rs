//! The page in a real browser: light and dark, on a screen and on a telephone.

use std::path::PathBuf;

use dbtests::{Client, Cluster, LONG, Server, Settings, wait_for};
use serde_json::{Value, json};

use crate::devtools::Browser;
use crate::http::text;
use crate::page::HOSTILE;
use crate::{master, with_page};

/// A way to look at the page.
struct Look {
    name: &'static str,
    scheme: &'static str,
    width: u32,
    /// What a telephone does: another density, and touch.
    mobile: bool,
}

const LOOKS: [Look; 6] = [
    look("light", "light", 1280, false),
    look("dark", "dark", 1280, false),
    look("telephone", "light", 390, true),
    look("telephone-dark", "dark", 390, true),
    look("small", "light", 320, true),
    look("tablet", "light", 820, true),
];

const fn look(name: &'static str, scheme: &'static str, width: u32, mobile: bool) -> Look {
    Look {
        name,
        scheme,
        width,
        mobile,
    }
}

/// Where pictures go, if somebody wants to see them.
fn picture(server: &str, look: &Look) -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("ELOQDB_SCREENSHOTS")?);
    Some(folder.join(format!("{server}-{}.png", look.name)))
}

/// Looks at a page, and holds what must be so in each look.
#[track_caller]
fn see(browser: &mut Browser, server: &Server, look: &Look) {
    let address = format!("http://{}/", server.http_address());
    let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": look.scheme }] });
    browser.call("Emulation.setEmulatedMedia", &media);
    let size = json!({ "width": look.width, "height": 900, "deviceScaleFactor": 1, "mobile": look.mobile });
    browser.call("Emulation.setDeviceMetricsOverride", &size);
    browser.forget();
    browser.open(&address);
    let name = look.name;
    for wrong in [
        "Runtime.exceptionThrown",
        "Runtime.consoleAPICalled",
        "Log.entryAdded",
    ] {
        assert!(
            browser.events(wrong).is_empty(),
            "{name}: {:?}",
            browser.events(wrong)
        );
    }
    let asked: Vec<&Value> = browser.events("Network.requestWillBeSent");
    let urls: Vec<&str> = asked
        .iter()
        .filter_map(|it| it["params"]["request"]["url"].as_str())
        .collect();
    assert!(
        urls.contains(&address.as_str())
            && urls
                .iter()
                .all(|url| *url == address || url.starts_with("data:")),
        "{name}: {urls:?}"
    );
    let wide = browser.value("document.documentElement.scrollWidth");
    assert_eq!(wide, look.width, "{name}: it can be scrolled sideways");
    // Nothing is cut off either.
    let outside = "[...document.querySelectorAll('body *')].filter(e => { const r = e.getBoundingClientRect(); return r.width > 1 && (r.right > innerWidth + 1 || r.left < -1) && !e.closest('.flush') }).map(e => e.outerHTML.slice(0, 200))";
    assert_eq!(browser.value(outside), json!([]), "{name}");
    // The policy lets the one style in.
    let dark = browser.value("getComputedStyle(document.body).backgroundColor");
    let expected = if look.scheme == "dark" {
        "rgb(14, 19, 24)"
    } else {
        "rgb(245, 246, 248)"
    };
    assert_eq!(dark, expected, "{name}");
    assert_eq!(browser.value("document.scripts.length"), 0, "{name}");
    if let Some(path) = picture(server.settings().name(), look) {
        browser.picture(&path);
    }
}

/// Words can be read on what is behind them: the contrast that WCAG asks of text (AA).
#[track_caller]
fn hold_contrast(browser: &mut Browser, name: &str) {
    let measure = r"(() => {
      const rgb = c => c.match(/[\d.]+/g).map(Number);
      const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
      const back = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
      return [...document.querySelectorAll('body *')].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && !e.matches('.none')).flatMap(e => {
        const [a, b] = [light(rgb(getComputedStyle(e).color)), light(back(e))].sort((x, y) => y - x);
        const ratio = (a + .05) / (b + .05);
        return ratio < 4.5 ? [e.outerHTML.slice(0, 100) + ' ' + ratio] : [];
      });
    })()";
    assert_eq!(browser.value(measure), json!([]), "{name}");
}

/// A master with a slave, sessions in all kinds of states, and hostile names.
fn busy() -> (Cluster, dbtests::Follower, Vec<Client>) {
    let cluster = Cluster::with(master(), with_page(Settings::slave()));
    let server = &cluster.master;
    let quoted = HOSTILE.replace('"', "\"\"");
    server.sql("system", &format!("CREATE DATABASE \"{quoted}\""));
    server.sql("system", "CREATE DATABASE shop");
    server.sql(
        "shop",
        "CREATE TABLE orders (id int PRIMARY KEY, what text)",
    );
    server.sql(
        "shop",
        "INSERT INTO orders SELECT i, repeat('x', 200) FROM generate_series(1, 20000) AS s(i)",
    );
    let mut follower = cluster.follow();
    cluster.wait_for_slave(&mut follower);
    let application = |name: &str, database: &str| {
        let mut config = Client::config(server.address(), database, dbtests::PASSWORD);
        config.application_name(name);
        Client::with(&config).expect("a session")
    };
    let clients = vec![
        application("shop-frontend", "shop"),
        application("nightly report of all that was sold this week", "shop"),
        application(HOSTILE, HOSTILE),
    ];
    clients[1].run("BEGIN; SELECT count(*) FROM orders");
    let mut wrong = Client::config(server.address(), "system", "wrong");
    wrong.user(HOSTILE);
    assert!(Client::with(&wrong).is_err());
    (cluster, follower, clients)
}

#[test]
fn the_page_is_whole_in_a_browser_of_any_width_and_colour() {
    let Some(mut browser) = Browser::start() else {
        eprintln!(
            "skipped: there is no chromium (Debian package chromium) to look at the page with"
        );
        return;
    };
    let (cluster, mut follower, clients) = busy();
    wait_for("the master to know its slave", LONG, || {
        text(&cluster.master, "/")
            .contains("following")
            .then_some(())
    });
    for look in &LOOKS {
        see(&mut browser, &cluster.master, look);
        hold_contrast(&mut browser, look.name);
    }
    // A slave that a reader keeps, and one without a source.
    let reader = wait_for("the mode", LONG, || {
        cluster.slave.client_in_mode("shop", 7).ok()
    });
    clients[0].run("INSERT INTO orders VALUES (0, 'one more')");
    wait_for("the slave to be kept", LONG, || {
        text(&cluster.slave, "/")
            .contains("Suspended by")
            .then_some(())
    });
    for look in &LOOKS {
        see(&mut browser, &cluster.slave, look);
        hold_contrast(&mut browser, look.name);
    }
    drop(reader);
    follower.stop();
    browser.close();
}

#[test]
fn a_server_with_nothing_to_show_says_so() {
    let Some(mut browser) = Browser::start() else {
        eprintln!(
            "skipped: there is no chromium (Debian package chromium) to look at the page with"
        );
        return;
    };
    let folder = dbtests::Folder::new();
    let settings = with_page(Settings::new("alone", "Standalone").without("ForwardLog", "FwLog"));
    let mut server = Server::create(folder.path(), settings);
    server.start();
    let page = text(&server, "/");
    for empty in [
        "nobody follows it",
        "Nobody is connected",
        "None since the start",
    ] {
        assert!(page.contains(empty), "{empty}: {page}");
    }
    for look in &LOOKS[..4] {
        see(&mut browser, &server, look);
        hold_contrast(&mut browser, look.name);
    }
    browser.close();
}
