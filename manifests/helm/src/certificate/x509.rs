//! Certificates.

use std::net::IpAddr;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{PrivateKey, WorldRng, der, pem};

/// What a certificate is to say.
pub(crate) struct Request<'r> {
    /// Whom it names.
    pub(crate) common_name: &'r str,
    /// The addresses that it is valid for.
    pub(crate) addresses: Vec<IpAddr>,
    /// The names that it is valid for.
    pub(crate) names: Vec<String>,
    /// How long it is valid, from now on.
    pub(crate) days: i64,
    /// The time.
    pub(crate) now: Timestamp,
}

/// Who signs a certificate.
pub(crate) enum Issuer<'i> {
    /// It signs itself and is no authority.
    Itself,
    /// It signs itself and others.
    Authority,
    /// An authority, by its certificate and key.
    Other {
        /// The certificate as PEM.
        certificate: &'i str,
        /// The key.
        key: PrivateKey,
    },
}

/// `sha256WithRSAEncryption`
const SIGNATURE_ALGORITHM: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00];

/// The certificate of `key` as PEM; an error in Sprig's words.
pub(crate) fn issue(
    request: &Request<'_>,
    key: &PrivateKey,
    issuer: &Issuer<'_>,
    rng: &mut WorldRng<'_>,
) -> Result<String, String> {
    let subject = name(request.common_name);
    let own_id = key_id(key);
    let (issuer_name, authority_id, signer) = match issuer {
        Issuer::Itself | Issuer::Authority => (subject.clone(), None, key),
        Issuer::Other { certificate, key } => (subject_of(certificate)?, Some(key_id(key)), key),
    };
    let mut serial = [0; 16];
    rng.0.fill_random(&mut serial);
    let end = request.now.checked_add(SignedDuration::from_hours(24 * request.days));
    let end = end.map_err(|_| "error creating certificate: it ends too late".to_owned())?;
    let extensions = extensions(request, issuer, &own_id, authority_id.as_deref());
    let content = der::sequence(&[
        &der::value(0xa0, &der::integer(&[2])),
        &der::integer(&serial),
        SIGNATURE_ALGORITHM,
        &issuer_name,
        &der::sequence(&[&time(request.now), &time(end)]),
        &subject,
        &key.public(),
        &der::value(0xa3, &extensions),
    ]);
    let signature = signer.sign(&content).map_err(|problem| format!("error creating certificate: {problem}"))?;
    let certificate = der::sequence(&[&content, SIGNATURE_ALGORITHM, &der::bit_string(&signature)]);
    Ok(pem::encode("CERTIFICATE", &certificate))
}

/// Refuses what is no certificate, in Sprig's words.
pub(crate) fn check_certificate(text: &str) -> Result<(), String> {
    subject_of(text).map(|_| ())
}

/// The encoded name of whom a certificate is for.
fn subject_of(certificate: &str) -> Result<Vec<u8>, String> {
    let (_, content) = pem::decode(certificate).ok_or("unable to decode certificate")?;
    let subject = || {
        let (_, certificate, _) = der::read(&content)?;
        let (_, mut rest, _) = der::read(certificate)?;
        if rest.first() == Some(&0xa0) {
            rest = der::read(rest)?.2;
        }
        // Serial number, algorithm, issuer and validity stand before it.
        for _ in 0..4 {
            rest = der::read(rest)?.2;
        }
        let (tag, subject, _) = der::read(rest)?;
        (tag == der::SEQUENCE).then(|| der::value(tag, subject))
    };
    subject().ok_or_else(|| "error parsing certificate: decodedCert.Bytes: x509: malformed certificate".to_owned())
}

fn name(common_name: &str) -> Vec<u8> {
    const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
    if common_name.is_empty() {
        return der::sequence(&[]);
    }
    let attribute = der::sequence(&[
        &der::value(der::OBJECT_ID, COMMON_NAME),
        &der::value(der::UTF8_STRING, common_name.as_bytes()),
    ]);
    der::sequence(&[&der::value(der::SET, &attribute)])
}

/// A time, with four digits of the year from 2050 on.
fn time(at: Timestamp) -> Vec<u8> {
    let zoned = at.to_zoned(TimeZone::UTC);
    if (1950..2050).contains(&zoned.year()) {
        return der::value(der::UTC_TIME, zoned.strftime("%y%m%d%H%M%SZ").to_string().as_bytes());
    }
    der::value(der::GENERALIZED_TIME, zoned.strftime("%Y%m%d%H%M%SZ").to_string().as_bytes())
}

fn key_id(key: &PrivateKey) -> Vec<u8> {
    Sha256::digest(key.public_numbers())[..20].to_vec()
}

/// Whether whoever does not understand an extension must refuse the certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Critical {
    Yes,
    No,
}

fn extension(id: u8, critical: Critical, content: &[u8]) -> Vec<u8> {
    const TRUE: &[u8] = &[0x01, 0x01, 0xff];
    let critical: &[u8] = if critical == Critical::Yes { TRUE } else { &[] };
    der::sequence(&[&der::value(der::OBJECT_ID, &[0x55, 0x1d, id]), critical, &der::value(der::OCTET_STRING, content)])
}

fn extensions(request: &Request<'_>, issuer: &Issuer<'_>, own_id: &[u8], authority_id: Option<&[u8]>) -> Vec<u8> {
    const SERVER: &[u8] = &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
    const CLIENT: &[u8] = &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
    let is_authority = matches!(issuer, Issuer::Authority);
    // Digital signature and key encipherment, for an authority also the signing of certificates.
    let (unused, bits) = if is_authority { (2, 0xa4) } else { (5, 0xa0) };
    let authority: &[u8] = if is_authority { &[0x01, 0x01, 0xff] } else { &[] };
    let mut all = vec![
        extension(0x0f, Critical::Yes, &der::value(der::BIT_STRING, &[unused, bits])),
        extension(0x25, Critical::No, &der::sequence(&[SERVER, CLIENT])),
        extension(0x13, Critical::Yes, &der::sequence(&[authority])),
    ];
    if is_authority {
        all.push(extension(0x0e, Critical::No, &der::value(der::OCTET_STRING, own_id)));
    }
    if let Some(id) = authority_id {
        all.push(extension(0x23, Critical::No, &der::sequence(&[&der::value(0x80, id)])));
    }
    let mut names: Vec<Vec<u8>> = request.names.iter().map(|name| der::value(0x82, name.as_bytes())).collect();
    names.extend(request.addresses.iter().map(|address| match address {
        IpAddr::V4(address) => der::value(0x87, &address.octets()),
        IpAddr::V6(address) => der::value(0x87, &address.octets()),
    }));
    if !names.is_empty() {
        all.push(extension(0x11, Critical::No, &der::value(der::SEQUENCE, &names.concat())));
    }
    der::value(der::SEQUENCE, &all.concat())
}
