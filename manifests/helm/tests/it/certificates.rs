//! Keys, certificates and passwords: what is random is checked by its form.

use crate::scene::template;

#[test]
fn a_certificate_of_an_authority_names_its_issuer() {
    let made = template(
        "{{ $ca := genCA \"root\" 10 }}{{ $cert := genSignedCert \"web\" (list \"10.0.0.1\") (list \"web.local\") 5 $ca }}\
         {{ $cert.Cert | b64enc }} {{ $cert.Key | trunc 31 }} {{ $ca.Cert | trunc 27 }}",
    );
    let (certificate, rest) = made.split_once(' ').expect("three parts");
    assert_eq!(rest, "-----BEGIN RSA PRIVATE KEY----- -----BEGIN CERTIFICATE-----");
    let again = template(&format!(
        "{{{{ $ca := genCA \"root\" 10 }}}}{{{{ $c := buildCustomCert \"{certificate}\" ($ca.Key | b64enc) }}}}{{{{ $c.Cert | b64enc }}}}"
    ));
    assert_eq!(again, certificate);
}

#[test]
fn private_keys_are_of_the_kind_that_is_asked_for() {
    let label = |kind: &str| template(&format!("{{{{ genPrivateKey \"{kind}\" | splitList \"\\n\" | first }}}}"));
    assert_eq!(label("ecdsa"), "-----BEGIN EC PRIVATE KEY-----");
    assert_eq!(label("ed25519"), "-----BEGIN PRIVATE KEY-----");
    assert_eq!(label("none"), "Unknown type none");
}

#[test]
fn passwords_are_derived_hashed_and_encrypted() {
    assert_eq!(template("{{ derivePassword 1 \"long\" \"password\" \"user\" \"example.com\" }}"), "ZedaFaxcZaso9*");
    assert_eq!(template("{{ decryptAES \"secret\" (encryptAES \"secret\" \"plain text\") }}"), "plain text");
    let hash = template("{{ htpasswd \"user\" \"password\" }}");
    assert!(hash.starts_with("user:$2a$10$"), "{hash}");
    assert_eq!(hash.len(), "user:".len() + 60);
}
