//! For whose disks a commit waits, and how many promises an election needs for that.

use serde::{Deserialize, Serialize};

use crate::document::SiteName;

/// A commit is released when the master and `acks` of these sites have it on their disks. `acks` 0: nobody is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// How many beside the master.
    pub acks: usize,
    /// Of whom; the master's own name counts for nothing.
    pub among: Vec<SiteName>,
}

impl Rule {
    /// Whether those who have acknowledged something are enough.
    pub fn is_met(&self, master: &SiteName, has: impl Fn(&SiteName) -> bool) -> bool {
        let others = self.among.iter().filter(|site| *site != master);
        others.filter(|site| has(site)).count() >= self.acks
    }

    /// How many promises meet each set of sites by which a commit can have been released under this master: of those named and
    /// itself all but `acks`.
    pub fn needed(&self, master: &SiteName) -> usize {
        self.electors(master).count().saturating_sub(self.acks)
    }

    /// How many of those have promised.
    pub fn promised(&self, master: &SiteName, has: impl Fn(&SiteName) -> bool) -> usize {
        self.electors(master).filter(|site| has(site)).count()
    }

    fn electors<'a>(&'a self, master: &'a SiteName) -> impl Iterator<Item = &'a SiteName> {
        let others = self.among.iter().filter(move |site| *site != master);
        std::iter::once(master).chain(others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_election_meets_each_release() {
        let names: Vec<SiteName> = ["a", "b", "c", "d", "e"].map(SiteName::new).to_vec();
        let master = &names[0];
        for sites in 2..=5 {
            for acks in 1..sites {
                let among = names[..sites].to_vec();
                let rule = Rule { acks, among };
                // Every set of sites that releases against every one that elects.
                let sets = || (0_u32..1 << sites).map(|set| move |n: usize| set >> n & 1 == 1);
                let at = |name: &SiteName| names.iter().position(|known| known == name).unwrap();
                for releases in sets() {
                    let released = releases(0) && rule.is_met(master, |name| releases(at(name)));
                    for elects in sets() {
                        let promised = rule.promised(master, |name| elects(at(name)));
                        if released && promised >= rule.needed(master) {
                            let common = (0..sites).any(|n| releases(n) && elects(n));
                            assert!(common, "{sites} sites, {acks} acks");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn one_promise_less_would_not_do() {
        let names = ["a", "b", "c"].map(SiteName::new);
        let rule = Rule {
            acks: 1,
            among: names.to_vec(),
        };
        assert_eq!(rule.needed(&names[0]), 2);
        // Released by a and b, promised by c alone: nobody would know of it.
        assert!(rule.is_met(&names[0], |name| *name == names[1]));
        assert_eq!(rule.promised(&names[0], |name| *name == names[2]), 1);
    }

    #[test]
    fn a_master_outside_of_the_names_counts_beside_them() {
        let [a, b, c] = ["a", "b", "c"].map(SiteName::new);
        let rule = Rule {
            acks: 1,
            among: vec![b.clone(), c],
        };
        assert_eq!(rule.needed(&a), 2, "of three");
        assert_eq!(rule.needed(&b), 1, "of two");
    }
}
