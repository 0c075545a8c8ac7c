//! What GNU grep does with the same input.
