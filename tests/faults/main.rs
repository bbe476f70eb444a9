//! A master and two slaves under faults: killed, frozen, cut off, on full disks and on disks that
//! fail. Clients write and read all the while, and a checker judges what they were told: no
//! acknowledged write is lost, no read sees half of a transaction or one that was undone, and every
//! server shows the states of the one order of commits, never an older one after a newer one.
//!
//! `ELOQDB_ROUNDS=500` is the long form of the random rounds. A failed run prints its seed and its
//! plan; `ELOQDB_SEED` repeats the choices of that run, though not the timing of the machine.

#[cfg(test)]
mod bad_histories;
mod checker;
mod client;
mod databases;
mod full_disk;
mod history;
mod injector;
mod io_errors;
mod load;
mod plan;
mod rounds;
mod state;
mod tables;
mod trio;
mod two_databases;
