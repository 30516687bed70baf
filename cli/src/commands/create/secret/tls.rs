//! `fairlead create secret tls`, and the files that other Secrets have in common with it.

use std::path::PathBuf;

use clap::Args as Flags;

use super::{NewSecret, OPAQUE, TLS};
use crate::{
    commands::create::object::{Values, values},
    connection::dns_label,
    local::{self, LocalError},
    output::CommandError,
};

/// Flags of `create secret tls`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The name of the Secret.
    #[arg(value_parser = dns_label)]
    name: String,
    #[command(flatten)]
    files: TlsFiles,
}

/// Files with certificates.
#[derive(Flags)]
#[expect(clippy::struct_field_names, reason = "a field is named as its flag")]
pub(in crate::commands::create) struct TlsFiles {
    /// A file with a client certificate.
    #[arg(long, alias = "cert-file", value_name = "FILE", requires = "tls_key_file")]
    tls_crt_file: Option<PathBuf>,
    /// A file with the key of the client certificate.
    #[arg(long, alias = "key-file", value_name = "FILE", requires = "tls_crt_file")]
    tls_key_file: Option<PathBuf>,
    /// A file with the certificate authority of the server.
    #[arg(long, alias = "ca-file", value_name = "FILE")]
    ca_crt_file: Option<PathBuf>,
}

impl TlsFiles {
    /// The client certificate and its key, if they are given.
    pub(in crate::commands::create) fn client(&self) -> Result<Values, CommandError> {
        let (certificate, key) = (read(self.tls_crt_file.as_ref())?, read(self.tls_key_file.as_ref())?);
        Ok(values([("tls.crt", certificate.as_ref()), ("tls.key", key.as_ref())]))
    }

    /// The certificate authority, if it is given.
    pub(in crate::commands::create) fn authority(&self) -> Result<Values, CommandError> {
        Ok(values([("ca.crt", read(self.ca_crt_file.as_ref())?.as_ref())]))
    }
}

fn read(file: Option<&PathBuf>) -> Result<Option<String>, LocalError> {
    file.map(|file| local::read(file)).transpose()
}

impl Args {
    pub(super) fn secret(&self) -> Result<NewSecret, CommandError> {
        let (client, authority) = (self.files.client()?, self.files.authority()?);
        let kind = if client.is_empty() { OPAQUE } else { TLS };
        let values: Values = client.into_iter().chain(authority).collect();
        if values.is_empty() {
            return Err("--ca-crt-file, or --tls-crt-file and --tls-key-file, are required".into());
        }
        Ok(NewSecret::new(&self.name, "tls secret", values).of_kind(kind))
    }
}
