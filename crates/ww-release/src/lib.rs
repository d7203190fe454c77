//! What a meter trusts before it takes firmware: who may sign what (root), what may be installed
//! (release), and what this device is to do now (assignment). Everything here reads bounded bytes,
//! verifies and says why not; it keeps nothing, sends nothing and allocates nothing.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "make"))]
extern crate std;

pub mod assignment;
pub mod canonical;
pub mod cipher;
#[cfg(feature = "make")]
pub mod file;
#[cfg(feature = "make")]
pub mod fleet;
pub mod key;
pub mod question;
pub mod release;
pub mod root;
pub mod rsa;
#[cfg(feature = "make")]
pub mod sealed;
pub mod secret;
pub mod signatures;
