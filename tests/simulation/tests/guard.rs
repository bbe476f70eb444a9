//! A root that gets back from its slave what an old copy of it lacks.

use simulation::get_back_in_trouble;

/// Fewer than that, and it has not been tried.
const OPERATIONS: u64 = 100;

#[test]
fn an_old_copy_of_a_root_gets_back_what_its_slave_has_wherever_one_of_the_two_ends() {
    // The second one with SyncMode = 0.
    for seed in [1, 2] {
        let tried = get_back_in_trouble(seed);
        let tried = tried.unwrap_or_else(|wrong| unreachable!("seed {seed}: {wrong}"));
        assert!(tried > OPERATIONS, "only {tried}");
    }
}
