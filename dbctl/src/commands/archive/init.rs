//! `archive init`

use repository::{Marker, Repository};

use super::open::store_of;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::Table;

pub(super) fn run(invocation: &Invocation, url: &str, name: Option<&str>) -> Result<()> {
    let store = store_of(url)?;
    let place = store.place();
    let path = place.split('?').next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let marker = Marker::new(name.unwrap_or(last))
        .map_err(|why| CommandError::usage(why).with_hint("give it a name with --name"))?;
    let made = Repository::init(store, marker)?;
    let mut table = Table::new(&["name", "value"]);
    table.push(["repository".to_owned(), made.place()]);
    table.push(["name".to_owned(), made.name().to_owned()]);
    if made.is_for_one_writer() {
        let archivers = "one at a time: the store replaces objects that are there";
        table.push(["archivers", archivers].map(str::to_owned));
    }
    invocation.output.result(&table)?;
    invocation
        .output
        .line(format_args!("archive a log with: dbrepl -c CFG {place}"))
}
