//! What PostgreSQL's catalog says about types, casts, operators and functions, and the rules by which it chooses among
//! them.
//!
//! The tables are files in `data/`, read once. [`coerce`] says which type becomes which, [`polymorphism`] what stands
//! for `anyelement` and its kin, [`resolve`] which operator or function a call means.

#![deny(clippy::indexing_slicing)]

mod candidates;
mod cast;
pub mod coerce;
mod common_type;
mod function;
mod function_candidates;
mod modifier;
mod operator;
pub mod polymorphism;
pub mod resolve;
mod row;
mod type_id;
mod type_info;
mod typed;
mod user_type;

pub use cast::{Cast, CastContext, CastMethod, all as all_casts, cast};
pub use function::{
    Function, FunctionKind, Volatility, all_functions, function_by_oid, functions_named,
};
pub use operator::{Operator, all as operators, operator_by_oid, operators_signed};
pub use type_id::TypeId;
pub(crate) use type_info::multirange_of;
pub use type_info::{TypeInfo, TypeKind, all as types, type_by_name};
pub use typed::Type;
pub(crate) use user_type::{enter_composite, enter_domain, enter_enum};
