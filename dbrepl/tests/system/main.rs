//! dbrepl with a real log, a real receiver and a real mirror: as a library, and as a program.

#[cfg(test)]
mod command;
#[cfg(test)]
mod shipping;
#[cfg(test)]
mod stopping;
#[cfg(test)]
mod support;
#[cfg(test)]
mod trouble;
