//! TLS: which servers are trusted, and how we show who we are.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use fairlead_object::Digest;
use rustls::{
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use secrecy::{ExposeSecret, SecretSlice};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::secret::{SecretData, SecretError, fingerprint, keyed_digest};

/// The CAs of the system and those of a Secret, and the client certificate of that Secret.
#[derive(Clone, Default)]
pub struct Trust {
    own: Option<Arc<Own>>,
}

struct Own {
    authorities: Vec<CertificateDer<'static>>,
    client: Option<ClientCertificate>,
    fingerprint: Digest,
}

/// A certificate and its key, in PEM.
struct ClientCertificate {
    certificate: SecretSlice<u8>,
    key: SecretSlice<u8>,
}

/// Whether a server may see our client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShowCertificate {
    Yes,
    No,
}

impl Trust {
    /// Reads the Secret that `spec.certSecretRef` names: `ca.crt`, or `tls.crt` and `tls.key`, or all of them. The names
    /// `caFile`, `certFile` and `keyFile` of older versions are understood.
    ///
    /// # Errors
    /// If nothing of these is there, one of a pair is missing, or something is not what its name says.
    pub fn from_secret(data: &SecretData) -> Result<Self, SecretError> {
        let trust = Self::among_others(data)?;
        if trust.own.is_some() { Ok(trust) } else { Err(SecretError::NoCertificate) }
    }

    /// Reads a Secret that may hold something about TLS among other things.
    ///
    /// # Errors
    /// If one of a pair is missing, or something is not what its name says.
    pub fn among_others(data: &SecretData) -> Result<Self, SecretError> {
        let authorities = authorities(data)?;
        let client = ClientCertificate::read(data)?;
        if authorities.is_empty() && client.is_none() {
            return Ok(Self::default());
        }
        Ok(Self { own: Some(Arc::new(Own { authorities, client, fingerprint: fingerprint(data) })) })
    }

    /// The same CAs, without the client certificate.
    pub(crate) fn without_certificate(&self) -> Self {
        let Some(own) = &self.own else { return Self::default() };
        let authorities = own.authorities.clone();
        Self { own: Some(Arc::new(Own { authorities, client: None, fingerprint: own.fingerprint })) }
    }

    pub(super) fn fingerprint(&self) -> Digest {
        self.own.as_ref().map_or_else(|| keyed_digest([]), |own| own.fingerprint)
    }

    pub(super) fn has_certificate(&self) -> bool {
        self.client().is_some()
    }

    pub(super) fn tls_config(&self, show: ShowCertificate) -> TlsConfig {
        let client = self.client().filter(|_| show == ShowCertificate::Yes);
        TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(default_provider()))
            .root_certs(self.roots())
            .client_cert(client.map(ClientCertificate::shown))
            .build()
    }

    fn client(&self) -> Option<&ClientCertificate> {
        self.own.as_ref().and_then(|own| own.client.as_ref())
    }

    /// The CAs of the system, and our own.
    fn roots(&self) -> RootCerts {
        static SYSTEM: LazyLock<Arc<Vec<Certificate<'static>>>> = LazyLock::new(|| {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::warn!(%error, "cannot read the system's certificates");
            }
            Arc::new(found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect())
        });
        let own = self.own.as_ref().map(|own| own.authorities.as_slice()).unwrap_or_default();
        if own.is_empty() {
            return RootCerts::Specific(Arc::clone(&SYSTEM));
        }
        let own = own.iter().map(|der| Certificate::from_der(der).to_owned());
        RootCerts::from(SYSTEM.iter().cloned().chain(own))
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.own.is_some() { "Trust(own)" } else { "Trust(system)" })
    }
}

impl ClientCertificate {
    fn read(data: &SecretData) -> Result<Option<Self>, SecretError> {
        let value = |key, legacy| data.get(key).or_else(|| data.get(legacy)).cloned();
        let (certificate, key) = match (value("tls.crt", "certFile"), value("tls.key", "keyFile")) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate, key),
            (Some(_), None) | (None, Some(_)) => return Err(SecretError::HalfCertificate),
        };
        let chain = certificates("tls.crt", &certificate)?;
        let private = PrivateKeyDer::from_pem_slice(key.expose_secret())
            .map_err(|_| SecretError::Malformed { key: "tls.key", problem: "holds no private key in PEM" })?;
        CertifiedKey::from_der(chain, private, &default_provider())
            .map_err(|_| SecretError::Malformed { key: "tls.key", problem: "is not the key of 'tls.crt'" })?;
        Ok(Some(Self { certificate, key }))
    }

    fn shown(&self) -> ClientCert {
        let chain: Vec<_> = parse_pem(self.certificate.expose_secret())
            .filter_map(|item| match item {
                Ok(ureq::tls::PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        let key = PrivateKey::from_pem(self.key.expose_secret()).expect("the key was read before");
        ClientCert::new_with_certs(&chain, key)
    }
}

fn authorities(data: &SecretData) -> Result<Vec<CertificateDer<'static>>, SecretError> {
    match (data.get("ca.crt"), data.get("caFile")) {
        (Some(pem), _) => certificates("ca.crt", pem),
        (None, Some(pem)) => certificates("caFile", pem),
        (None, None) => Ok(Vec::new()),
    }
}

/// The certificates in `pem`; at least one.
fn certificates(key: &'static str, pem: &SecretSlice<u8>) -> Result<Vec<CertificateDer<'static>>, SecretError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.expose_secret()).collect();
    found
        .ok()
        .filter(|found| !found.is_empty())
        .ok_or(SecretError::Malformed { key, problem: "holds no certificate in PEM" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::tests::data;

    #[test]
    fn a_secret_for_tls_says_something_about_tls() {
        let rows = [
            (data([]), "it must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'"),
            (data([("username", "a")]), "it must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'"),
            (data([("ca.crt", "none")]), "'ca.crt' holds no certificate in PEM"),
            (data([("tls.crt", "none")]), "'tls.crt' and 'tls.key' must be set together"),
            (data([("keyFile", "none")]), "'tls.crt' and 'tls.key' must be set together"),
            (data([("certFile", "none"), ("tls.key", "none")]), "'tls.crt' holds no certificate in PEM"),
        ];
        for (data, expected) in rows {
            assert_eq!(Trust::from_secret(&data).expect_err("unusable").to_string(), expected, "{:?}", data.keys());
        }
    }
}
