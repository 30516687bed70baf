//! What chores make that tests look at.

pub mod image;
