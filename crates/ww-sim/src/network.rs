//! A one-way link on a fake clock that loses, delays, doubles and reorders what it carries. It
//! opens no socket; two of them make a conversation.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::random::Random;

/// How bad the link is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkQuality {
    /// Chance that a message never arrives.
    pub loss: f64,
    /// Chance that a message arrives twice.
    pub duplication: f64,
    /// Chance that a message is held back so that later ones overtake it.
    pub reordering: f64,
    /// The shortest time on the way, ms.
    pub delay_ms: u64,
    /// Up to this much longer, ms; it reorders nothing by itself.
    pub jitter_ms: u64,
    /// How long a message is held back that others overtake, ms.
    pub hold_ms: u64,
}

impl LinkQuality {
    /// Nothing is lost and nothing takes time.
    pub const PERFECT: Self = Self {
        loss: 0.0,
        duplication: 0.0,
        reordering: 0.0,
        delay_ms: 0,
        jitter_ms: 0,
        hold_ms: 0,
    };
    /// A roof at the edge of a radio network.
    pub const POOR: Self = Self {
        loss: 0.2,
        duplication: 0.05,
        reordering: 0.1,
        delay_ms: 80,
        jitter_ms: 900,
        hold_ms: 5_000,
    };
}

/// What the link did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Messages handed in.
    pub sent: u64,
    /// Of these, lost (or sent while the link was down).
    pub lost: u64,
    /// Of these, doubled.
    pub doubled: u64,
    /// Of these, held back.
    pub held: u64,
    /// Messages handed out, doubles included.
    pub delivered: u64,
}

/// One direction of a connection between two parts of a simulation.
#[derive(Clone, Debug)]
pub struct Link<T> {
    quality: LinkQuality,
    is_up: bool,
    random: Random,
    on_the_way: BinaryHeap<Reverse<OnTheWay<T>>>,
    /// Arrival of the last message that kept its place; later ones arrive no earlier.
    last_due_ms: u64,
    counters: LinkCounters,
}

#[derive(Clone, Debug)]
struct OnTheWay<T> {
    due_ms: u64,
    number: u64,
    message: T,
}

impl<T: Clone> Link<T> {
    /// Makes a link that is up.
    #[must_use]
    pub fn new(quality: LinkQuality, seed: u64) -> Self {
        Self {
            quality,
            is_up: true,
            random: Random::new(seed),
            on_the_way: BinaryHeap::new(),
            last_due_ms: 0,
            counters: LinkCounters::default(),
        }
    }

    /// Changes the quality for what is sent from now on.
    pub fn set_quality(&mut self, quality: LinkQuality) {
        self.quality = quality;
    }

    /// Takes the link down or brings it up. What is on the way when it goes down is lost.
    pub fn set_up(&mut self, is_up: bool) {
        self.is_up = is_up;
        if !is_up {
            self.counters.lost += self.on_the_way.len() as u64;
            self.on_the_way.clear();
        }
    }

    /// Whether the link is up.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.is_up
    }

    /// Hands a message in at `now_ms`.
    pub fn send(&mut self, now_ms: u64, message: T) {
        self.counters.sent += 1;
        if !self.is_up || self.random.chance(self.quality.loss) {
            self.counters.lost += 1;
            return;
        }
        if self.random.chance(self.quality.duplication) {
            self.counters.doubled += 1;
            self.put_on_the_way(now_ms, message.clone());
        }
        self.put_on_the_way(now_ms, message);
    }

    /// Takes out the next message that has arrived by `now_ms`.
    pub fn receive(&mut self, now_ms: u64) -> Option<T> {
        if self.next_arrival_ms()? > now_ms {
            return None;
        }
        self.counters.delivered += 1;
        self.on_the_way
            .pop()
            .map(|Reverse(arrived)| arrived.message)
    }

    /// When the next message arrives.
    #[must_use]
    pub fn next_arrival_ms(&self) -> Option<u64> {
        self.on_the_way.peek().map(|Reverse(next)| next.due_ms)
    }

    /// What the link did so far.
    #[must_use]
    pub fn counters(&self) -> LinkCounters {
        self.counters
    }

    fn put_on_the_way(&mut self, now_ms: u64, message: T) {
        let quality = self.quality;
        let on_time_ms = now_ms + quality.delay_ms + self.random.below(quality.jitter_ms + 1);
        let due_ms = if self.random.chance(quality.reordering) {
            self.counters.held += 1;
            on_time_ms + quality.hold_ms
        } else {
            self.last_due_ms = self.last_due_ms.max(on_time_ms);
            self.last_due_ms
        };
        let number = self.counters.sent + self.counters.doubled;
        self.on_the_way.push(Reverse(OnTheWay {
            due_ms,
            number,
            message,
        }));
    }
}

