//! How other firmware comes to run: what is trusted, what is fetched into the slot that does not run,
//! which image starts, and whether it stays. What a release is, `ww-release` says.

pub mod agent;
pub mod boot;
mod download;
pub mod layout;
pub mod slot;
pub mod trust;
