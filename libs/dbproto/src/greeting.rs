//! What the two sides say of themselves beyond the first version of the greeting, where both can: who they are, and the
//! history of their logs, which [`crate::HISTORY`] names; a source, where it is in the tree: [`crate::TREE`]; and which lost
//! transactions are settled: [`crate::LOST`].

use fwlog::{
    Above, BootNonce, BranchEnd, Candidate, Generation, GenerationId, GenerationReason, History,
    HistoryLine, InstanceId, SettledForks, Speaker, newest_common,
};

use crate::lost::{read_settled, write_settled};
use crate::tree::{read_above, write_above};
use crate::wire::{FieldReader, FieldWriter};
use crate::{HISTORY, Identify, Identity, LOST, Progress, ProtocolError, TREE};

/// Generations of a branch in a greeting: the newest, and the first one of all.
const NEWEST_LINES: usize = 64;

/// An instance, and the generations of its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// Who speaks.
    pub speaker: Speaker,
    /// The newest generations of its log and the first, the oldest first.
    pub branch: Vec<HistoryLine>,
    /// Of a source, where the slave can take it: what it tells those below it.
    pub above: Option<Box<Above>>,
    /// Of a source, where the slave can take it: which forks are settled. It takes what the slave has lost.
    pub settled: Option<SettledForks>,
}

impl Greeting {
    /// The greeting of this instance.
    pub fn new(speaker: Speaker, history: &History) -> Self {
        let branch = history.branch();
        let (older, newest) = branch.split_at(branch.len().saturating_sub(NEWEST_LINES));
        let branch = older.first().into_iter().chain(newest).cloned().collect();
        Self {
            speaker,
            branch,
            above: None,
            settled: None,
        }
    }

    /// Each part stands behind the name of what it is; an older side ends before it.
    pub(crate) fn write(&self, out: &mut FieldWriter<'_>) {
        out.text(HISTORY);
        self.write_history(out);
        if let Some(above) = &self.above {
            out.text(TREE);
            write_above(above, out);
        }
        if let Some(settled) = &self.settled {
            out.text(LOST);
            write_settled(settled, out);
        }
    }

    pub(crate) fn read(from: &mut FieldReader) -> Result<Self, ProtocolError> {
        if from.text()? != HISTORY {
            return Err(from.bad("name of what follows"));
        }
        let mut greeting = Self::read_history(from)?;
        while !from.is_at_end() {
            // In this order, each once.
            match from.text()?.as_str() {
                TREE if greeting.above.is_none() && greeting.settled.is_none() => {
                    greeting.above = Some(Box::new(read_above(from)?));
                }
                LOST if greeting.settled.is_none() => {
                    greeting.settled = Some(read_settled(from)?);
                }
                _ => return Err(from.bad("name of what follows")),
            }
        }
        Ok(greeting)
    }

    fn write_history(&self, out: &mut FieldWriter<'_>) {
        let Speaker { id, boot, name } = &self.speaker;
        out.bytes(&id.to_bytes());
        out.bytes(&boot.to_bytes());
        out.text(name);
        out.u16(u16::try_from(self.branch.len()).unwrap_or(u16::MAX));
        for line in &self.branch {
            out.u32(line.number.get());
            out.hash(line.id.hash());
            out.u8(line.reason.code());
            out.time(line.time);
            out.point(&line.parent);
            out.commit(line.commit);
            out.text(&line.instance);
        }
    }

    fn read_history(from: &mut FieldReader) -> Result<Self, ProtocolError> {
        let speaker = Speaker {
            id: InstanceId::from_bytes(from.array()?),
            boot: BootNonce::from_bytes(from.array()?),
            name: from.text()?,
        };
        let lines = usize::from(from.u16()?);
        if lines > NEWEST_LINES + 1 {
            return Err(from.bad("number of generations"));
        }
        let mut branch: Vec<HistoryLine> = Vec::with_capacity(lines);
        for _ in 0..lines {
            let line = line(from)?;
            let newest = branch.last().map(|line| line.number);
            if line.number.get() == 0 || newest >= Some(line.number) {
                return Err(from.bad("order of generations"));
            }
            branch.push(line);
        }
        Ok(Self {
            speaker,
            branch,
            above: None,
            settled: None,
        })
    }
}

fn line(from: &mut FieldReader) -> Result<HistoryLine, ProtocolError> {
    Ok(HistoryLine {
        number: Generation::new(from.u32()?),
        id: GenerationId::new(from.hash()?),
        reason: {
            let code = from.u8()?;
            GenerationReason::of_code(code).ok_or_else(|| from.bad("reason"))?
        },
        time: from.time()?,
        parent: from.point()?,
        commit: from.commit()?,
        instance: from.text()?,
    })
}

/// Where the two logs are the same for the last time, if both have told enough of their histories.
pub(crate) fn common_point(source: &Identify, slave: &Identity) -> Option<Candidate> {
    let end = |progress: Progress| BranchEnd {
        point: progress.point,
        commit: progress.commit,
    };
    let ours = source.greeting.as_ref()?;
    let theirs = slave.greeting.as_ref()?;
    newest_common(
        (&ours.branch, end(source.durable?)),
        (&theirs.branch, end(slave.durable?)),
    )
}
