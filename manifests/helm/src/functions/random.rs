//! Random values, from the generator that the rendering is given.

use super::{Call, Function, Returned, Type};
use crate::template::CallError;
use crate::unicode;
use crate::value::Value;

const COUNT: &[Type] = &[Type::INT];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("randAlphaNum", COUNT, alphanumeric, "So many random letters and digits (Sprig)."),
    Function::new("randAlpha", COUNT, alphabetic, "So many random letters (Sprig)."),
    Function::new("randNumeric", COUNT, numeric, "So many random digits (Sprig)."),
    Function::new("randAscii", COUNT, ascii, "So many random printable characters (Sprig)."),
    Function::new("randBytes", COUNT, bytes, "So many random bytes in base64 (Sprig)."),
    Function::new("randInt", &[Type::INT, Type::INT], int, "A random number from one up to another (Sprig)."),
    Function::new("shuffle", &[Type::Text], shuffle, "The characters of a text in random order (Sprig)."),
    Function::new("uuidv4", &[], uuid, "A random UUID (Sprig)."),
];

/// A random number below `limit`, each as likely as the others.
pub(super) fn below(call: &mut Call<'_, '_>, limit: u64) -> u64 {
    // What lies above the last whole multiple of the limit would make small numbers likelier.
    let fair = u64::MAX - u64::MAX % limit;
    loop {
        let mut bytes = [0; 8];
        call.machine().world().fill_random(&mut bytes);
        let number = u64::from_le_bytes(bytes);
        if number < fair {
            return number % limit;
        }
    }
}

fn chosen(call: &mut Call<'_, '_>, from: &[u8]) -> Returned {
    let count = length(call)?;
    let choose = |call: &mut Call<'_, '_>| usize::try_from(below(call, from.len() as u64)).unwrap_or_default();
    let text: Vec<u8> = (0..count).map(|_| from[choose(call)]).collect();
    Ok(text.into())
}

/// The count at index 0; Sprig makes an empty text of a negative one.
fn length(call: &mut Call<'_, '_>) -> Result<usize, CallError> {
    let count = usize::try_from(call.int(0)).unwrap_or_default();
    call.charge(count)?;
    Ok(count)
}

fn alphanumeric(call: &mut Call<'_, '_>) -> Returned {
    chosen(call, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
}

fn alphabetic(call: &mut Call<'_, '_>) -> Returned {
    chosen(call, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
}

fn numeric(call: &mut Call<'_, '_>) -> Returned {
    chosen(call, b"0123456789")
}

fn ascii(call: &mut Call<'_, '_>) -> Returned {
    let printable: Vec<u8> = (b' '..=b'~').collect();
    chosen(call, &printable)
}

fn bytes(call: &mut Call<'_, '_>) -> Returned {
    use base64::Engine;
    let mut bytes = vec![0; length(call)?];
    call.machine().world().fill_random(&mut bytes);
    Ok(base64::engine::general_purpose::STANDARD.encode(bytes).into())
}

fn int(call: &mut Call<'_, '_>) -> Returned {
    let (least, limit) = (call.int(0), call.int(1));
    let Some(span) = limit.checked_sub(least).and_then(|span| u64::try_from(span).ok()).filter(|span| *span > 0) else {
        return Err("invalid argument to Intn".into());
    };
    let offset = i64::try_from(below(call, span)).unwrap_or_default();
    Ok(Value::int(least + offset))
}

fn shuffle(call: &mut Call<'_, '_>) -> Returned {
    let mut chars: Vec<&[u8]> = unicode::chars(call.text(0)).map(|(_, bytes)| bytes).collect();
    for last in (1..chars.len()).rev() {
        let other = usize::try_from(below(call, last as u64 + 1)).unwrap_or_default();
        chars.swap(last, other);
    }
    Ok(chars.concat().into())
}

fn uuid(call: &mut Call<'_, '_>) -> Returned {
    let mut bytes = [0; 16];
    call.machine().world().fill_random(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex::encode(bytes);
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    Ok(parts.join("-").into())
}
