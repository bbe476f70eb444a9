use std::time::Instant;

use super::*;

fn at(commit: u64, micros: u64) -> Progress {
    Progress {
        point: fwlog::LogPoint {
            position: Position::new("1-2:0".parse::<Position>().unwrap().segment, 100 + commit),
            hash: fwlog::ChainHash::ZERO,
        },
        commit: fwlog::CommitNumber::new(commit),
        time: Timestamp::from_micros(micros),
    }
}

fn identify() -> dbproto::Identify {
    dbproto::Identify {
        protocol: 0,
        format: 0,
        environment: fwlog::EnvironmentId::from_bytes([1; 16]),
        instance: "m".into(),
        role: dbproto::Role::Master,
        page_size: 4096,
        volume_limit: 0,
        durable: None,
        pack: false,
        greeting: None,
    }
}

fn source(durable: Progress, oldest: Option<u64>) -> SourceState {
    SourceState {
        now: Timestamp::from_micros(60_000_000),
        oldest_outstanding: oldest.map(Timestamp::from_micros),
        caught_up: true,
        ..SourceState::from(durable)
    }
}

#[test]
fn a_lag_runs_from_the_oldest_commit_to_the_present() {
    let state = source(at(9, 50_000_000), Some(20_000_000));
    let lag = |applied: &Progress, hears| lag_behind(&state, 1_000_000, Some(applied), hears);
    assert_eq!(lag(&at(7, 10_000_000), true), (Some(2), Some(41_000_000)));
    // Some of them have arrived since the source has said so.
    assert_eq!(lag(&at(8, 30_000_000), true), (Some(1), Some(31_000_000)));
    assert_eq!(lag(&at(9, 50_000_000), true), (Some(0), Some(0)));
    // What is outstanding is known to a slave that is alone, and that nothing is can't be.
    assert_eq!(lag(&at(7, 10_000_000), false), (Some(2), Some(41_000_000)));
    assert_eq!(lag(&at(9, 50_000_000), false), (None, None));
}

#[test]
fn a_slave_whose_source_has_less_than_itself_does_not_follow() {
    let mut progress = SlaveProgress {
        applied: Some(at(7, 5)),
        ..SlaveProgress::default()
    };
    progress.feed.source = Some(identify());
    progress.feed.source_state = Some((source(at(5, 5), None), Instant::now()));
    let how = |progress: &SlaveProgress| standing(progress, false, Timestamp::ZERO).0;
    assert_eq!(how(&progress), Standing::Following);
    progress.feed.behind_since = Some(Timestamp::from_micros(9));
    assert_eq!(how(&progress), Standing::Ahead);
}

#[test]
fn what_a_source_holds_back_on_purpose_is_told_as_such() {
    let mut progress = SlaveProgress {
        applied: Some(at(7, 5)),
        ..SlaveProgress::default()
    };
    progress.feed.source = Some(identify());
    let how = |progress: &SlaveProgress| {
        let (standing, _, why) = standing(progress, false, Timestamp::ZERO);
        (standing, why.unwrap_or_default())
    };
    let mut state = source(at(9, 50_000_000), Some(20_000_000));
    state.brake.delay = Duration::from_hours(1);
    progress.feed.source_state = Some((state, Instant::now()));
    assert_eq!(
        how(&progress),
        (Standing::Following, "delayed by 1 h".into())
    );
    let status = ReplicationStatus::of_slave(&progress, false, Timestamp::ZERO);
    assert_eq!(status.delay_in_seconds, Some(Micros(3_600_000_000)));
    state.brake.held = Some(fwlog::CommitNumber::new(8));
    progress.feed.source_state = Some((state, Instant::now()));
    let (standing, why) = how(&progress);
    assert_eq!(standing, Standing::Held);
    assert!(why.contains("before commit 8"), "{why}");
}

#[test]
fn json_has_times_by_rfc_3339_numbers_and_nulls() {
    let mut progress = SlaveProgress {
        applied: Some(at(7, 1_145_386_457_123_000)),
        ..SlaveProgress::default()
    };
    let status = |progress: &SlaveProgress| {
        let now = Timestamp::from_micros(1_145_386_460_000_000);
        let status = ReplicationStatus::of_slave(progress, false, now);
        serde_json::to_string(&status).unwrap()
    };
    progress.feed.source_state = Some((source(at(7, 5), None), Instant::now()));
    assert_eq!(
        status(&progress),
        "{\"slave\":\"\",\"source\":null,\"address\":null,\"state\":\"not connected\",\
         \"since\":\"1970-01-01T00:00:00.000Z\",\
         \"reason\":\"no dbrepl has connected since the server was started; start one beside the master\",\
         \"suspended_by\":null,\"last_heard_of\":null,\
         \"source_durable\":{\"position\":\"1-2:107\",\"commit\":7,\"time\":\"1970-01-01T00:00:00.000Z\"},\
         \"received\":null,\"durable\":null,\
         \"applied\":{\"position\":\"1-2:107\",\"commit\":7,\"time\":\"2006-04-18T18:54:17.123Z\"},\
         \"lag_in_bytes\":null,\"lag_in_commits\":null,\"lag_in_seconds\":null,\
         \"delay_in_seconds\":null,\"partial\":false,\"archive\":false,\"verified\":null}"
    );
}
