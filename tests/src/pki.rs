//! A certificate authority for one test: what servers and clients need to trust each other on loopback.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

/// Signs certificates that end with the test.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
}

/// A certificate and its private key, both as PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate alone, without that of its authority.
    pub certificate_pem: String,
    /// The private key as PKCS #8.
    pub key_pem: String,
}

impl Authority {
    /// Makes a new authority with a key of its own.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = new_key();
        let certificate = params.self_signed(&key).expect("the parameters of an authority are complete");
        Self { issuer: Issuer::new(params, key), certificate_pem: certificate.pem() }
    }

    /// Returns the authority's own certificate, which a client trusts to trust its servers.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Issues a certificate for a server that is reached by any of `names`, which may be IP addresses.
    ///
    /// # Panics
    /// If a name is neither a DNS name nor an address.
    pub fn server(&self, names: &[&str]) -> Identity {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let params = CertificateParams::new(names).expect("a server's names are ASCII");
        self.issue(params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// Issues a certificate by which Kubernetes knows a client as `user`, a member of `group`.
    pub fn client(&self, user: &str, group: Option<&str>) -> Identity {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        if let Some(group) = group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        self.issue(params, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(&self, mut params: CertificateParams, usage: ExtendedKeyUsagePurpose) -> Identity {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        let key = new_key();
        let certificate = params.signed_by(&key, &self.issuer).expect("the parameters of a certificate are complete");
        Identity { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() }
    }
}

/// Makes a P-256 key.
pub(crate) fn new_key() -> KeyPair {
    KeyPair::generate().expect("the system has randomness")
}
