//! What is in the database after some number of commits, by the rules alone.

use std::collections::BTreeMap;

use crate::history::{Change, Id, View};

/// Values by the commit that made them; the newest last.
#[derive(Debug, Clone, Default)]
struct Versions<T>(Vec<(u64, T)>);

impl<T: Clone + Default> Versions<T> {
    /// What was there after `number` commits.
    fn at(&self, number: u64) -> T {
        let behind = self.0.partition_point(|(made, _)| *made <= number);
        behind
            .checked_sub(1)
            .map(|last| self.0[last].1.clone())
            .unwrap_or_default()
    }

    fn newest(&self) -> T {
        self.at(u64::MAX)
    }

    fn set(&mut self, number: u64, value: T) {
        self.0.push((number, value));
    }

    fn forget_past(&mut self) {
        self.0.drain(..self.0.len().saturating_sub(1));
    }
}

/// All states from some commit on, one after another.
#[derive(Debug, Clone, Default)]
pub(crate) struct States {
    number: u64,
    /// Who appended, and when. The state after n commits is a start of this.
    lists: BTreeMap<u64, Vec<(u64, Id)>>,
    balances: Vec<Versions<i64>>,
    tables: BTreeMap<u64, Versions<Id>>,
    ballast: Versions<(u64, Id)>,
}

impl States {
    /// Nothing but accounts.
    pub(crate) fn new(accounts: usize, balance: i64) -> Self {
        let account = Versions(vec![(0, balance)]);
        Self {
            balances: vec![account; accounts],
            ..Self::default()
        }
    }

    /// Commits so far.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// One more commit.
    pub(crate) fn commit(&mut self, id: Id, changes: &[Change]) {
        self.number += 1;
        let number = self.number;
        for change in changes {
            match *change {
                Change::Append(list) => self.lists.entry(list).or_default().push((number, id)),
                Change::Transfer { from, to, amount } => {
                    for (account, by) in [(from, -amount), (to, amount)] {
                        let account = &mut self.balances[account];
                        account.set(number, account.newest() + by);
                    }
                }
                Change::Remake(table) => self.tables.entry(table).or_default().set(number, id),
                Change::Ballast(rows) => self.ballast.set(number, (rows, id)),
            }
        }
    }

    /// Only the newest state is asked for from now on; lists keep their past.
    pub(crate) fn forget_past(&mut self) {
        self.tables.values_mut().for_each(Versions::forget_past);
        self.balances.iter_mut().for_each(Versions::forget_past);
        self.ballast.forget_past();
    }

    /// What a transaction sees that reads the same things as `like` after `number` commits.
    pub(crate) fn view(&self, number: u64, like: &View) -> View {
        let lists = like.lists.keys().map(|list| {
            let all = self.lists.get(list).map_or(&[][..], Vec::as_slice);
            let behind = all.partition_point(|(made, _)| *made <= number);
            (*list, all[..behind].iter().map(|(_, id)| *id).collect())
        });
        let tables = like.tables.keys().map(|table| {
            let maker = self.tables.get(table).map(|made| made.at(number));
            (*table, maker.unwrap_or_default())
        });
        let (rows, id) = self.ballast.at(number);
        View {
            number,
            lists: lists.collect(),
            balances: self
                .balances
                .iter()
                .map(|balance| balance.at(number))
                .collect(),
            tables: tables.collect(),
            ballast: (rows, id, id),
        }
    }
}
