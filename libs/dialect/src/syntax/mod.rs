//! PostgreSQL's grammar: a statement's text becomes a tree of our own.

pub mod ast;
