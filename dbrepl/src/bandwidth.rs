//! The bandwidth limit of `-b`: bits per second on the connection to one slave.

use std::time::Duration;

use bytes::Buf;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, sleep_until};

/// Largest piece of log that is read at once.
const LARGE_PIECE: u64 = 1 << 20;

/// With a narrow limit, pieces take a quarter of a second, so that signs of life get through.
const SMALL_PIECE: u64 = 16 << 10;

/// How many bytes are written at once: a tenth of a second of the limit, within these bounds.
const SLICES_PER_SECOND: u64 = 10;
const SMALL_SLICE: u64 = 32;
const LARGE_SLICE: u64 = 64 << 10;

/// Time without traffic that is made up for, as a timer is late. More is not saved up.
const SLACK: Duration = Duration::from_millis(100);

/// Bytes to read from the log at a time under a limit.
pub fn piece(bits_per_second: Option<u64>) -> u64 {
    bits_per_second.map_or(LARGE_PIECE, |bits| {
        (bits / 8 / 4).clamp(SMALL_PIECE, LARGE_PIECE)
    })
}

/// Writes nothing before the time that all before it takes at the limit. All bytes of the connection count, those
/// that frame messages, too; a message is cut into slices, as a block may be much larger than the limit.
#[derive(Debug)]
pub struct BandwidthLimit {
    bits_per_second: Option<u64>,
    free_at: Instant,
}

impl BandwidthLimit {
    /// `None`: no limit.
    pub fn new(bits_per_second: Option<u64>, now: Instant) -> Self {
        Self {
            bits_per_second: bits_per_second.filter(|bits| *bits > 0),
            free_at: now,
        }
    }

    /// Writes all of it, at the limit.
    pub async fn write_all(
        &mut self,
        writer: &mut (impl AsyncWrite + Unpin),
        bytes: &mut impl Buf,
    ) -> std::io::Result<()> {
        let Some(bits) = self.bits_per_second else {
            return writer.write_all_buf(bytes).await;
        };
        while bytes.has_remaining() {
            if self.free_at > Instant::now() {
                sleep_until(self.free_at).await;
            }
            let mut slice = (&mut *bytes).take(slice(bits));
            let length = slice.remaining();
            writer.write_all_buf(&mut slice).await?;
            self.sent(bits, length, Instant::now());
        }
        Ok(())
    }

    /// Notes a slice that has gone.
    fn sent(&mut self, bits: u64, bytes: usize, now: Instant) {
        let nanos = bytes as u128 * 8 * 1_000_000_000 / u128::from(bits);
        let time = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let earliest = now.checked_sub(SLACK).unwrap_or(now);
        self.free_at = self.free_at.max(earliest) + time;
    }
}

fn slice(bits: u64) -> usize {
    let bytes = (bits / 8 / SLICES_PER_SECOND).clamp(SMALL_SLICE, LARGE_SLICE);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use bytes::Bytes;

    use super::*;

    const TEN_SECONDS: Duration = Duration::from_secs(10);

    /// Takes all, and notes when.
    #[derive(Default)]
    struct Line(Vec<(Instant, usize)>);

    impl AsyncWrite for Line {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<std::io::Result<usize>> {
            self.0.push((Instant::now(), bytes.len()));
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl Line {
        /// Bits in the ten seconds from then on.
        fn bits_from(&self, from: Instant) -> u64 {
            let within = |(at, _): &&(Instant, usize)| *at >= from && *at < from + TEN_SECONDS;
            let bytes: usize = self.0.iter().filter(within).map(|(_, bytes)| bytes).sum();
            bytes as u64 * 8
        }
    }

    fn assert_exact(bits: u64, limit: u64) {
        let off = bits.abs_diff(limit * 10);
        assert!(
            off * 20 <= limit * 10,
            "{bits} bits in 10 s at {limit} a second"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn ten_seconds_of_any_traffic_carry_the_limit_to_five_percent() {
        // Blocks far larger than the limit among small ones, as the log has them.
        let sizes = [20, 700, 3_000_000, 64, 150_000, 900];
        for limit in [9_600, 64_000, 512_000, 1_000_000, 20_000_000, 1_000_000_000] {
            let begun = Instant::now();
            let mut line = Line::default();
            let mut bandwidth = BandwidthLimit::new(Some(limit), begun);
            let mut sizes = sizes.iter().cycle();
            while begun.elapsed() < 4 * TEN_SECONDS {
                let size = *sizes.next().unwrap();
                let mut message = Bytes::from(vec![0; size]);
                bandwidth.write_all(&mut line, &mut message).await.unwrap();
            }
            for tenths in 0..200 {
                let from = begun + Duration::from_millis(100) * tenths;
                assert_exact(line.bits_from(from), limit);
            }
        }
    }

    #[test]
    fn timers_that_are_late_lose_nothing() {
        let limit = 800_000;
        let begun = Instant::now();
        let mut bandwidth = BandwidthLimit::new(Some(limit), begun);
        let (mut now, mut bytes) = (begun, 0);
        for late in (0..90).cycle() {
            now = now.max(bandwidth.free_at) + Duration::from_millis(late);
            if now >= begun + TEN_SECONDS {
                break;
            }
            bandwidth.sent(limit, slice(limit), now);
            bytes += slice(limit) as u64;
        }
        assert_exact(bytes * 8, limit);
    }

    #[test]
    fn time_without_traffic_is_not_saved_up() {
        let start = Instant::now();
        let mut limit = BandwidthLimit::new(Some(8_000), start);
        let later = start + Duration::from_mins(1);
        limit.sent(8_000, 1000, later);
        assert_eq!(limit.free_at, later - SLACK + Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_everything_goes_at_once() {
        let start = Instant::now();
        let mut line = Line::default();
        let mut bytes = Bytes::from(vec![0; 50 << 20]);
        let mut limit = BandwidthLimit::new(None, start);
        limit.write_all(&mut line, &mut bytes).await.unwrap();
        assert_eq!(Instant::now(), start);
        assert_eq!((piece(None), piece(Some(64_000))), (1 << 20, 16 << 10));
    }
}
