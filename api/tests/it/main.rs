//! The crate as others see it: its schemas, the files made of them, and the pages about them.

mod configuration;
mod deploy;
mod flux;
mod pages;
mod schema;
