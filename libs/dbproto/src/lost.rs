//! What a slave tells of transactions that are lost, and its source of those that are settled, as bytes. [`crate::LOST`]
//! names what a side can do that takes part.

use fwlog::{
    GenerationId, InstanceId, LostFork, LostForkId, LostForks, MAX_LOST_FORKS,
    MAX_LOST_GENERATIONS, SettledForks,
};

use crate::ProtocolError;
use crate::tree::read_name;
use crate::wire::{FieldReader, FieldWriter};

pub(crate) fn write_lost(forks: &LostForks, out: &mut FieldWriter<'_>) {
    out.u16(u16::try_from(forks.all().len()).unwrap_or(u16::MAX));
    for fork in forks.all() {
        out.bytes(&fork.id.to_bytes());
        out.text(&fork.instance);
        out.flag(fork.was_root);
        out.point(&fork.fork);
        out.commit(fork.commit);
        out.u64(fork.transactions);
        out.u16(u16::try_from(fork.generations.len()).unwrap_or(u16::MAX));
        for generation in &fork.generations {
            out.hash(generation.hash());
        }
    }
}

/// Counts are held against their limits before anything is taken for them.
pub(crate) fn read_lost(from: &mut FieldReader) -> Result<LostForks, ProtocolError> {
    let count = usize::from(from.u16()?);
    if count > MAX_LOST_FORKS {
        return Err(from.bad("number of forks"));
    }
    let forks: Result<Vec<_>, _> = (0..count).map(|_| read_fork(from)).collect();
    Ok(LostForks::of(forks?))
}

fn read_fork(from: &mut FieldReader) -> Result<LostFork, ProtocolError> {
    let mut fork = LostFork {
        id: InstanceId::from_bytes(from.array()?),
        instance: read_name(from)?,
        was_root: from.flag()?,
        fork: from.point()?,
        commit: from.commit()?,
        transactions: from.u64()?,
        generations: Vec::new(),
    };
    let generations = usize::from(from.u16()?);
    if generations > MAX_LOST_GENERATIONS {
        return Err(from.bad("number of generations"));
    }
    for _ in 0..generations {
        fork.generations.push(GenerationId::new(from.hash()?));
    }
    Ok(fork)
}

pub(crate) fn write_settled(forks: &SettledForks, out: &mut FieldWriter<'_>) {
    out.u16(u16::try_from(forks.all().len()).unwrap_or(u16::MAX));
    for fork in forks.all() {
        out.hash(fork.hash);
        out.bytes(&fork.instance.to_bytes());
    }
}

pub(crate) fn read_settled(from: &mut FieldReader) -> Result<SettledForks, ProtocolError> {
    let count = usize::from(from.u16()?);
    if count > MAX_LOST_FORKS {
        return Err(from.bad("number of forks"));
    }
    let read = |from: &mut FieldReader| {
        Ok(LostForkId {
            hash: from.hash()?,
            instance: InstanceId::from_bytes(from.array()?),
        })
    };
    let forks: Result<Vec<_>, _> = (0..count).map(|_| read(from)).collect();
    Ok(SettledForks::of(forks?))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::Message;

    #[test]
    fn numbers_beyond_the_limits_are_refused_before_memory_is_taken() {
        let bad = |field| Err(ProtocolError::BadField { kind: 'f', field });
        let mut out = BytesMut::new();
        Message::Lost(LostForks::default()).encode(&mut out);
        let mut many = out.clone();
        many[1..3].copy_from_slice(&257_u16.to_le_bytes());
        assert_eq!(Message::decode(many.freeze()), bad("number of forks"));
        let one = LostFork {
            id: InstanceId::from_bytes([1; 16]),
            instance: "north".into(),
            was_root: true,
            fork: fwlog::LogPoint::ORIGIN,
            commit: fwlog::CommitNumber::new(1),
            transactions: 1,
            generations: Vec::new(),
        };
        let mut out = BytesMut::new();
        // It says generation 0, which no log has.
        let told = LostFork {
            fork: fwlog::LogPoint::new(
                "1-1:300".parse().unwrap(),
                fwlog::ChainHash::from_bytes([1; 32]),
            ),
            ..one
        };
        Message::Lost(LostForks::of([told])).encode(&mut out);
        let end = out.len() - 2;
        out[end..].copy_from_slice(&65_u16.to_le_bytes());
        assert_eq!(Message::decode(out.freeze()), bad("number of generations"));
    }
}
