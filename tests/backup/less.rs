//! What is there already is neither fetched nor sent again; and repositories by name.

use dbtests::process::{Background, run};
use dbtests::{LONG, files, wait_for};
use serde_json::Value;

use crate::support::{Shop, checksum, items, json, with_password};

fn number(value: &Value, of: &str) -> u64 {
    value[of].as_u64().expect(of)
}

/// In bytes, as people are told.
fn fetched(told: &str) -> f64 {
    let line = told.lines().find_map(|line| line.strip_prefix("fetched"));
    let (count, unit) = line
        .expect("a line")
        .trim()
        .split_once(' ')
        .expect("a unit");
    let units = [("bytes", 1.0), ("KiB", 1024.0), ("MiB", 1024.0 * 1024.0)];
    let (_, scale) = units
        .into_iter()
        .find(|(name, _)| *name == unit)
        .expect(unit);
    count.parse::<f64>().expect("a number") * scale
}

#[test]
fn a_restore_fetches_only_what_an_older_state_has_not_and_believes_nothing_of_that() {
    let shop = Shop::start();
    shop.sell(100);
    shop.create(&[]);
    shop.master.dbctl(&["checkpoint"]).ok();
    let old = shop.folder.join("old");
    files::copy_directory(&shop.master.data_dir(), &old);
    shop.sell(2);
    let next = shop.create(&[]);
    let wanted = checksum(&shop.master, "shop");
    let whole = shop.copy("whole");
    let all = fetched(&shop.restore(&whole, &[]).ok());
    let delta = ["--delta", old.to_str().expect("text")];
    let mut less = shop.copy("less");
    let some = fetched(&shop.restore(&less, &delta).ok());
    assert!(all > 2e6 && some * 5.0 < all, "{some} of {all}");
    less.start();
    assert_eq!(checksum(&less, "shop"), wanted);
    // Every second page of the old state is another one: what comes is right all the same.
    let file = old.join("db/shop.db");
    let pages = std::fs::metadata(&file).expect("a file").len() / 4096;
    for page in (0..pages).step_by(2) {
        files::flip(&file, page * 4096 + 1000);
    }
    let mut damaged = shop.copy("damaged");
    let more = fetched(&shop.restore(&damaged, &delta).ok());
    assert!(more > some, "{more} and {some}");
    damaged.start();
    assert_eq!(checksum(&damaged, "shop"), wanted);
    assert!(number(&next, "commit") > 0);
    let told = shop.restore(&shop.copy("none"), &["--delta", "/no/such/place"]);
    assert!(told.fails(1).contains("--delta takes the DataDir"));
}

#[test]
fn a_backup_that_was_broken_off_is_gone_on_with_and_says_what_was_there() {
    let shop = Shop::start();
    // Groups of 2 MiB that do not get smaller: a pack is full after some of them.
    shop.sell(1600);
    let mut command = shop.master.dbctl_command();
    with_password(&mut command).args(["backup", "create", &shop.url, "--rate", "100m"]);
    let mut taking = Background::start(&mut command, &shop.folder.join("taking.log"));
    wait_for("two packs to be there", LONG, || {
        assert!(taking.ended().is_none(), "{}", taking.output());
        (shop.packs().len() >= 2).then_some(())
    });
    taking.kill9();
    let there: u64 = shop
        .packs()
        .iter()
        .map(|it| it.metadata().expect("a pack").len())
        .sum();
    // A page near the beginning is another one now.
    shop.master
        .sql("shop", "UPDATE items SET body = 'sold' WHERE id = 5");
    let backup = shop.create(&[]);
    let (packs, found) = (
        number(&backup, "packs_found"),
        number(&backup, "bytes_found"),
    );
    assert!(packs >= 1 && found > 1 << 20 && found <= there, "{backup}");
    assert_eq!(backup["compared_with"], Value::Null);
    json(&shop.look("verify", &["--data"]).ok());
    let mut copy = shop.copy("copy");
    shop.restore(&copy, &[]).ok();
    copy.start();
    assert_eq!(checksum(&copy, "shop"), checksum(&shop.master, "shop"));
    // Of one that is whole nothing is sent again either.
    let again = shop.create(&["--full"]);
    assert!(
        number(&again, "bytes_found") > number(&again, "bytes_stored"),
        "{again}"
    );
    assert_eq!(items(&copy), 1600);
}

#[test]
fn a_repository_goes_by_the_name_of_its_section() {
    let mut shop = Shop::start();
    let url = shop.url.clone();
    shop.master.reconfigure(|settings| {
        let section = "Archive backup";
        let settings = settings.set(section, "Url", &url);
        let settings = settings.set(section, "WarnBehind", "100d");
        settings.set(section, "KeepDaily", 2)
    });
    shop.sell(3);
    shop.archive(&shop.master).ok();
    for _ in 0..2 {
        json(
            &shop
                .master
                .dbctl(&["--json", "backup", "create", "BACKUP"])
                .ok(),
        );
    }
    let named = |words: &[&str]| {
        let mut command = shop.master.dbctl_command();
        run(command.arg("--json").args(words), b"")
    };
    let status = json(&named(&["archive", "status", "backup"]).ok());
    assert_eq!(status["repository"], url.as_str(), "{status}");
    named(&["archive", "status", "backup", "--warn-behind", "0"]).fails(1);
    named(&["archive", "verify", "backup"]).ok();
    named(&["archive", "list", "backup"]).ok();
    named(&["backup", "verify", "backup", "--quick"]).ok();
    let list = json(&named(&["backup", "list", "backup"]).ok());
    assert_eq!(list["backups"].as_array().expect("backups").len(), 2);
    let plan = json(&named(&["backup", "prune", "backup", "--dry-run"]).ok());
    let fates = plan["backups"].as_array().expect("backups");
    let kept = fates.iter().filter(|it| {
        it["fate"]
            .as_str()
            .is_some_and(|fate| fate.starts_with("kept"))
    });
    assert_eq!(kept.count(), 1, "the newest of its day: {plan}");
    // An option stands in the place of all keys.
    let rule = [
        "backup",
        "prune",
        "backup",
        "--keep-history",
        "30d",
        "--dry-run",
    ];
    let plan = json(&named(&rule).ok());
    let fates = plan["backups"].as_array().expect("backups");
    assert!(
        fates.iter().all(|it| it["fate"]
            .as_str()
            .is_some_and(|fate| fate.starts_with("kept"))),
        "{plan}"
    );
    let told = named(&["archive", "status", "./backup"]).fails(3);
    assert!(told.contains("there is no repository"), "{told}");
}
