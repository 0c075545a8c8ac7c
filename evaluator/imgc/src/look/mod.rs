//! Looking into images, whoever made them: `imgc inspect`, `ls`, `cat`, `diff` and `export`.
//! Nothing is unpacked but by `export`.

pub(crate) mod cat;
pub(crate) mod diff;
pub(crate) mod export;
mod folder;
pub(crate) mod inspect;
pub(crate) mod ls;
mod name;
mod open;
mod packages;
pub(crate) mod pull;
mod rights;
mod words;
