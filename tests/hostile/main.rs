//! Hostile bytes on every socket: each is refused in words, and everybody else is served.

#![expect(clippy::panic, reason = "a panic is how a test fails")]

mod attack;
mod clients;
mod crowds;
mod guesses;
mod log;
mod records;
mod shop;
mod slaves;
mod source;
mod streams;
mod trees;
mod versions;
