//! How other firmware comes to run: which image starts, and what becomes of one that is new. It
//! fetches and verifies nothing yet.

pub mod boot;
