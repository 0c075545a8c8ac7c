//! The pages that are tests: the cases of `tests/lang`, and the language's part of
//! the book.

mod book;
mod builtins;
mod codes;
mod lang;
mod stdlib;
mod support;
