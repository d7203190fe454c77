//! The members of a rollout in their order, and where each stands in it.

use std::collections::HashMap;

use ww_wire::MeterId;

use crate::member::Member;
use crate::plan::PlanError;

/// The members, found by place or by id at the cost of one look.
#[derive(Clone, Debug)]
pub(crate) struct Members {
    order: Vec<MeterId>,
    places: HashMap<MeterId, u32>,
    rows: Vec<Member>,
    /// How many rows were looked at.
    #[cfg(test)]
    pub(crate) looks: core::cell::Cell<u64>,
}

impl Members {
    /// Nothing is known of any.
    pub(crate) fn new(order: Vec<MeterId>) -> Result<Self, PlanError> {
        let mut places = HashMap::with_capacity(order.len());
        for (place, meter) in (0..).zip(&order) {
            if places.insert(*meter, place).is_some() {
                return Err(PlanError::MemberTwice(*meter));
            }
        }
        Ok(Self {
            rows: vec![Member::default(); order.len()],
            places,
            order,
            #[cfg(test)]
            looks: core::cell::Cell::new(0),
        })
    }

    pub(crate) fn order(&self) -> &[MeterId] {
        &self.order
    }

    pub(crate) fn place(&self, meter: MeterId) -> Option<u32> {
        self.places.get(&meter).copied()
    }

    pub(crate) fn meter(&self, place: u32) -> MeterId {
        self.order[place as usize]
    }

    pub(crate) fn row(&self, place: u32) -> Member {
        #[cfg(test)]
        self.looks.set(self.looks.get() + 1);
        self.rows[place as usize]
    }

    pub(crate) fn set(&mut self, place: u32, row: Member) {
        self.rows[place as usize] = row;
    }
}
