//! Passwords and encryption.

use aes::Aes256;
use aes::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use blowfish::Blowfish;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::encoding::decode_base64;
use super::{Call, Function, Returned, Type};
use crate::value::UintType;

const TWO: &[Type] = &[Type::Text, Type::Text];
const DERIVE: &[Type] = &[Type::Uint(UintType::Uint32), Type::Text, Type::Text, Type::Text, Type::Text];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("bcrypt", &[Type::Text], bcrypt, "The bcrypt hash of a password (Sprig)."),
    Function::new("htpasswd", TWO, htpasswd, "A user with the bcrypt hash of a password (Sprig)."),
    Function::new("derivePassword", DERIVE, derive, "The password of a site, from a master password (Sprig)."),
    Function::new("encryptAES", TWO, encrypt, "A text encrypted with a password, in base64 (Sprig)."),
    Function::new("decryptAES", TWO, decrypt, "The text that was encrypted with a password (Sprig)."),
];

const BLOCK_BYTES: usize = 16;

fn bcrypt(call: &mut Call<'_, '_>) -> Returned {
    let password = call.text(0);
    Ok(hashed(call, password).into())
}

fn htpasswd(call: &mut Call<'_, '_>) -> Returned {
    let (user, password) = (call.text(0).to_str(), call.text(1));
    if user.contains(':') {
        return Ok(format!("invalid username: {user}").into());
    }
    let hash = hashed(call, password);
    Ok(format!("{user}:{hash}").into())
}

/// The hash of a password as `$2a$10$…`, or what Sprig says instead.
fn hashed(call: &mut Call<'_, '_>, password: &[u8]) -> String {
    const MAX_BYTES: usize = 72;
    const COST: u32 = 10;
    if password.len() > MAX_BYTES {
        return "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".to_owned();
    }
    let mut salt = [0; 16];
    call.machine().world().fill_random(&mut salt);
    let key = [password, &[0]].concat();
    let key = &key[..key.len().min(MAX_BYTES)];
    let mut state = Blowfish::bc_init_state();
    state.salted_expand_key(&salt, key);
    for _ in 0..1_u32 << COST {
        state.bc_expand_key(key);
        state.bc_expand_key(&salt);
    }
    let mut hash = Vec::with_capacity(24);
    for pair in [[0x4f72_7068, 0x6561_6e42], [0x6568_6f6c, 0x6465_7253], [0x6372_7944, 0x6f75_6274]] {
        let sealed = (0..64).fold(pair, |words, _| state.bc_encrypt(words));
        for word in sealed {
            hash.extend_from_slice(&word.to_be_bytes());
        }
    }
    format!("$2a${COST}${}{}", bcrypt_base64(&salt), bcrypt_base64(&hash[..23]))
}

/// Base64 with bcrypt's alphabet and without padding.
fn bcrypt_base64(bytes: &[u8]) -> String {
    const STANDARD_ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const ALPHABET: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let encoded = STANDARD.encode(bytes);
    let digits = encoded.chars().filter_map(|char| STANDARD_ALPHABET.find(char));
    digits.map(|digit| char::from(ALPHABET[digit])).collect()
}

