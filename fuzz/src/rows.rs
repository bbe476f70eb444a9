//! Pages of a database before and after a commit: any bytes where SQLite's would be.

use std::sync::Arc;

use rowdiff::{Error, Image, PAGE_SIZE, Page, Pages, RowDiff, Step};

use super::choices::Choices;

/// More pages than that show nothing new, and cost time.
const MOST_PAGES: u8 = 12;

struct Database(Vec<Image>);

impl Pages for Database {
    fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    fn page(&self, number: u32) -> Result<Image, Error> {
        let image = self.0.get((number as usize).wrapping_sub(1));
        image.cloned().ok_or(Error::Missing { page: number })
    }
}

/// Whatever the pages are, the work ends, and a change has a row that fits its table.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    let before = database(&mut choices, &[]);
    let after = database(&mut choices, &before.0);
    let Ok(mut diff) = RowDiff::of(&before) else {
        return;
    };
    let differs = |number: &u32| {
        let index = *number as usize - 1;
        before.0.get(index) != after.0.get(index)
    };
    let changed: Vec<u32> = (1..=after.count()).filter(differs).collect();
    let step = Step {
        before: &before,
        after: &after,
        changed: &changed,
    };
    let told = diff.commit(step, &mut |change| {
        if let rowdiff::Change::Row(change) = change {
            for row in change.before.iter().chain(&change.after) {
                assert_eq!(row.values.len(), row.table.columns.len());
            }
        }
        Ok(())
    });
    if told.is_ok() {
        // What has led here leads nowhere else a second time.
        let step = Step {
            before: &after,
            after: &after,
            changed: &changed,
        };
        let again = diff.commit(step, &mut |change| {
            panic!("nothing has changed: {change:?}")
        });
        // Pages that nothing points to are not looked at before.
        let _ = again;
    }
}

/// Pages made of runs of bytes over those that were there before.
fn database(choices: &mut Choices<'_>, before: &[Image]) -> Database {
    let count = usize::from(choices.byte() % (MOST_PAGES + 1));
    let page = |index: usize, choices: &mut Choices<'_>| {
        let mut page: Page = before.get(index).map_or([0; PAGE_SIZE], |image| **image);
        for _ in 0..choices.byte() {
            let at = usize::from(choices.u16()) % PAGE_SIZE;
            for (to, from) in page[at..].iter_mut().zip(choices.piece()) {
                *to = *from;
            }
        }
        Arc::new(page)
    };
    Database((0..count).map(|index| page(index, choices)).collect())
}
