//! Git repositories to commit to, and a server that others fetch them from.

mod cgi;
mod repository;
mod server;
mod tls;

pub use cgi::http_backend;
pub use repository::Repository;
pub use server::{Access, GitRequest, GitServer, Transport};
pub use tls::TlsListener;