const PASSWORD_TEMPLATES: &[(&str, &[&str])] = &[
    ("maximum", &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"]),
    (
        "long",
        &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
    ),
    ("medium", &["CvcnoCvc", "CvcCvcno"]),
    ("short", &["Cvcn"]),
    ("basic", &["aaanaaan", "aannaaan", "aaannaaa"]),
    ("pin", &["nnnn"]),
];

/// The characters that a letter of a template stands for.
fn template_characters(letter: u8) -> &'static [u8] {
    match letter {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// # Follows Master Password
/// Version 3 of its algorithm, for passwords.
fn derive(call: &mut Call<'_, '_>) -> Returned {
    const SCOPE: &[u8] = b"com.lyndir.masterpassword";
    let counter = if let crate::value::Value::Uint(counter, _) = call.any(0) { *counter } else { 0 };
    let (name, password, user, site) = (call.text(1), call.text(2), call.text(3), call.text(4));
    let Some((_, templates)) = PASSWORD_TEMPLATES.iter().find(|(known, _)| known.as_bytes() == &**name) else {
        return Ok(format!("cannot find password template {name}").into());
    };
    let length = |text: &[u8]| u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
    let salt = [SCOPE, &length(user), user].concat();
    let parameters = scrypt::Params::new(15, 8, 2).expect("fixed parameters are valid");
    let mut key = [0; 64];
    scrypt::scrypt(password, &salt, &parameters, &mut key).expect("the length of the key is allowed");
    let counter = u32::try_from(counter).unwrap_or(u32::MAX).to_be_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length will do");
    mac.update(&[SCOPE, &length(site), site, &counter].concat());
    let seed = mac.finalize().into_bytes();
    let template = templates[usize::from(seed[0]) % templates.len()];
    let derived: Vec<u8> = template
        .bytes()
        .zip(&seed[1..])
        .map(|(letter, seed)| {
            let characters = template_characters(letter);
            characters[usize::from(*seed) % characters.len()]
        })
        .collect();
    Ok(derived.into())
}

/// The cipher of a password, which is cut or filled up with zeros.
fn cipher(password: &[u8]) -> Aes256 {
    let mut key = [0; 32];
    let used = password.len().min(key.len());
    key[..used].copy_from_slice(&password[..used]);
    Aes256::new(&key.into())
}

fn xor(block: &mut [u8], other: &[u8]) {
    block.iter_mut().zip(other).for_each(|(byte, other)| *byte ^= other);
}

fn encrypt(call: &mut Call<'_, '_>) -> Returned {
    let text = call.text(1);
    if text.is_empty() {
        return Ok("".into());
    }
    let cipher = cipher(call.text(0));
    let padding = BLOCK_BYTES - text.len() % BLOCK_BYTES;
    let mut padded = text.to_vec();
    padded.resize(text.len() + padding, u8::try_from(padding).unwrap_or_default());
    let mut sealed = vec![0; BLOCK_BYTES];
    call.machine().world().fill_random(&mut sealed);
    for chunk in padded.chunks_exact(BLOCK_BYTES) {
        let mut block = Block::<Aes256>::default();
        block.copy_from_slice(chunk);
        xor(&mut block, &sealed[sealed.len() - BLOCK_BYTES..]);
        cipher.encrypt_block(&mut block);
        sealed.extend_from_slice(&block);
    }
    Ok(STANDARD.encode(sealed).into())
}

fn decrypt(call: &mut Call<'_, '_>) -> Returned {
    if call.text(1).is_empty() {
        return Ok("".into());
    }
    let sealed = decode_base64(call.text(1))?;
    if sealed.len() < BLOCK_BYTES {
        let length = sealed.len();
        return Err(format!("runtime error: slice bounds out of range [:16] with capacity {length}").into());
    }
    if sealed.len() % BLOCK_BYTES != 0 {
        return Err("crypto/cipher: input not full blocks".into());
    }
    let cipher = cipher(call.text(0));
    let mut text = Vec::with_capacity(sealed.len());
    for (before, chunk) in sealed.chunks_exact(BLOCK_BYTES).zip(sealed[BLOCK_BYTES..].chunks_exact(BLOCK_BYTES)) {
        let mut block = Block::<Aes256>::default();
        block.copy_from_slice(chunk);
        cipher.decrypt_block(&mut block);
        xor(&mut block, before);
        text.extend_from_slice(&block);
    }
    let padding = usize::from(text.last().copied().unwrap_or_default());
    let Some(length) = text.len().checked_sub(padding) else {
        let excess = padding - text.len();
        return Err(format!("runtime error: slice bounds out of range [:-{excess}]").into());
    };
    text.truncate(length);
    Ok(text.into())
}
