//! Token buckets and shares: how often a peer or a meter may come, and how much it may hold at one
//! time. Time is an input.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use crate::network::subnet;

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

    /// Takes tokens for what is done already: they may become a debt, of a whole bucket at most.
    pub(crate) fn charge(&mut self, count: f64, rate: Rate, now: Instant) {
        self.fill(rate, now);
        self.tokens = (self.tokens - count).max(-rate.burst);
    }
}

/// Something that is worth telling, but not each time that it happens.
#[derive(Debug)]
pub(crate) struct Seldom {
    pause: Duration,
    told: Option<Instant>,
}

impl Seldom {
    pub(crate) const fn new(pause: Duration) -> Self {
        Self { pause, told: None }
    }

    /// Whether it is told now.
    pub(crate) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self
            .told
            .is_none_or(|told| now.saturating_duration_since(told) >= self.pause);
        if is_due {
            self.told = Some(now);
        }
        is_due
    }
}

/// Addresses that are remembered at most in one generation.
const MAX_PEERS: usize = 25_000;

/// Buckets by address, in two generations: who was not seen while even the deepest debt turns into a
/// full bucket is forgotten with the older one, and neither loses nor wins by it. A crowd of new
/// addresses only makes generations shorter, so that no request ever waits for a look at all of them.
#[derive(Debug)]
pub(crate) struct PeerLimit {
    rate: Rate,
    generations: Mutex<Generations>,
    known: AtomicUsize,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<IpAddr, Bucket>,
    old: HashMap<IpAddr, Bucket>,
    since: Option<Instant>,
}

impl Generations {
    /// The bucket of an address, a full one if it is not known.
    fn bucket(&mut self, peer: IpAddr, rate: Rate, now: Instant) -> &mut Bucket {
        self.young.entry(peer).or_insert_with(|| {
            let known = self.old.remove(&peer);
            known.unwrap_or_else(|| Bucket::full(rate, now))
        })
    }

    /// The bucket of an address that is known. Whoever asks again moves to the young ones.
    fn known(&mut self, peer: IpAddr) -> Option<&mut Bucket> {
        match self.old.remove(&peer) {
            Some(bucket) => Some(self.young.entry(peer).or_insert(bucket)),
            None => self.young.get_mut(&peer),
        }
    }

    fn age(&mut self, fills_in: Duration, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let age = now.saturating_duration_since(since);
        if age >= fills_in || self.young.len() >= MAX_PEERS {
            self.old = std::mem::take(&mut self.young);
            self.since = Some(now);
        }
        if age >= 2 * fills_in {
            self.old = HashMap::new();
        }
    }
}

impl PeerLimit {
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate,
            generations: Mutex::default(),
            known: AtomicUsize::new(0),
        }
    }

    /// Takes one token of this address.
    pub(crate) fn take(&self, peer: IpAddr, now: Instant) -> Result<(), RetryAfter> {
        let peer = subnet(peer);
        let mut generations = self.aged(now);
        let bucket = generations.bucket(peer, self.rate, now);
        let taken = bucket.take(1.0, self.rate, now);
        self.count(&generations);
        taken
    }

    /// Takes tokens of this address for what is done already, see [`Bucket::charge`].
    pub(crate) fn charge(&self, peer: IpAddr, count: usize, now: Instant) {
        let peer = subnet(peer);
        let mut generations = self.aged(now);
        let bucket = generations.bucket(peer, self.rate, now);
        bucket.charge(count as f64, self.rate, now);
        self.count(&generations);
    }

    /// Whether this address has a token left, without taking it. Costs next to nothing while no
    /// address is remembered.
    pub(crate) fn check(
        &self,
        peer: IpAddr,
        now: impl FnOnce() -> Instant,
    ) -> Result<(), RetryAfter> {
        if self.known.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        let (peer, now) = (subnet(peer), now());
        let mut generations = self.aged(now);
        self.count(&generations);
        match generations.known(peer).copied() {
            Some(mut bucket) => bucket.take(1.0, self.rate, now),
            None => Ok(()),
        }
    }

    fn aged(&self, now: Instant) -> MutexGuard<'_, Generations> {
        let mut generations = self
            .generations
            .lock()
            .expect("no code panics while it holds this lock");
        // From a debt of a whole bucket, see `Bucket::charge`.
        let fills_in = Duration::from_secs_f64(2.0 * self.rate.burst / self.rate.per_s);
        generations.age(fills_in, now);
        generations
    }

    fn count(&self, generations: &Generations) {
        let known = generations.young.len() + generations.old.len();
        self.known.store(known, Ordering::Relaxed);
    }
}

