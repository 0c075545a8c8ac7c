//! What mawk does with the same programs.
