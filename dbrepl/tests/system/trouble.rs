//! Slaves that have trouble, one or several at a time.

use crate::shipping::{empty, until};
use crate::support::master::Master;
use crate::support::slave::{Behaviour, FakeSlave};
use crate::support::{Run, assert_same_files};

#[tokio::test(flavor = "multi_thread")]
async fn several_slaves_with_trouble_of_their_own_get_the_same_from_one_dbrepl() {
    let mut master = Master::create();
    master.commit(50);
    let cut = |after| Behaviour {
        cut_after: Some(after),
        ..Behaviour::default()
    };
    let mut slaves = vec![empty().await, empty().await];
    for after in [30_000, 90_000] {
        slaves.push(FakeSlave::start(cut(after)).await);
    }
    let addresses: Vec<String> = slaves.iter().map(FakeSlave::address).collect();
    let following = Run::to(&master, &addresses.join(","), "");
    for round in 0..40 {
        // One of them has no room for a while, one goes and comes.
        slaves[0].behaviour.lock().unwrap().full = round % 8 == 3;
        if round == 10 {
            slaves[1].stop().await;
        }
        if round == 20 {
            slaves[1].restart().await;
        }
        if round % 9 == 5 {
            master.new_generation();
        }
        master.commit(7);
        tokio::task::yield_now().await;
    }
    slaves[0].behaviour.lock().unwrap().full = false;
    let end = master.durable().point;
    for slave in &slaves {
        until(|| slave.end().is_some_and(|own| own.end == end)).await;
    }
    let (result, lines) = following.stop().await;
    assert_eq!(result, Ok(()), "{lines:?}");
    for slave in &slaves {
        assert_same_files(&master.location(), &slave.location());
        let name = format!(": {}: ", slave.address());
        assert!(lines.iter().any(|line| line.contains(&name)), "{lines:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_that_have_failed_are_counted_since_they_were_told_last() {
    let (mut master, slave) = (Master::create(), empty().await);
    master.commit(20);
    let following = Run::start(&master, &slave, "");
    let again = "connected to slave server again; it had failed ";
    let mut times = Vec::new();
    for failures in [5, 1] {
        slave.behaviour.lock().unwrap().full = true;
        let before = slave.behaviour.lock().unwrap().connections;
        // What the slave has no room for ends the connection that there is.
        master.commit(5);
        until(|| slave.behaviour.lock().unwrap().connections >= before + failures).await;
        let told = following.count(again);
        slave.behaviour.lock().unwrap().full = false;
        until(|| following.count(again) > told).await;
    }
    let (_, lines) = following.stop().await;
    for line in lines
        .iter()
        .filter_map(|line| line.strip_prefix(&format!("R0: {again}")))
    {
        let count = line.split(' ').next().unwrap();
        let count = if count == "once" { "1" } else { count };
        times.push(count.parse::<u64>().unwrap());
    }
    assert_eq!(times.len(), 2, "{lines:?}");
    assert!(times[1] < times[0], "not those before once more: {lines:?}");
}