/// How many of something each address holds at one time.
#[derive(Debug)]
pub(crate) struct Shares {
    most: usize,
    held: Mutex<HashMap<IpAddr, usize>>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    of: Arc<Shares>,
    peer: IpAddr,
}

impl Shares {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most: most.max(1),
            held: Mutex::default(),
        })
    }

    /// One more for this address; `None` when it has its share.
    pub(crate) fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Share> {
        let peer = subnet(peer);
        let mut held = self.lock();
        let count = held.entry(peer).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        let of = Arc::clone(self);
        Some(Share { of, peer })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.held
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.of.lock();
        if let Entry::Occupied(mut entry) = held.entry(self.peer) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

/// So many addresses fill the room for unfinished bodies.
const ROOM_SHARES: usize = 8;

/// How many bytes all unfinished bodies together, and those of one address, may hold.
#[derive(Debug)]
pub(crate) struct BodyRoom {
    most: usize,
    most_per_peer: usize,
    held: Mutex<HeldBytes>,
}

#[derive(Debug, Default)]
struct HeldBytes {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// What one body holds of it, until it is dropped.
#[derive(Debug)]
pub(crate) struct BodyShare<'a> {
    room: &'a BodyRoom,
    peer: IpAddr,
    bytes: usize,
}

impl BodyRoom {
    /// Room for `most` bytes, an eighth of it for one address, but never less than for the longest
    /// body.
    pub(crate) fn new(most: usize, longest_body: usize) -> Self {
        Self {
            most,
            most_per_peer: (most / ROOM_SHARES).max(longest_body),
            held: Mutex::default(),
        }
    }

    /// A body that holds nothing yet. That costs nothing.
    pub(crate) const fn enter(&self, peer: IpAddr) -> BodyShare<'_> {
        BodyShare {
            room: self,
            peer,
            bytes: 0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HeldBytes> {
        self.held
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

impl BodyShare<'_> {
    /// Takes room for as many bytes more; tells whether there is any.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let mut held = self.room.lock();
        let of_peer = held.by_peer.entry(subnet(self.peer)).or_default();
        *of_peer += bytes;
        let has_share = *of_peer <= self.room.most_per_peer;
        held.all += bytes;
        self.bytes += bytes;
        has_share && held.all <= self.room.most
    }
}

impl Drop for BodyShare<'_> {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut held = self.room.lock();
        held.all -= self.bytes;
        if let Entry::Occupied(mut entry) = held.by_peer.entry(subnet(self.peer)) {
            *entry.get_mut() -= self.bytes;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
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
    async fn what_was_done_already_is_paid_off_before_anything_else_is_let_through() {
        let limit = PeerLimit::new(RATE);
        let now = Instant::now();
        limit.charge(peer("192.0.2.1"), 500, now);
        assert_eq!(limit.check(peer("192.0.2.1"), || now), Err(RetryAfter(2)));
        let later = now + Duration::from_secs(2);
        assert_eq!(limit.check(peer("192.0.2.1"), || later), Ok(()));
        assert_eq!(limit.take(peer("192.0.2.2"), now), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_larger_than_the_bucket_gets_through_a_full_one() {
        let now = Instant::now();
        let mut bucket = Bucket::full(RATE, now);
        assert_eq!(bucket.take(9.0, RATE, now), Ok(()));
        assert_eq!(bucket.take(1.0, RATE, now), Err(RetryAfter(4)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_came_again_in_time_is_remembered_however_many_came_between() {
        let limit = PeerLimit::new(RATE);
        let now = Instant::now();
        for _ in 0..3 {
            limit.take(peer("192.0.2.1"), now).unwrap();
        }
        let mut forgotten = 0;
        for network in 0..3 * MAX_PEERS as u128 {
            let stranger = IpAddr::V6((network << 64).into());
            assert_eq!(limit.take(stranger, now), Ok(()));
            if network % 1_000 == 0 && limit.take(peer("192.0.2.1"), now).is_ok() {
                forgotten += 1;
            }
        }
        assert_eq!(forgotten, 0);
        let known = limit.known.load(Ordering::Relaxed);
        assert!(known <= 2 * MAX_PEERS, "{known}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_a_full_bucket_again_is_forgotten() {
        let limit = PeerLimit::new(RATE);
        let now = Instant::now();
        limit.take(peer("192.0.2.1"), now).unwrap();
        let later = now + Duration::from_secs(7);
        limit.check(peer("192.0.2.2"), || later).unwrap();
        assert_eq!(limit.known.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn an_address_holds_no_more_than_its_share_and_gives_it_back() {
        let shares = Shares::new(2);
        let (one, _two) = (
            shares.take(peer("2001:db8::1")).unwrap(),
            shares.take(peer("2001:db8::2")).unwrap(),
        );
        assert!(shares.take(peer("2001:db8::3")).is_none());
        assert!(shares.take(peer("192.0.2.1")).is_some());
        drop(one);
        assert!(shares.take(peer("2001:db8::3")).is_some());
        assert_eq!(shares.lock().len(), 1);
    }

    #[test]
    fn unfinished_bodies_share_one_room() {
        let room = BodyRoom::new(10, 10);
        let mut one = room.enter(peer("192.0.2.1"));
        assert!(one.grow(8));
        assert!(!room.enter(peer("192.0.2.2")).grow(3));
        assert!(room.enter(peer("192.0.2.2")).grow(2));
        drop(one);
        assert!(room.enter(peer("192.0.2.2")).grow(10));
        assert_eq!(room.lock().by_peer.len(), 0);
    }

    #[test]
    fn one_address_fills_only_an_eighth_of_the_room_for_bodies() {
        let room = BodyRoom::new(800, 60);
        let mut bodies = [(); 5].map(|()| room.enter(peer("192.0.2.1")));
        let grown = bodies.each_mut().map(|body| body.grow(25));
        assert_eq!(grown, [true, true, true, true, false]);
        assert!(room.enter(peer("192.0.2.2")).grow(100));
        drop(bodies);
        assert!(room.enter(peer("192.0.2.1")).grow(100));
    }

    #[test]
    fn the_longest_body_fits_into_a_small_room() {
        let room = BodyRoom::new(100, 60);
        assert!(room.enter(peer("192.0.2.1")).grow(60));
        assert!(!room.enter(peer("192.0.2.1")).grow(61));
    }

    #[tokio::test(start_paused = true)]
    async fn a_debt_is_not_forgotten_before_it_is_paid_off() {
        let limit = PeerLimit::new(RATE);
        let debtor = peer("192.0.2.1");
        let start = Instant::now();
        // It owes a whole bucket; one token it has after 2 s, a full bucket after 3 s.
        limit.take(peer("192.0.2.2"), start).unwrap();
        let at = |ms| start + Duration::from_millis(ms);
        limit.charge(debtor, 500, at(1_400));
        for ms in (1_400..4_400).step_by(100) {
            let _ = limit.check(debtor, || at(ms));
        }
        let mut left = 0;
        while limit.take(debtor, at(4_300)).is_ok() {
            left += 1;
        }
        assert_eq!(left, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_of_new_addresses_does_not_wipe_out_a_debt() {
        let limit = PeerLimit::new(RATE);
        let (debtor, now) = (peer("192.0.2.1"), Instant::now());
        limit.charge(debtor, 500, now);
        let mut let_through = 0;
        for network in 0..3 * MAX_PEERS as u128 {
            let stranger = IpAddr::V6((network << 64).into());
            assert_eq!(limit.take(stranger, now), Ok(()));
            if network % 1_000 == 0 && limit.check(debtor, || now).is_ok() {
                let_through += 1;
            }
        }
        assert_eq!(let_through, 0);
    }

    #[test]
    fn what_comes_again_and_again_is_told_once_in_a_while() {
        let mut seldom = Seldom::new(Duration::from_secs(60));
        let start = Instant::now();
        let due = [0, 1, 59, 60, 61].map(|s| seldom.is_due(start + Duration::from_secs(s)));
        assert_eq!(due, [true, false, false, true, false]);
    }
}
