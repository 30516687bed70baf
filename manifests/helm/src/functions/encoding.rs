//! Base64, base32 and checksums.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest;

use super::{Call, Function, Returned, Type};

const TEXT: &[Type] = &[Type::Text];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("b64enc", TEXT, b64enc, "A text in base64 (Sprig)."),
    Function::new("b64dec", TEXT, b64dec, "The text that base64 stands for, or what is wrong with it (Sprig)."),
    Function::new("b32enc", TEXT, b32enc, "A text in base32 (Sprig)."),
    Function::new("b32dec", TEXT, b32dec, "The text that base32 stands for, or what is wrong with it (Sprig)."),
    Function::new("sha1sum", TEXT, sha1sum, "The SHA-1 of a text in hexadecimal (Sprig)."),
    Function::new("sha256sum", TEXT, sha256sum, "The SHA-256 of a text in hexadecimal (Sprig)."),
    Function::new("sha512sum", TEXT, sha512sum, "The SHA-512 of a text in hexadecimal (Sprig)."),
    Function::new("adler32sum", TEXT, adler32sum, "The Adler-32 of a text in decimal (Sprig)."),
];

fn b64enc(call: &mut Call<'_, '_>) -> Returned {
    Ok(STANDARD.encode(&**call.text(0)).into())
}

fn b64dec(call: &mut Call<'_, '_>) -> Returned {
    Ok(decode_base64(call.text(0)).map_or_else(Into::into, Into::into))
}

/// Decodes standard base64 as Go does: line breaks are ignored, padding is demanded; an error names the first bad byte.
pub(super) fn decode_base64(text: &[u8]) -> Result<Vec<u8>, String> {
    let corrupt = |at: usize| format!("illegal base64 data at input byte {at}");
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut symbols = text.iter().enumerate().filter(|(_, byte)| !matches!(byte, b'\n' | b'\r')).peekable();
    while symbols.peek().is_some() {
        let (mut group, mut count, mut padding) = (0_u32, 0, 0);
        while count + padding < 4 {
            let Some((at, byte)) = symbols.next() else {
                return Err(corrupt(text.len() - count - padding));
            };
            match symbol(*byte) {
                Some(digit) if padding == 0 => {
                    group = group << 6 | digit;
                    count += 1;
                }
                None if *byte == b'=' && count >= 2 => padding += 1,
                Some(_) | None => return Err(corrupt(at)),
            }
        }
        group <<= 6 * padding;
        bytes.extend_from_slice(&group.to_be_bytes()[1..4 - padding]);
        if padding > 0
            && let Some((at, _)) = symbols.next()
        {
            return Err(corrupt(at));
        }
    }
    Ok(bytes)
}

fn symbol(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn b32enc(call: &mut Call<'_, '_>) -> Returned {
    let mut encoded = Vec::new();
    for chunk in call.text(0).chunks(5) {
        let mut group = [0; 8];
        group[3..3 + chunk.len()].copy_from_slice(chunk);
        let group = u64::from_be_bytes(group);
        let symbols = (chunk.len() * 8).div_ceil(5);
        for at in 0..8 {
            let digit = usize::try_from(group >> (35 - 5 * at) & 31).unwrap_or_default();
            encoded.push(if at < symbols { BASE32[digit] } else { b'=' });
        }
    }
    Ok(encoded.into())
}

fn b32dec(call: &mut Call<'_, '_>) -> Returned {
    Ok(decode_base32(call.text(0)).map_or_else(Into::into, Into::into))
}

fn decode_base32(text: &[u8]) -> Result<Vec<u8>, String> {
    let corrupt = |at: usize| format!("illegal base32 data at input byte {at}");
    let symbols: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let content = symbols.iter().position(|byte| *byte == b'=').unwrap_or(symbols.len());
    if let Some(at) = symbols[..content].iter().position(|byte| !BASE32.contains(byte)) {
        return Err(corrupt(at));
    }
    let is_padded = symbols.len().is_multiple_of(8) && symbols[content..].iter().all(|byte| *byte == b'=');
    if !is_padded || matches!(content % 8, 1 | 3 | 6) {
        return Err(corrupt(if symbols.len().is_multiple_of(8) { content } else { symbols.len() }));
    }
    let mut bytes = Vec::new();
    for chunk in symbols[..content].chunks(8) {
        let digits =
            chunk.iter().map(|byte| BASE32.iter().position(|symbol| symbol == byte).unwrap_or_default() as u64);
        let group = digits.fold(0_u64, |group, digit| group << 5 | digit) << (5 * (8 - chunk.len()));
        bytes.extend_from_slice(&group.to_be_bytes()[3..3 + chunk.len() * 5 / 8]);
    }
    Ok(bytes)
}

fn sha1sum(call: &mut Call<'_, '_>) -> Returned {
    Ok(hex::encode(sha1::Sha1::digest(&**call.text(0))).into())
}

fn sha256sum(call: &mut Call<'_, '_>) -> Returned {
    Ok(hex::encode(sha2::Sha256::digest(&**call.text(0))).into())
}

fn sha512sum(call: &mut Call<'_, '_>) -> Returned {
    Ok(hex::encode(sha2::Sha512::digest(&**call.text(0))).into())
}

fn adler32sum(call: &mut Call<'_, '_>) -> Returned {
    const MODULUS: u32 = 65_521;
    let (a, b) = call.text(0).iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % MODULUS;
        (a, (b + a) % MODULUS)
    });
    Ok((b << 16 | a).to_string().into())
}
