//! The pages about the served kinds: their examples are accepted as they stand.
