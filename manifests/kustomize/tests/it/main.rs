//! Golden cases: directories to build, and the bytes or the error that must come out; what a build can cost; and the table
//! of types.

mod cases;
mod corpus;
mod golden;
mod limits;
mod types;
