use std::time::{Duration, Instant};

use dbproto::managed::{Order, Report, Run, TaskState};
use fwlog::Timestamp;
use pgtypes::SqlState;

use super::*;
use crate::sources::definition::Definition;

/// A supervisor with a clock that is set by hand.
struct Bench {
    supervisor: Supervisor,
    now: Now,
}

impl Bench {
    fn new(names: &[&str]) -> Self {
        let time = Timestamp::from_micros(1_000_000);
        let definitions = names.iter().map(|name| definition(name)).collect();
        Self {
            supervisor: Supervisor::new(definitions, 3, time),
            now: Now {
                instant: Instant::now(),
                time,
            },
        }
    }

    /// The dbrepl runs, and has been told of its sources.
    fn running(names: &[&str]) -> Self {
        let mut bench = Self::new(names);
        bench.look(false);
        assert_eq!(bench.steps(), ["spawn"]);
        bench.begin(4711);
        bench
    }

    fn begin(&mut self, pid: u32) {
        self.supervisor.has_begun(pid);
        self.hear(&Report::Ready);
    }

    fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        let micros = u64::try_from(time.as_micros()).unwrap();
        self.now.time = Timestamp::from_micros(self.now.time.micros() + micros);
    }

    fn look(&mut self, is_root: bool) {
        self.supervisor.look(is_root, self.now);
    }

    fn hear(&mut self, report: &Report) {
        self.supervisor.hear(report, self.now);
    }

    fn state(&mut self, run: u64, state: TaskState, reason: Option<&str>) {
        self.hear(&Report::State {
            run: Run(run),
            state,
            reason: reason.map(str::to_owned),
        });
    }

    fn start(&mut self, new: Definition) -> Result<(), EngineError> {
        self.supervisor.start(new, self.now)
    }

    fn wish(&mut self, name: &str, wish: Wish) -> Result<bool, EngineError> {
        let now = self.now;
        self.supervisor.change(name, |it| it.wish = wish, now)
    }

    fn shut_down(&mut self, name: Option<&str>, seconds: u64) -> Result<Vec<String>, EngineError> {
        let grace = Duration::from_secs(seconds);
        self.supervisor.shut_down(name, grace, self.now)
    }

    fn steps(&mut self) -> Vec<String> {
        let steps = self.supervisor.take_steps().into_iter();
        steps.map(|step| shown(&step)).collect()
    }

    /// State and reason of a source.
    fn standing(&self, name: &str) -> (&'static str, Option<String>) {
        let all = self.supervisor.standings().into_iter();
        let mut named = all.filter(|it| it.definition.name == name);
        let standing = named.next().unwrap();
        (standing.state.as_str(), standing.reason)
    }

    fn state_of(&self, name: &str) -> &'static str {
        self.standing(name).0
    }
}

fn definition(name: &str) -> Definition {
    Definition::new(name, &format!("{name}:8102"))
}