impl<T> PartialEq for OnTheWay<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for OnTheWay<T> {}

impl<T> PartialOrd for OnTheWay<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for OnTheWay<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due_ms, self.number).cmp(&(other.due_ms, other.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(link: &mut Link<u32>) -> Vec<u32> {
        std::iter::from_fn(|| link.receive(u64::MAX)).collect()
    }

    fn carried(quality: LinkQuality, seed: u64) -> Vec<u32> {
        let mut link = Link::new(quality, seed);
        for number in 0..1000 {
            link.send(u64::from(number) * 100, number);
        }
        received(&mut link)
    }

    #[test]
    fn a_perfect_link_delivers_everything_in_order() {
        assert_eq!(
            carried(LinkQuality::PERFECT, 1),
            (0..1000).collect::<Vec<_>>()
        );
    }

    #[test]
    fn nothing_arrives_before_its_time() {
        let mut link = Link::new(
            LinkQuality {
                delay_ms: 50,
                ..LinkQuality::PERFECT
            },
            1,
        );
        link.send(1_000, "sun");
        assert_eq!(link.receive(1_049), None);
        assert_eq!(link.next_arrival_ms(), Some(1_050));
        assert_eq!(link.receive(1_050), Some("sun"));
    }

    #[test]
    fn jitter_alone_reorders_nothing() {
        let got = carried(
            LinkQuality {
                jitter_ms: 10_000,
                ..LinkQuality::PERFECT
            },
            1,
        );
        assert!(got.is_sorted());
    }

    #[test]
    fn a_lossy_link_loses_about_its_share() {
        let got = carried(
            LinkQuality {
                loss: 0.3,
                ..LinkQuality::PERFECT
            },
            1,
        );
        assert!((600..800).contains(&got.len()), "{}", got.len());
    }

    #[test]
    fn a_doubling_link_doubles_and_loses_nothing() {
        let mut got = carried(
            LinkQuality {
                duplication: 0.5,
                ..LinkQuality::PERFECT
            },
            1,
        );
        assert!(got.len() > 1300);
        got.dedup();
        assert_eq!(got.len(), 1000);
    }

    #[test]
    fn a_reordering_link_lets_messages_overtake() {
        let quality = LinkQuality {
            reordering: 0.2,
            hold_ms: 1_000,
            ..LinkQuality::PERFECT
        };
        let mut got = carried(quality, 1);
        assert!(!got.is_sorted());
        got.sort_unstable();
        assert_eq!(got, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_on_the_way_when_the_link_goes_down_is_lost() {
        let mut link = Link::new(
            LinkQuality {
                delay_ms: 10,
                ..LinkQuality::PERFECT
            },
            1,
        );
        link.send(0, 1);
        link.set_up(false);
        link.send(1, 2);
        link.set_up(true);
        link.send(2, 3);
        assert_eq!(received(&mut link), [3]);
        assert_eq!(link.counters().lost, 2);
    }

    #[test]
    fn the_same_seed_loses_the_same_messages() {
        assert_eq!(carried(LinkQuality::POOR, 4), carried(LinkQuality::POOR, 4));
        assert_ne!(carried(LinkQuality::POOR, 4), carried(LinkQuality::POOR, 5));
    }
}
