//! Certificates of signers: what they say, and whether an authority that is trusted issued them.

use std::time::Duration;

use der::{
    Decode,
    asn1::{OctetStringRef, Utf8StringRef},
    oid::ObjectIdentifier,
};
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, ring as algorithms};
use x509_cert::{
    Certificate,
    ext::{
        Extension,
        pkix::{SubjectAltName, name::GeneralName},
    },
};

use super::{public_key::PublicKey, trusted_root::Log};

/// How certificates may be signed.
const ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 8] = [
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
    algorithms::ED25519,
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
];

/// The purpose `id-kp-codeSigning`, as DER writes its number.
const CODE_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];

/// Who vouched for the identity, as Fulcio writes it: in DER, and as plain text before.
const ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");
const OLD_ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
/// That a log has entered the certificate.
const LOGGED: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");

/// A certificate that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the certificate cannot be read: {0}")]
pub struct MalformedCertificate(String);

/// Why a certificate does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// It, or one that led to it, was not valid any more.
    #[error("it was not valid any more at that time")]
    Expired,
    /// It, or one that led to it, was not valid yet.
    #[error("it was not valid yet at that time")]
    NotYet,
    /// It is for something else than signing.
    #[error("it is not for signing code")]
    OtherPurpose,
    /// None of those that are trusted led to it.
    #[error("no authority that is trusted issued it")]
    UnknownIssuer,
    /// It is not as certificates have to be.
    #[error("{0}")]
    Other(String),
}

impl From<webpki::Error> for ChainError {
    fn from(error: webpki::Error) -> Self {
        match error {
            webpki::Error::CertExpired { .. } => Self::Expired,
            webpki::Error::CertNotValidYet { .. } => Self::NotYet,
            webpki::Error::RequiredEkuNotFoundContext(_) => Self::OtherPurpose,
            webpki::Error::UnknownIssuer | webpki::Error::InvalidSignatureForPublicKey => Self::UnknownIssuer,
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<der::Error> for MalformedCertificate {
    fn from(error: der::Error) -> Self {
        Self(error.to_string())
    }
}

/// Whether `certificate` is for signing code and was issued by the last of `chain`, maybe through those before, and valid
/// at `second`.
pub(super) fn is_issued(
    certificate: &CertificateDer<'_>,
    chain: &[CertificateDer<'_>],
    second: i64,
) -> Result<(), ChainError> {
    let Some((root, between)) = chain.split_last() else { return Err(ChainError::UnknownIssuer) };
    let anchors = [anchor_from_trusted_cert(root)?];
    verify_chain(certificate, &anchors, between, second)
}

/// Whether `certificate` is for signing code and was issued by one of `anchors`, maybe through some `between`, and valid
/// at `second`.
pub(super) fn verify_chain(
    certificate: &CertificateDer<'_>,
    anchors: &[TrustAnchor<'_>],
    between: &[CertificateDer<'_>],
    second: i64,
) -> Result<(), ChainError> {
    let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(second).unwrap_or_default()));
    let usage = KeyUsage::required(CODE_SIGNING);
    let parsed = EndEntityCert::try_from(certificate)?;
    parsed.verify_for_usage(&ALGORITHMS, anchors, between, at, usage, None, None)?;
    Ok(())
}

/// What a signer's certificate says.
pub(super) struct SignerCertificate<'a> {
    der: &'a [u8],
    parsed: Certificate,
}

impl<'a> SignerCertificate<'a> {
    pub(super) fn parse(der: &'a CertificateDer<'_>) -> Result<Self, MalformedCertificate> {
        Ok(Self { parsed: Certificate::from_der(der)?, der })
    }

    /// The names of the signer: addresses of mail and of programs.
    pub(super) fn names(&self) -> Result<Vec<String>, MalformedCertificate> {
        let found = self.parsed.tbs_certificate().get_extension::<SubjectAltName>()?;
        let names = found.map(|(_, SubjectAltName(names))| names).unwrap_or_default();
        let text = |name: &GeneralName| match name {
            GeneralName::Rfc822Name(mail) => Some(mail.to_string()),
            GeneralName::UniformResourceIdentifier(uri) => Some(uri.to_string()),
            GeneralName::DnsName(host) => Some(host.to_string()),
            GeneralName::OtherName(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EdiPartyName(_)
            | GeneralName::IpAddress(_)
            | GeneralName::RegisteredId(_) => None,
        };
        Ok(names.iter().filter_map(text).collect())
    }

    /// Who vouched for the signer.
    pub(super) fn issuer(&self) -> Result<Option<String>, MalformedCertificate> {
        if let Some(extension) = self.extension(ISSUER) {
            return Ok(Some(Utf8StringRef::from_der(extension.extn_value.as_bytes())?.as_str().to_owned()));
        }
        let old = self.extension(OLD_ISSUER).map(|extension| extension.extn_value.as_bytes());
        Ok(old.map(|text| String::from_utf8_lossy(text).into_owned()))
    }

    /// Whether one of `logs` has entered the certificate, which one of `issuers` issued.
    pub(super) fn is_logged(&self, logs: &[Log], issuers: &[CertificateDer<'_>]) -> Result<bool, MalformedCertificate> {
        let Some(extension) = self.extension(LOGGED) else { return Ok(false) };
        let list = <&OctetStringRef>::from_der(extension.extn_value.as_bytes())?;
        let unlogged = parts::without(self.der, LOGGED)?;
        let issuers: Vec<_> = issuers.iter().filter_map(|issuer| PublicKey::of_certificate(issuer).ok()).collect();
        let stamps = stamps(list.as_bytes());
        Ok(stamps.iter().any(|stamp| issuers.iter().any(|issuer| stamp.is_by_one_of(logs, issuer, &unlogged))))
    }

    fn extension(&self, id: ObjectIdentifier) -> Option<&Extension> {
        let extensions = self.parsed.tbs_certificate().extensions()?;
        extensions.iter().find(|extension| extension.extn_id == id)
    }
}

/// What a log says of a certificate.
struct Stamp<'a> {
    log: &'a [u8],
    /// In milliseconds since 1970.
    time: [u8; 8],
    extensions: &'a [u8],
    signature: &'a [u8],
}

/// ECDSA or RSA over SHA-256, in the words of TLS.
const SIGNED_BY: [[u8; 2]; 2] = [[4, 3], [4, 1]];

impl Stamp<'_> {
    /// Whether one of `logs` says of the certificate `unlogged`, by the one whose key is `issuer`, that it was entered.
    fn is_by_one_of(&self, logs: &[Log], issuer: &PublicKey, unlogged: &[u8]) -> bool {
        let Ok(length) = u32::try_from(unlogged.len()) else { return false };
        let second = i64::try_from(u64::from_be_bytes(self.time) / 1000).unwrap_or(i64::MAX);
        let extensions_length = u16::try_from(self.extensions.len()).unwrap_or(u16::MAX);
        let said = [
            // Version 1, a certificate's timestamp.
            &[0, 0][..],
            &self.time,
            // Of a certificate before it had timestamps.
            &[0, 1],
            &issuer.id(),
            &length.to_be_bytes()[1..],
            unlogged,
            &extensions_length.to_be_bytes(),
            self.extensions,
        ]
        .concat();
        let mut named = logs.iter().filter(|log| log.id == self.log && log.valid.covers(second));
        named.any(|log| log.key.has_signed(&said, self.signature))
    }
}

/// Takes a list of what logs say apart; nothing, if it is not of the form that it has to have.
fn stamps(list: &[u8]) -> Vec<Stamp<'_>> {
    let mut stamps = Vec::new();
    let Some((mut list, [])) = split(list) else { return stamps };
    while let Some((stamp, rest)) = split(list) {
        stamps.extend(read_stamp(stamp));
        list = rest;
    }
    stamps
}

fn read_stamp(stamp: &[u8]) -> Option<Stamp<'_>> {
    let rest = stamp.strip_prefix(&[0])?;
    let (log, rest) = rest.split_at_checked(32)?;
    let (time, rest) = rest.split_first_chunk::<8>()?;
    let (extensions, rest) = split(rest)?;
    let (algorithm, rest) = rest.split_first_chunk::<2>()?;
    let (signature, []) = split(rest)? else { return None };
    SIGNED_BY.contains(algorithm).then_some(Stamp { log, time: *time, extensions, signature })
}

/// Splits off what has its length in two bytes before it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Certificates are taken apart only as far as one part has to be left out: everything else stays as its issuer wrote it.
mod parts {
    use der::{Decode, Encode, Reader, SliceReader, Tag, TagNumber, Tagged, asn1::AnyRef, oid::ObjectIdentifier};
    use x509_cert::ext::Extension;