fn shown(step: &Step) -> String {
    match step {
        Step::Spawn => "spawn".to_owned(),
        Step::Kill => "kill".to_owned(),
        Step::Tell(Order::Ship(ship)) => format!("ship {} {}", ship.run.0, ship.name),
        Step::Tell(Order::Stop {
            run,
            because,
            at_most_ms,
        }) => format!("stop {} {at_most_ms} {because:?}", run.0),
        Step::Tell(Order::Log { run, .. }) => format!("log {}", run.0),
        Step::Tell(Order::Stats { run, .. }) => format!("stats {}", run.0),
        Step::Tell(Order::Prompt { run, prompt }) => format!("prompt {} {prompt}", run.0),
        Step::Tell(Order::Finish { at_most_ms }) => format!("finish {at_most_ms}"),
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, EngineError>) -> (SqlState, String) {
    let error = result.unwrap_err();
    (error.sqlstate(), error.to_string())
}

#[test]
fn one_process_runs_all_sources_and_none_runs_without_any() {
    let mut bench = Bench::new(&[]);
    bench.look(true);
    assert_eq!(bench.steps(), [""; 0]);
    bench.start(definition("west")).unwrap();
    bench.start(definition("east")).unwrap();
    assert_eq!(bench.steps(), ["spawn"], "one for both");
    assert_eq!(
        bench.standing("west"),
        ("waiting", Some("dbrepl is started".to_owned()))
    );
    bench.begin(4711);
    assert_eq!(bench.steps(), ["ship 2 east", "ship 1 west"]);
    bench.state(1, TaskState::Shipping, None);
    assert_eq!(bench.standing("west"), ("shipping", None));
    bench.state(2, TaskState::Waiting, Some("no route"));
    assert_eq!(
        bench.standing("east"),
        ("waiting", Some("no route".to_owned()))
    );
    let ended = bench.shut_down(Some("west"), 5).unwrap();
    assert_eq!(ended, ["west"]);
    assert_eq!(bench.steps(), ["stop 1 5000 Shutdown"]);
    assert!(bench.supervisor.has_task(Some("west")));
    bench.state(1, TaskState::Ended, None);
    assert_eq!(bench.state_of("west"), "stopped");
    assert_eq!(bench.steps(), [""; 0], "the other one goes on");
    bench.shut_down(None, 0).unwrap();
    bench.state(2, TaskState::Ended, None);
    assert_eq!(bench.steps(), ["stop 2 0 Shutdown", "finish 0"]);
    assert!(!bench.supervisor.is_alone());
    assert!(!bench.supervisor.has_ended("exit status: 0", bench.now));
    assert!(bench.supervisor.is_alone());
    assert_eq!(bench.steps(), [""; 0]);
}

#[test]
fn a_process_that_dies_is_begun_again_after_longer_and_longer_pauses() {
    let mut bench = Bench::running(&["west"]);
    assert_eq!(bench.steps(), ["ship 1 west"]);
    bench.state(1, TaskState::Shipping, None);
    let mut pause = FIRST_PAUSE;
    for times in 0..12 {
        assert!(bench.supervisor.has_ended("signal: 9", bench.now));
        let (state, reason) = bench.standing("west");
        assert_eq!(state, "waiting");
        assert!(reason.unwrap().starts_with("signal: 9"), "why is told");
        let moment = Duration::from_millis(1);
        bench.pass(pause.saturating_sub(moment));
        bench.look(true);
        assert_eq!(bench.steps(), [""; 0], "{times}");
        bench.pass(moment);
        bench.look(true);
        assert_eq!(bench.steps(), ["spawn"], "{times}");
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    assert_eq!(pause, LONGEST_PAUSE);
    bench.begin(4712);
    assert_eq!(bench.steps(), ["ship 1 west"]);
    // One that has run well has not failed at its start.
    bench.pass(WELL);
    bench.supervisor.has_ended("signal: 9", bench.now);
    bench.pass(FIRST_PAUSE);
    bench.look(true);
    assert_eq!(bench.steps(), ["spawn"]);
}

#[test]
fn what_is_said_of_a_run_before_is_not_said_of_this_one() {
    let mut bench = Bench::running(&["west"]);
    bench.shut_down(Some("west"), 0).unwrap();
    assert_eq!(
        refused(bench.start(definition("west"))),
        (
            SqlState::SOURCE_RUNS,
            "the source for west is running already (process 4711)".to_owned()
        ),
        "it ends, and has not ended"
    );
    bench.state(1, TaskState::Ended, None);
    bench.start(definition("west")).unwrap();
    bench.state(1, TaskState::Refused, Some("late"));
    assert_eq!(bench.state_of("west"), "waiting");
}

#[test]
fn a_source_that_is_given_up_stays_so_until_it_is_started_again() {
    let mut bench = Bench::running(&["east", "west"]);
    bench.steps();
    bench.state(2, TaskState::Refused, Some("diverged"));
    assert_eq!(
        bench.standing("west"),
        ("refused", Some("diverged".to_owned()))
    );
    bench.supervisor.has_ended("signal: 9", bench.now);
    bench.pass(LONGEST_PAUSE);
    bench.look(true);
    bench.begin(4712);
    assert_eq!(bench.steps(), ["spawn", "ship 1 east"]);
    let (state, said) = refused(bench.wish("west", Wish::Passive { auto: false }));
    assert_eq!(state, SqlState::SOURCE_DOES_NOT_RUN);
    assert_eq!(said, "no source for west is running");
    bench.start(definition("west")).unwrap();
    assert_eq!(bench.steps(), ["ship 3 west"]);
    bench.state(3, TaskState::Refused, Some("diverged"));
    bench.shut_down(Some("west"), 0).unwrap();
    assert_eq!(bench.state_of("west"), "stopped");
}

#[test]
fn a_passive_source_sends_when_it_is_told_to_or_when_its_server_becomes_the_root() {
    let mut bench = Bench::new(&[]);
    for (name, auto) in [("east", true), ("west", false)] {
        let wish = Wish::Passive { auto };
        bench
            .start(Definition {
                wish,
                ..definition(name)
            })
            .unwrap();
    }
    bench.look(false);
    assert_eq!(bench.steps(), [""; 0], "no process for those that rest");
    assert_eq!(bench.state_of("west"), "passive");
    assert_eq!(
        refused(bench.start(definition("west"))).1,
        "the source for west is running already (passive)"
    );
    bench.look(true);
    bench.begin(4711);
    assert_eq!(bench.steps(), ["spawn", "ship 1 east"]);
    assert!(bench.wish("west", Wish::Ship).unwrap());
    assert!(!bench.wish("west", Wish::Ship).unwrap(), "it is already");
    assert_eq!(bench.steps(), ["ship 2 west"]);
    bench.wish("east", Wish::Passive { auto: false }).unwrap();
    assert_eq!(bench.steps(), ["stop 1 0 Passive"]);
    // Before it has ended it is wanted again: it begins anew behind its end.
    bench.wish("east", Wish::Ship).unwrap();
    assert_eq!(bench.steps(), [""; 0]);
    bench.state(1, TaskState::Ended, None);
    assert_eq!(bench.steps(), ["ship 3 east"]);
}

#[test]
fn log_and_statistics_of_a_source_that_runs_are_changed_in_its_process() {
    let mut bench = Bench::running(&["west"]);
    bench.steps();
    let now = bench.now;
    let mut change =
        |change: &dyn Fn(&mut Definition)| bench.supervisor.change("west", change, now);
    assert!(change(&|it| it.log_file = Some("/a".into())).unwrap());
    assert!(!change(&|it| it.log_file = Some("/a".into())).unwrap());
    assert!(change(&|it| it.stats = Some(dbproto::managed::Stats::default())).unwrap());
    assert_eq!(bench.steps(), ["log 1", "stats 1"]);
}

#[test]
fn what_does_not_fit_is_refused_by_name_and_changes_nothing() {
    let mut bench = Bench::running(&["a", "b"]);
    let before = bench.supervisor.definitions();
    let state = |result| refused(result).0;
    assert_eq!(state(bench.wish("x", Wish::Ship)), SqlState::SOURCE_UNKNOWN);
    assert_eq!(
        refused(bench.shut_down(Some("x"), 0)).1,
        "no source for x is known"
    );
    assert_eq!(
        refused(bench.supervisor.forget("x")).0,
        SqlState::SOURCE_UNKNOWN
    );
    assert_eq!(
        refused(bench.supervisor.forget("a")).0,
        SqlState::SOURCE_RUNS
    );
    assert_eq!(bench.supervisor.definitions(), before);
    bench.start(definition("c")).unwrap();
    assert_eq!(
        refused(bench.start(definition("d"))),
        (
            SqlState::TOO_MANY_SOURCES,
            "there are 3 sources already (MaxSources)".to_owned()
        )
    );
    bench.shut_down(Some("c"), 0).unwrap();
    bench.state(3, TaskState::Ended, None);
    let (state, _) = refused(bench.shut_down(Some("c"), 0));
    assert_eq!(state, SqlState::SOURCE_DOES_NOT_RUN);
    bench.supervisor.forget("c").unwrap();
    bench.start(definition("d")).unwrap();
}

#[test]
fn with_the_server_its_process_ends_and_is_not_begun_again() {
    let mut bench = Bench::running(&["west"]);
    bench.steps();
    bench.supervisor.close(Duration::from_secs(10));
    assert_eq!(bench.steps(), ["finish 10000"]);
    assert!(!bench.supervisor.is_alone());
    assert!(!bench.supervisor.has_ended("exit status: 0", bench.now));
    bench.pass(LONGEST_PAUSE);
    bench.look(true);
    assert_eq!(bench.steps(), [""; 0]);
    assert!(bench.supervisor.is_alone());
    // One that is still to begin does not.
    let mut early = Bench::new(&["west"]);
    early.look(true);
    early.supervisor.close(Duration::ZERO);
    assert_eq!(early.steps(), ["kill"]);
    assert!(early.supervisor.is_alone());
    // One that does not live at that moment, neither.
    let mut dead = Bench::running(&["west"]);
    dead.steps();
    dead.supervisor.has_ended("signal: 9", dead.now);
    dead.supervisor.close(Duration::ZERO);
    assert!(dead.supervisor.is_alone() && dead.supervisor.next_look().is_none());
}

#[test]
fn a_process_that_fails_while_a_source_is_to_end_needs_not_come_again() {
    let mut bench = Bench::running(&["west"]);
    bench.shut_down(None, 30).unwrap();
    bench.supervisor.has_ended("signal: 9", bench.now);
    assert_eq!(bench.state_of("west"), "stopped");
    bench.pass(LONGEST_PAUSE);
    bench.look(true);
    bench.steps();
    bench.start(definition("west")).unwrap();
    assert_eq!(bench.steps(), ["spawn"]);
}

#[test]
fn what_a_person_has_to_mend_is_not_begun_again_and_again() {
    let mut bench = Bench::new(&["east", "west"]);
    bench.wish("west", Wish::Passive { auto: false }).unwrap();
    bench.look(false);
    assert_eq!(bench.steps(), ["spawn"]);
    bench.supervisor.has_begun(4711);
    bench.supervisor.give_up("no password file", bench.now);
    bench.pass(Duration::from_mins(1));
    bench.look(false);
    assert_eq!(bench.steps(), [""; 0]);
    assert!(bench.supervisor.is_alone());
    let why =
        "no password file; then 'dbctl source start east', or 'dbctl reload' for all".to_owned();
    assert_eq!(bench.standing("east"), ("refused", Some(why)));
    assert_eq!(bench.state_of("west"), "passive");
    bench.start(definition("east")).unwrap();
    assert_eq!(bench.steps(), ["spawn"]);
}

#[test]
fn attempts_that_follow_one_another_are_one_state_since_the_first_of_them() {
    let mut bench = Bench::running(&["west"]);
    bench.steps();
    let since = |bench: &Bench| bench.supervisor.standings()[0].since;
    let pass_to = |bench: &mut Bench, state, reason| {
        bench.pass(Duration::from_secs(1));
        bench.state(1, state, reason);
        since(bench)
    };
    let fed = pass_to(&mut bench, TaskState::Shipping, None);
    let lost = pass_to(&mut bench, TaskState::Waiting, Some("no route"));
    assert!(lost > fed);
    for state in [
        TaskState::Connecting,
        TaskState::Meeting,
        TaskState::Waiting,
    ] {
        assert_eq!(pass_to(&mut bench, state, Some("no answer")), lost);
    }
    // Nor is it another one when the process has died meanwhile.
    bench.pass(Duration::from_secs(1));
    bench.supervisor.has_ended("signal: 9", bench.now);
    assert_eq!(since(&bench), lost);
    bench.pass(LONGEST_PAUSE);
    bench.look(false);
    bench.begin(4712);
    let again = pass_to(&mut bench, TaskState::Shipping, None);
    assert!(again > lost);
    assert!(pass_to(&mut bench, TaskState::Standby, Some("root")) > again);
}

/// The configuration was read again: these slaves stand in it now.
fn adopt(bench: &mut Bench, slaves: &[(&str, &str)]) -> Vec<String> {
    let definitions = slaves
        .iter()
        .map(|(name, address)| Definition::new(name, address));
    let changes = bench.supervisor.adopt(definitions.collect(), 3, bench.now);
    changes.iter().map(ToString::to_string).collect()
}

#[test]
fn sources_come_and_go_and_move_with_the_configuration() {
    let mut bench = Bench::running(&["east", "west"]);
    assert_eq!(bench.steps(), ["ship 1 east", "ship 2 west"]);
    bench.state(1, TaskState::Shipping, None);
    let (east, south) = (("east", "east:8102"), ("south", "south:1"));
    assert_eq!(
        adopt(&mut bench, &[east, south]),
        [
            "the source for west ends: it is not in Sources any more",
            "the source for south is started: south:1",
        ]
    );
    assert_eq!(bench.steps(), ["ship 3 south", "stop 2 0 Removed"]);
    // It is no wish any more, and gone once it has ended.
    assert_eq!(bench.supervisor.definitions().len(), 2);
    bench.state(2, TaskState::Refused, Some("too late"));
    assert_eq!(bench.supervisor.standings().len(), 2);
    assert_eq!(adopt(&mut bench, &[east, south]), [""; 0]);
    // Another address: it ends at the one, and begins at the other.
    let moved = ("east", "elsewhere:7");
    assert_eq!(
        adopt(&mut bench, &[moved, south]),
        ["the source for east goes to elsewhere:7 now, not to east:8102"]
    );
    assert_eq!(bench.steps(), ["stop 1 0 Moved"]);
    bench.state(1, TaskState::Refused, Some("whatever it met there"));
    assert_eq!(bench.steps(), ["ship 4 east"]);
    // Taken out and put back before it has ended.
    adopt(&mut bench, &[south]);
    assert_eq!(bench.steps(), ["stop 4 0 Removed"]);
    assert_eq!(
        adopt(&mut bench, &[moved, south]),
        ["the source for east is started: elsewhere:7"]
    );
    bench.state(4, TaskState::Ended, None);
    assert_eq!(bench.steps(), ["ship 5 east"]);
    // One that was given up is tried again.
    bench.state(5, TaskState::Refused, Some("access refused"));
    assert_eq!(bench.state_of("east"), "refused");
    assert_eq!(
        adopt(&mut bench, &[moved, south]),
        ["the source for east is tried again; it was refused: access refused"]
    );
    assert_eq!(bench.steps(), ["ship 6 east"]);
    // None is left: the process ends.
    adopt(&mut bench, &[]);
    assert_eq!(bench.steps(), ["stop 6 0 Removed", "stop 3 0 Removed"]);
    bench.state(3, TaskState::Ended, None);
    bench.state(6, TaskState::Ended, None);
    assert_eq!(bench.steps(), ["finish 0"]);
    assert!(bench.supervisor.standings().is_empty());
}
