//! Where the frames of a stream begin and end, seen while it passes.

use bytes::Buf as _;

/// Type byte and length.
const HEAD: usize = 5;
/// `ReadyForQuery`, and its byte for a session in no transaction.
const READY: u8 = b'Z';
const IN_NO_TRANSACTION: u8 = b'I';

/// One direction of a connection after its start-up packet. Nothing is kept but the place in the frame.
#[derive(Debug)]
pub(super) struct Frames {
    head: [u8; HEAD],
    /// Bytes of the head that have passed.
    known: usize,
    /// Bytes of the body that have not.
    left: u64,
    /// Type of the last frame that has begun, and the last byte of it that has passed.
    last: Option<(u8, u8)>,
    /// A length that can't be: from then on nothing is known.
    is_lost: bool,
}

impl Frames {
    /// Nothing has passed.
    pub(super) fn new() -> Self {
        Self {
            head: [0; HEAD],
            known: 0,
            left: 0,
            last: None,
            is_lost: false,
        }
    }

    /// These bytes pass.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_lost {
            if self.known == HEAD {
                let taken =
                    usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
                let (body, rest) = bytes.split_at(taken);
                if let Some(byte) = body.last() {
                    self.last = Some((self.head[0], *byte));
                }
                self.left -= taken as u64;
                bytes = rest;
            } else {
                let taken = (HEAD - self.known).min(bytes.len());
                let (head, rest) = bytes.split_at(taken);
                self.head[self.known..self.known + taken].copy_from_slice(head);
                self.known += taken;
                bytes = rest;
                if self.known == HEAD {
                    self.begin();
                }
            }
            if self.known == HEAD && self.left == 0 {
                self.known = 0;
            }
        }
    }

    /// The head is complete. The length counts itself.
    fn begin(&mut self) {
        let [kind, length @ ..] = self.head;
        let length = (&length[..]).get_u32();
        match u64::from(length).checked_sub(4) {
            Some(left) => self.left = left,
            None => self.is_lost = true,
        }
        self.last = Some((kind, 0));
    }

    /// Whether the last frame is complete, so that another may follow.
    pub(super) fn is_between(&self) -> bool {
        self.known == 0 && !self.is_lost
    }

    /// The type of the last frame.
    pub(super) fn last(&self) -> Option<u8> {
        self.last.map(|(kind, _)| kind)
    }

    /// Whether the server has said last that the session is in no transaction, and waits.
    pub(super) fn is_idle(&self) -> bool {
        self.is_between() && self.last == Some((READY, IN_NO_TRANSACTION))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use bytes::BufMut as _;
    use proptest::prelude::*;

    fn after(bytes: &[u8]) -> Frames {
        let mut frames = Frames::new();
        frames.pass(bytes);
        frames
    }

    #[test]
    fn the_end_of_a_frame_is_known_at_its_last_byte() {
        let stream = b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I";
        for cut in 0..=stream.len() {
            let frames = after(&stream[..cut]);
            assert_eq!(frames.is_between(), [0, 14, 20].contains(&cut), "{cut}");
            assert_eq!(frames.is_idle(), cut == 20, "{cut}");
        }
        assert!(!after(b"Z\0\0\0\x05T").is_idle());
        assert_eq!(after(b"X\0\0\0\x04").last(), Some(b'X'));
        assert!(after(b"X\0\0\0\x04").is_between());
    }

    #[test]
    fn a_length_that_cannot_be_is_where_knowledge_ends() {
        let mut frames = after(b"D\0\0\0\x03");
        assert!(!frames.is_between());
        frames.pass(b"Z\0\0\0\x05I");
        assert!(!frames.is_between() && !frames.is_idle());
    }

    proptest! {
        /// As if all came at once, however it is cut; and the longest length is no trouble.
        #[test]
        fn where_the_stream_is_cut_does_not_matter(
            bodies in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..20)), 0..8),
            rest in prop::collection::vec(any::<u8>(), 0..12),
            cuts in prop::collection::vec(0_usize..200, 0..8),
        ) {
            let mut stream = Vec::new();
            for (kind, body) in &bodies {
                stream.push(*kind);
                stream.put_u32(u32::try_from(body.len() + 4).unwrap());
                stream.extend(body);
            }
            let whole = after(&stream);
            prop_assert!(whole.is_between());
            prop_assert_eq!(whole.last(), bodies.last().map(|(kind, _)| *kind));
            stream.extend(rest);
            let whole = after(&stream);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.push(stream.len());
            cuts.sort_unstable();
            let mut pieces = Frames::new();
            let mut from = 0;
            for cut in cuts {
                pieces.pass(&stream[from..cut]);
                from = cut;
            }
            prop_assert_eq!(format!("{pieces:?}"), format!("{whole:?}"));
        }
    }
}