    const EXTENSIONS: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(3) };

    /// What is signed of `certificate`, without the extension `left_out`: so it was before a log had entered it.
    pub(super) fn without(certificate: &[u8], left_out: ObjectIdentifier) -> der::Result<Vec<u8>> {
        let Some(signed) = children(certificate)?.first().copied() else {
            return Err(Tag::Sequence.value_error().into());
        };
        let mut kept = Vec::new();
        for part in children(signed)? {
            if AnyRef::from_der(part)?.tag() == EXTENSIONS {
                let [list] = children(part)?[..] else { return Err(Tag::Sequence.value_error().into()) };
                let mut extensions = Vec::new();
                for extension in children(list)? {
                    if Extension::from_der(extension)?.extn_id != left_out {
                        extensions.extend_from_slice(extension);
                    }
                }
                let list = sequence(Tag::Sequence, &extensions)?;
                kept.extend(sequence(EXTENSIONS, &list)?);
            } else {
                kept.extend_from_slice(part);
            }
        }
        sequence(Tag::Sequence, &kept)
    }

    fn sequence(tag: Tag, content: &[u8]) -> der::Result<Vec<u8>> {
        AnyRef::new(tag, content)?.to_der()
    }

    /// The elements of what `whole` is, each with its tag and length.
    fn children(whole: &[u8]) -> der::Result<Vec<&[u8]>> {
        let content = AnyRef::from_der(whole)?;
        let mut reader = SliceReader::new(content.value())?;
        let mut children = Vec::new();
        while !reader.is_finished() {
            children.push(reader.tlv_bytes()?);
        }
        Ok(children)
    }
}
