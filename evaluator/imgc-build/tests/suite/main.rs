//! Whole builds in memory.

mod bases;
mod damage;
mod support;
