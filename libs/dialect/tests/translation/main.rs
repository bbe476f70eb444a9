//! Translated statements run by SQLite.

#[cfg(test)]
mod aliases;
#[cfg(test)]
mod catalog;
#[cfg(test)]
mod drivers;
#[cfg(test)]
mod functions;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod recursion;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod schema_changes;
#[cfg(test)]
mod sequences;
#[cfg(test)]
mod session;
#[cfg(test)]
mod support;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod values;
#[cfg(test)]
mod ways_in;
