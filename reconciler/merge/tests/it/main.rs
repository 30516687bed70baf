//! Sequences of writes, and what they leave.

mod custom;
mod examples;
