//! How much may be on its way: bytes shipped and not yet acknowledged.

use std::collections::VecDeque;

use fwlog::Position;

/// Bytes between the newest position shipped and the newest the slave has on disk.
#[derive(Debug)]
pub(crate) struct Window {
    limit: u64,
    sent: u64,
    acknowledged: u64,
    /// End of each piece on its way, and `sent` up to there.
    pieces: VecDeque<(Position, u64)>,
}

impl Window {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            sent: 0,
            acknowledged: 0,
            pieces: VecDeque::new(),
        }
    }

    pub(crate) fn ship(&mut self, end: Position, bytes: u64) {
        self.sent += bytes;
        self.pieces.push_back((end, self.sent));
    }

    pub(crate) fn acknowledge(&mut self, durable: Position) {
        while let Some(&(end, sent)) = self.pieces.front()
            && end <= durable
        {
            self.acknowledged = sent;
            self.pieces.pop_front();
        }
    }

    /// Bytes on their way.
    pub(crate) fn outstanding(&self) -> u64 {
        self.sent - self.acknowledged
    }

    /// Bytes that may go now. One piece always may when nothing is on its way, however large.
    pub(crate) fn room(&self) -> u64 {
        self.limit.saturating_sub(self.outstanding())
    }

    /// All bytes shipped so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64) -> Position {
        format!("1-1:{offset}").parse().unwrap()
    }

    #[test]
    fn what_is_on_disk_at_the_slave_makes_room() {
        let mut window = Window::new(100);
        window.ship(at(60), 60);
        window.ship(at(110), 50);
        assert_eq!((window.outstanding(), window.room()), (110, 0));
        window.acknowledge(at(59));
        assert_eq!(window.outstanding(), 110);
        window.acknowledge(at(60));
        assert_eq!((window.outstanding(), window.room()), (50, 50));
        window.acknowledge(at(500));
        assert_eq!((window.outstanding(), window.sent()), (0, 110));
    }

    #[test]
    fn a_piece_is_acknowledged_from_a_later_segment_too() {
        let mut window = Window::new(100);
        window.ship(at(60), 60);
        window.acknowledge("1-2:0".parse().unwrap());
        assert_eq!(window.room(), 100);
    }
}
