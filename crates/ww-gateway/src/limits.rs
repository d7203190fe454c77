//! Token buckets: how often a peer or a meter may come. Time is an input.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::Instant;

/// A bucket that fills at a steady rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    tokens: f64,
    at: Instant,
}

/// How fast a bucket fills and how much it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) per_s: f64,
    pub(crate) burst: f64,
}

impl Rate {
    pub(crate) fn new(per_s: u32, burst: u32) -> Self {
        Self {
            per_s: f64::from(per_s.max(1)),
            burst: f64::from(burst.max(1)),
        }
    }
}

/// Seconds to wait before the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryAfter(pub(crate) u64);

impl Bucket {
    pub(crate) const fn full(rate: Rate, now: Instant) -> Self {
        Self {
            tokens: rate.burst,
            at: now,
        }
    }

    fn fill(&mut self, rate: Rate, now: Instant) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * rate.per_s).min(rate.burst);
        self.at = now;
    }

    /// Takes tokens. More than the bucket can ever hold are taken from a full one, so that a batch
    /// of any legal size gets through in the end.
    pub(crate) fn take(&mut self, count: f64, rate: Rate, now: Instant) -> Result<(), RetryAfter> {
        self.fill(rate, now);
        let missing = count.min(rate.burst) - self.tokens;
        if missing > 0.0 {
            return Err(RetryAfter((missing / rate.per_s).ceil().max(1.0) as u64));
        }
        self.tokens -= count;
        Ok(())
    }

    fn is_full(&self, rate: Rate, now: Instant) -> bool {
        let mut filled = *self;
        filled.fill(rate, now);
        filled.tokens >= rate.burst
    }
}

/// Addresses that are remembered at most; when there are more, all whose bucket is full again are
/// forgotten, and then all.
const MAX_PEERS: usize = 50_000;

/// Buckets by address.
#[derive(Debug)]
pub(crate) struct PeerLimit {
    rate: Rate,
    peers: Mutex<HashMap<IpAddr, Bucket>>,
    known: AtomicUsize,
}

impl PeerLimit {
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate,
            peers: Mutex::default(),
            known: AtomicUsize::new(0),
        }
    }

    /// Takes one token of this address.
    pub(crate) fn take(&self, peer: IpAddr, now: Instant) -> Result<(), RetryAfter> {
        let mut peers = self.lock();
        if peers.len() >= MAX_PEERS && !peers.contains_key(&peer) {
            peers.retain(|_, bucket| !bucket.is_full(self.rate, now));
            if peers.len() >= MAX_PEERS {
                peers.clear();
            }
        }
        let bucket = peers
            .entry(subnet(peer))
            .or_insert_with(|| Bucket::full(self.rate, now));
        let taken = bucket.take(1.0, self.rate, now);
        self.known.store(peers.len(), Ordering::Relaxed);
        taken
    }

    /// Whether this address has a token left, without taking it. Costs next to nothing while no
    /// address has ever been counted.
    pub(crate) fn check(
        &self,
        peer: IpAddr,
        now: impl FnOnce() -> Instant,
    ) -> Result<(), RetryAfter> {
        if self.known.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        match self.lock().get(&subnet(peer)).copied() {
            Some(mut bucket) => bucket.take(1.0, self.rate, now()),
            None => Ok(()),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, Bucket>> {
        self.peers
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

/// One customer's share of IPv6 is a /64: its addresses count as one.
fn subnet(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => IpAddr::V4(address),
            None => {
                let bits = address.to_bits() & !u128::from(u64::MAX);
                IpAddr::V6(bits.into())
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const RATE: Rate = Rate {
        per_s: 2.0,
        burst: 3.0,
    };

    fn peer(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_let_through_and_then_the_rate() {
        let limit = PeerLimit::new(RATE);
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(limit.take(peer("192.0.2.1"), now), Ok(()));
        }
        assert_eq!(limit.take(peer("192.0.2.1"), now), Err(RetryAfter(1)));
        assert_eq!(limit.take(peer("192.0.2.2"), now), Ok(()));
        let later = now + Duration::from_millis(500);
        assert_eq!(limit.take(peer("192.0.2.1"), later), Ok(()));
        assert!(limit.check(peer("192.0.2.1"), || later).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_addresses_of_one_ipv6_network_count_as_one() {
        let limit = PeerLimit::new(RATE);
        let now = Instant::now();
        for host in 1..=3 {
            assert!(limit.take(peer(&format!("2001:db8::{host}")), now).is_ok());
        }
        assert!(limit.take(peer("2001:db8::4"), now).is_err());
        assert!(limit.take(peer("2001:db8:0:1::4"), now).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_larger_than_the_bucket_gets_through_a_full_one() {
        let now = Instant::now();
        let mut bucket = Bucket::full(RATE, now);
        assert_eq!(bucket.take(9.0, RATE, now), Ok(()));
        assert_eq!(bucket.take(1.0, RATE, now), Err(RetryAfter(4)));
    }
}
