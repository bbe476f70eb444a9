//! A register as the trait describes it: one document, one lease, a clock of its own.

use std::cell::RefCell;
use std::mem::discriminant;

use fwlog::Generation;
use group::{BootTime, Group, Register, RegisterError, SiteName, Terms, Version};

/// See the module's page.
pub(crate) struct Model {
    terms: Terms,
    kept: RefCell<Kept>,
}

struct Kept {
    version: Version,
    document: Group,
    /// When the lease was given or renewed last, by this clock.
    renewed: BootTime,
    /// It has run out, and somebody was told so.
    is_over: bool,
    now: BootTime,
}

impl Model {
    pub(crate) fn new(document: Group, terms: Terms) -> Self {
        let kept = RefCell::new(Kept {
            version: Version::new(1),
            document,
            renewed: BootTime::default(),
            is_over: false,
            now: BootTime::default(),
        });
        Self { terms, kept }
    }

    /// What its clock says.
    pub(crate) fn set_time(&self, now: BootTime) {
        self.kept.borrow_mut().now = now;
    }
}

impl Register for Model {
    fn read(&self) -> Result<(Version, Group), RegisterError> {
        let kept = self.kept.borrow();
        Ok((kept.version, kept.document.clone()))
    }

    fn swap(&self, seen: Version, next: &Group) -> Result<Version, RegisterError> {
        let mut kept = self.kept.borrow_mut();
        if seen != kept.version {
            return Err(RegisterError::Refused);
        }
        let begins = kept.document.generation != next.generation
            || discriminant(&kept.document.state) != discriminant(&next.state);
        if begins {
            kept.renewed = kept.now;
            kept.is_over = false;
        }
        kept.document = next.clone();
        kept.version = kept.version.next();
        Ok(kept.version)
    }

    fn renew(&self, holder: &SiteName, generation: Generation) -> Result<(), RegisterError> {
        let mut kept = self.kept.borrow_mut();
        let holds = kept.document.is_led_by(holder) && kept.document.generation == generation;
        let has_run_out = kept.now.since(kept.renewed) >= self.terms.kept();
        if !holds || kept.is_over || has_run_out {
            return Err(RegisterError::Refused);
        }
        kept.renewed = kept.now;
        Ok(())
    }

    fn may_open(&self, seen: Version) -> Result<bool, RegisterError> {
        let mut kept = self.kept.borrow_mut();
        if seen != kept.version {
            return Err(RegisterError::Refused);
        }
        kept.is_over |= kept.now.since(kept.renewed) >= self.terms.kept();
        Ok(kept.is_over)
    }
}
