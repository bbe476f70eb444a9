//! Access-control lists as PostgreSQL has them: who was granted what on an object, by whom, what GRANT and REVOKE make
//! of it, and what a role may do by it all. No I/O.
//!
//! ```text
//! Authority: who may do what in one database
//!    ├ Roles ─ Role, Member
//!    └ Object ─ Acl ─ Item ─ Privileges
//! ```

#![warn(missing_docs)]

mod authority;
mod item;
mod list;
mod privileges;
mod roles;

pub use authority::{Authority, Object, Objects};
pub use item::{Grantee, Item, role_text};
pub use list::{Acl, Refused, Revoked};
pub use privileges::{Kind, Privileges};
pub use roles::{Member, Role, Roles};
