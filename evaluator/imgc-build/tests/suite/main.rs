//! Whole builds in memory.

mod bases;
mod brought;
mod damage;
mod support;
