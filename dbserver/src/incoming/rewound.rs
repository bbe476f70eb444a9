//! The state goes back to a point of its own log: at a start, before any file is opened.
//!
//! ```text
//!  history, log cut at the point, what is behind it ─► lost/TIME ─► staged pages, lengths, sums ─► databases of later
//!  ─► lost/TIME ─► control: redo at or before the point ─► no plan
//! ```
//! It needs nothing but what is staged. Each step finds what was done before a crash, so all of it is done once more until the
//! plan is gone.

use fwlog::{LogPoint, SegmentStore};

use super::clear;
use super::cut_log::cut_log;
use super::go_on::{place_database, set_database_aside};
use super::plan::Plan;
use crate::databases::Role;
use crate::databases::control::Control;
use crate::databases::data_mark::DataMark;
use crate::databases::fence::{Fence, Tail};
use crate::databases::instance_files::forget_behind;
use crate::databases::layout::Layout;
use crate::error::EngineError;

/// Carries out the plan, whose log ends at this point.
pub(super) fn go_back(
    layout: &Layout,
    mut control: Control,
    (plan, at): (&Plan, LogPoint),
    store: &SegmentStore,
) -> Result<Control, EngineError> {
    forget_behind(layout, at.position)?;
    let mut aside = store.location().clone();
    aside.directory = aside.directory.join("lost").join(&plan.lost);
    cut_log(store, at, &aside)?;
    if !plan.pages.is_empty() {
        // The files get pages otherwise than by checkpoints.
        DataMark::forget(layout)?;
    }
    let entries = plan.identity.databases.iter();
    for entry in entries.filter(|entry| plan.pages.contains_key(&entry.id)) {
        place_database(layout, entry, plan)?;
    }
    for file in &plan.aside {
        set_database_aside(layout, file, plan)?;
    }
    control.next_database = control.next_database.max(plan.next_database);
    control.role = Role::Slave;
    control.clean = false;
    control.detached = false;
    control.handover = None;
    control.fence = control.fence.map(|fence| Fence {
        tail: Tail::Nothing,
        ..fence
    });
    control.identity = Some(plan.identity.clone());
    control.write(layout.disk(), &layout.control())?;
    clear(layout, |_name| false)?;
    Plan::remove(layout)?;
    tracing::warn!(
        at = %at.position,
        commit = plan.commit.get(),
        segments = %aside.directory.display(),
        "this server is back at that point of its log; what was behind it is set aside"
    );
    Ok(control)
}
