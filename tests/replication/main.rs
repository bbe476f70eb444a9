//! A slave has what its master has: the same rows, the same pages, the same log.

mod adoption;
mod arrival;
mod bar;
mod broken_line;
mod copies;
mod databases;
mod forward;
mod holding;
mod interrupted;
mod kept;
mod large;
mod log_changes;
mod many;
mod names;
mod point_in_time;
mod readers;
mod redirect;
mod refusals;
mod repair;
mod resume;
mod several;
mod shop;
mod standing;
mod switchover;
mod verify;
mod ways;
