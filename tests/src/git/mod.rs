//! Git repositories to commit to, and a server that others fetch them from.

mod cgi;
mod repository;
mod server;

pub use repository::Repository;
pub use server::{Access, GitRequest, GitServer, Transport};
