//! The archive of a log: what dbrepl stores in a directory, and what dbctl tells of it and makes of it.

mod kept;
mod killed;
mod managed;
mod objects;
mod support;
mod told;
