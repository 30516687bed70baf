//! `fairlead create secret proxy`.

use clap::Args as Flags;

use super::{NewSecret, OPAQUE};
use crate::{commands::create::object::values, connection::dns_label};

/// Flags of `create secret proxy`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The name of the Secret.
    #[arg(value_parser = dns_label)]
    name: String,
    /// The proxy, as `https://proxy.example.com:3128`.
    #[arg(long, value_name = "URL")]
    address: String,
    /// The user.
    #[arg(short, long)]
    username: Option<String>,
    /// The user's password.
    #[arg(short, long)]
    password: Option<String>,
}

impl Args {
    pub(super) fn secret(&self) -> NewSecret {
        let values = values([
            ("address", Some(&self.address)),
            ("username", self.username.as_ref()),
            ("password", self.password.as_ref()),
        ]);
        NewSecret::new(&self.name, "proxy secret", values).of_kind(OPAQUE)
    }
}
