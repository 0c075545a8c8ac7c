//! What GNU sed does with the same input.
