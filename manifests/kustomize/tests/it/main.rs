//! Golden cases: directories to build, and the bytes or the error that must come out.

mod cases;
mod corpus;
mod golden;
mod linear;
mod types;
