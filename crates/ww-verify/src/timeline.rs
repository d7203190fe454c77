//! Places windows in time by what synchronised clocks say, in themselves and around them. It knows
//! times alone: what a window holds, and whether it holds, is judged elsewhere.

use crate::question::{Around, Place, Question};
use crate::readings::Told;

/// The synchronised times so far, and the windows `W` that wait for more of them.
#[derive(Clone, Debug)]
pub(crate) struct Timeline<W> {
    question: Question,
    /// The first and the last synchronised time, in the order of the chain: a clock that nobody keeps
    /// bounds nothing.
    synchronised: Option<(u64, u64)>,
    /// Windows that wait for the next synchronised time, to be placed between that and the last one.
    adrift: Vec<W>,
    /// Windows after the time asked for, by their own synchronised word.
    late: Vec<W>,
    part: Part,
}

/// The synchronised times of the part that was taken last, against the end of the time asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    over: u64,
    not_over: u64,
}

impl<W> Timeline<W> {
    pub(crate) fn new(question: Question) -> Self {
        Self {
            question,
            synchronised: None,
            adrift: Vec::new(),
            late: Vec::new(),
            part: Part::default(),
        }
    }

    /// Begins the next part of the chain.
    pub(crate) fn begin_part(&mut self) {
        self.part = Part::default();
    }

    /// Takes the believed times of a record that stands behind all others and whose clock was
    /// synchronised: what is adrift in front of it lies before them. Gives what is placed by them.
    pub(crate) fn synchronise(&mut self, start_ms: u64, end_ms: u64) -> Vec<(W, Place)> {
        let mut placed = self.place_adrift(Some(start_ms));
        let (first_ms, _) = self.synchronised.unwrap_or((start_ms, end_ms));
        self.synchronised = Some((first_ms, end_ms));
        let over = self.question.is_over(start_ms);
        self.part.over += u64::from(over);
        self.part.not_over += u64::from(!over);
        if !over {
            placed.extend(self.late.drain(..).map(|window| (window, Place::Unknown)));
        }
        placed
    }

    /// Places a window behind all others: by its synchronised readings where they lie in the time
    /// asked for, else by the synchronised times around those that are not. Its own word that it lies
    /// elsewhere does not count where synchronised times on both sides of it contradict that. Gives
    /// what is placed now; what is left out of it is placed later, or lies outside.
    pub(crate) fn hold(
        &mut self,
        window: W,
        told: Option<Told>,
        ends_synchronised: bool,
    ) -> Vec<(W, Place)> {
        let Some(told) = told else {
            if self.question.is_whole() {
                return vec![(window, Place::Inside)];
            }
            self.adrift.push(window);
            return Vec::new();
        };
        if self.question.touches(told.span) {
            let mut placed = self.synchronise(told.first_ms, told.last_ms);
            placed.push((window, Place::Inside));
            return placed;
        }
        if self.question.is_over(told.span.start_ms) {
            match told.starts {
                true => self.late.push(window),
                false => self.adrift.push(window),
            }
            return self.synchronise(told.first_ms, told.last_ms);
        }
        let has_begun = self.has_begun();
        let mut placed = self.synchronise(told.first_ms, told.last_ms);
        match (ends_synchronised, has_begun) {
            (false, _) => self.adrift.push(window),
            (true, true) => placed.push((window, Place::Unknown)),
            (true, false) => {}
        }
        placed
    }

    /// Ends the chain, and gives what is still adrift.
    pub(crate) fn end(&mut self) -> Vec<(W, Place)> {
        self.place_adrift(None)
    }

    fn place_adrift(&mut self, before_ms: Option<u64>) -> Vec<(W, Place)> {
        let place = self.question.place(Around {
            before_ms,
            ..self.around_now()
        });
        let adrift = self.adrift.drain(..);
        adrift.map(|window| (window, place)).collect()
    }

    /// Around what comes next, as far as that is known.
    pub(crate) fn around_now(&self) -> Around {
        Around {
            after_ms: self.last_ms(),
            before_ms: None,
        }
    }

    /// Whether the last synchronised time lies behind the start of the time asked for.
    fn has_begun(&self) -> bool {
        let is_behind = |from_ms| self.last_ms().is_some_and(|last_ms| last_ms >= from_ms);
        self.question.from_ms.is_some_and(is_behind)
    }

    /// The first synchronised time.
    pub(crate) fn first_ms(&self) -> Option<u64> {
        self.synchronised.map(|(first_ms, _)| first_ms)
    }

    /// The last synchronised time.
    pub(crate) fn last_ms(&self) -> Option<u64> {
        self.synchronised.map(|(_, last_ms)| last_ms)
    }

    /// Windows at the end of the chain of which nothing says where they lie.
    pub(crate) fn unplaced(&self) -> u64 {
        match self.question.place(self.around_now()) {
            Place::Unknown => self.adrift.len() as u64,
            Place::Inside | Place::Outside => 0,
        }
    }

    /// Whether all synchronised times of the part that was taken last, of which there is one at least,
    /// lie after the time asked for. Of a part, since a clock may have been wrong for a window.
    pub(crate) const fn is_past_the_end(&self) -> bool {
        self.part.over > 0 && self.part.not_over == 0
    }
}
