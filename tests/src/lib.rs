//! What the tests share: a small Debian archive made on the spot, a web server on
//! loopback that can misbehave, an isolated place to run `imgc` in, a reader of what it
//! wrote, and a comparison of that with what mmdebstrap makes.
//!
//! Only tests use this crate. It depends on no other crate of the workspace: it
//! looks at `imgc` from outside, as a user does.
#![expect(
    clippy::disallowed_methods,
    reason = "tests start processes and work with files and the environment"
)]

pub mod archive;
pub mod deb;
pub mod elf;
pub mod fidelity;
pub mod key;
pub mod layout;
pub mod sandbox;
pub mod server;
pub mod small;
pub mod store;
