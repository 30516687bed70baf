//! Private keys and certificates.

use std::{any::Any, rc::Rc};

use super::encoding::decode_base64;
use super::{Call, Function, Returned, Type};
use crate::certificate::{Issuer, PrivateKey, Request, WorldRng, check_certificate, generate, issue};
use crate::template::CallError;
use crate::value::{Object, Value};

const NAME: &str = "sprig.certificate";
const TEXT: &[Type] = &[Type::Text];
const TWO: &[Type] = &[Type::Text, Type::Text];
const AUTHORITY: &[Type] = &[Type::Text, Type::INT];
const AUTHORITY_KEY: &[Type] = &[Type::Text, Type::INT, Type::Text];
const SELF: &[Type] = &[Type::Text, Type::List, Type::List, Type::INT];
const SELF_KEY: &[Type] = &[Type::Text, Type::List, Type::List, Type::INT, Type::Text];
const SIGNED: &[Type] = &[Type::Text, Type::List, Type::List, Type::INT, Type::Object(NAME)];
const SIGNED_KEY: &[Type] = &[Type::Text, Type::List, Type::List, Type::INT, Type::Object(NAME), Type::Text];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("genPrivateKey", TEXT, gen_private_key, "A new private key of a kind (Sprig)."),
    Function::new("buildCustomCert", TWO, build_custom, "A certificate and its key from base64 (Sprig)."),
    Function::new("genCA", AUTHORITY, gen_authority, "A new authority (Sprig)."),
    Function::new("genCAWithKey", AUTHORITY_KEY, gen_authority_with_key, "A new authority with a key (Sprig)."),
    Function::new("genSelfSignedCert", SELF, gen_self_signed, "A new certificate that signs itself (Sprig)."),
    Function::new("genSelfSignedCertWithKey", SELF_KEY, gen_self_signed_with_key, "The same with a key (Sprig)."),
    Function::new("genSignedCert", SIGNED, gen_signed, "A new certificate of an authority (Sprig)."),
    Function::new("genSignedCertWithKey", SIGNED_KEY, gen_signed_with_key, "The same with a key (Sprig)."),
];

/// Size of the keys of certificates.
const KEY_BITS: usize = 2048;

/// A certificate and its key, both as PEM.
#[derive(Clone)]
struct Certificate {
    certificate: String,
    key: String,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(NAME)
    }
}

impl Object for Certificate {
    fn type_name(&self) -> &'static str {
        NAME
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(self.certificate.as_str().into()),
            "Key" => Some(self.key.as_str().into()),
            _ => None,
        }
    }

    fn text(&self) -> String {
        format!("{{{} {}}}", self.certificate, self.key)
    }

    fn written_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        Some(vec![("Cert", self.certificate.as_str().into()), ("Key", self.key.as_str().into())])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn gen_private_key(call: &mut Call<'_, '_>) -> Returned {
    let kind = call.text(0).to_str();
    Ok(generate(&kind, &mut WorldRng(call.machine().world())).into())
}

fn build_custom(call: &mut Call<'_, '_>) -> Returned {
    let decode = |index: usize, what: &str| {
        let bytes = decode_base64(call.text(index)).map_err(|_| format!("unable to decode base64 {what}"))?;
        Ok::<_, CallError>(String::from_utf8_lossy(&bytes).into_owned())
    };
    let (certificate, key) = (decode(0, "certificate")?, decode(1, "private key")?);
    check_certificate(&certificate)?;
    PrivateKey::parse(&key).map_err(|problem| format!("error parsing private key: {problem}"))?;
    Ok(Value::Object(Rc::new(Certificate { certificate, key })))
}

fn gen_authority(call: &mut Call<'_, '_>) -> Returned {
    let key = new_key(call)?;
    made(call, request(call, call.int(1))?, &key, &Issuer::Authority)
}

fn gen_authority_with_key(call: &mut Call<'_, '_>) -> Returned {
    let key = given_key(call, 2)?;
    made(call, request(call, call.int(1))?, &key, &Issuer::Authority)
}

fn gen_self_signed(call: &mut Call<'_, '_>) -> Returned {
    let key = new_key(call)?;
    made(call, request_for_hosts(call)?, &key, &Issuer::Itself)
}

fn gen_self_signed_with_key(call: &mut Call<'_, '_>) -> Returned {
    let key = given_key(call, 4)?;
    made(call, request_for_hosts(call)?, &key, &Issuer::Itself)
}

fn gen_signed(call: &mut Call<'_, '_>) -> Returned {
    let key = new_key(call)?;
    signed(call, &key)
}

fn gen_signed_with_key(call: &mut Call<'_, '_>) -> Returned {
    let key = given_key(call, 5)?;
    signed(call, &key)
}

fn signed(call: &mut Call<'_, '_>, key: &PrivateKey) -> Returned {
    let authority = authority(call.any(4));
    let signer =
        PrivateKey::parse(&authority.key).map_err(|problem| format!("error parsing private key: {problem}"))?;
    let issuer = Issuer::Other { certificate: &authority.certificate, key: signer };
    made(call, request_for_hosts(call)?, key, &issuer)
}

fn authority(value: &Value) -> Certificate {
    let found = if let Value::Object(object) = value { object.as_any().downcast_ref::<Certificate>() } else { None };
    found.cloned().unwrap_or_else(|| unreachable!("the row asks for a certificate"))
}

fn new_key(call: &mut Call<'_, '_>) -> Result<PrivateKey, CallError> {
    let key = PrivateKey::generate(KEY_BITS, &mut WorldRng(call.machine().world()));
    key.map_err(|problem| format!("error generating rsa key: {problem}").into())
}

fn given_key(call: &Call<'_, '_>, index: usize) -> Result<PrivateKey, CallError> {
    PrivateKey::parse(&call.text(index).to_str()).map_err(|problem| format!("parsing private key: {problem}").into())
}

/// What a certificate is to say, as far as every function is told.
struct Asked {
    common_name: String,
    addresses: Vec<std::net::IpAddr>,
    names: Vec<String>,
    days: i64,
}

fn request(call: &Call<'_, '_>, days: i64) -> Result<Asked, CallError> {
    Ok(Asked { common_name: call.text(0).to_string(), addresses: Vec::new(), names: Vec::new(), days })
}

fn request_for_hosts(call: &Call<'_, '_>) -> Result<Asked, CallError> {
    let mut asked = request(call, call.int(3))?;
    for address in call.list(1).iter() {
        let Value::Text(text) = address else {
            let shown = crate::fmt::display(address);
            return Err(format!("error parsing ip: {shown} is not a string").into());
        };
        let parsed = text.to_str().parse().map_err(|_| format!("error parsing ip: {text}"))?;
        asked.addresses.push(parsed);
    }
    for name in call.list(2).iter() {
        let Value::Text(text) = name else {
            let shown = crate::fmt::display(name);
            return Err(format!("error processing alternate dns name: {shown} is not a string").into());
        };
        asked.names.push(text.to_string());
    }
    Ok(asked)
}

fn made(call: &mut Call<'_, '_>, asked: Asked, key: &PrivateKey, issuer: &Issuer<'_>) -> Returned {
    let world = call.machine().world();
    let Asked { common_name, addresses, names, days } = asked;
    let request = Request { common_name: &common_name, addresses, names, days, now: world.now().timestamp() };
    let certificate = issue(&request, key, issuer, &mut WorldRng(world))?;
    Ok(Value::Object(Rc::new(Certificate { certificate, key: key.to_pem() })))
}
