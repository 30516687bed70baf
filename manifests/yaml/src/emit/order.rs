//! The order of keys.
//!
//! # Follows go-yaml
//! Its comparison is not an order: `09` is less than `99`, `99` than `9Z`, and `9Z` than `09`. Sorting must not mind,
//! which the standard library's does not promise.

use std::cmp::Ordering;

/// Whether `keys` are in their order.
pub(super) fn is_sorted<'a>(keys: impl Iterator<Item = &'a String>) -> bool {
    keys.is_sorted_by(|a, b| compare_keys(a, b).is_le())
}

/// Sorts entries by their keys. Equal entries in the same order give the same result, whatever the keys are.
pub(super) fn sort_by_key<'a, V>(entries: &[(&'a String, &'a V)]) -> Vec<(&'a String, &'a V)> {
    if entries.len() < 2 {
        return entries.to_vec();
    }
    let (left, right) = entries.split_at(entries.len() / 2);
    let (left, right) = (sort_by_key(left), sort_by_key(right));
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    let mut merged = Vec::with_capacity(entries.len());
    while let (Some((a, _)), Some((b, _))) = (left.peek(), right.peek()) {
        let next = if compare_keys(a, b).is_le() { left.next() } else { right.next() };
        merged.extend(next);
    }
    merged.extend(left.chain(right));
    merged
}

/// Compares two keys the way go-yaml sorts them: letters after everything else, numbers within a key by their value.
///
/// # Differs from go-yaml
/// Numbers of more than 18 digits compare by their value, not by what is left of it in 64 bits.
fn compare_keys(a: &str, b: &str) -> Ordering {
    if let (Some(first_a), Some(first_b)) = (a.bytes().next(), b.bytes().next())
        && first_a != first_b
        && first_a.is_ascii_alphabetic()
        && first_b.is_ascii_alphabetic()
    {
        return first_a.cmp(&first_b);
    }
    let common = common_prefix(a, b);
    let (rest_a, rest_b) = (&a[common..], &b[common..]);
    let (Some(char_a), Some(char_b)) = (rest_a.chars().next(), rest_b.chars().next()) else {
        return rest_a.len().cmp(&rest_b.len());
    };
    match (char_a.is_alphabetic(), char_b.is_alphabetic()) {
        (true, true) => return char_a.cmp(&char_b),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // A zero in the middle of a number counts as a digit of it, not as a leading zero.
    let within_number = (char_a == '0' || char_b == '0') && ends_with_number(&a[..common]);
    let (number_a, digits_a) = leading_number(rest_a, within_number);
    let (number_b, digits_b) = leading_number(rest_b, within_number);
    number_a.cmp(&number_b).then(digits_a.cmp(&digits_b)).then(char_a.cmp(&char_b))
}

/// Length in bytes of what both start with, whole characters only.
fn common_prefix(a: &str, b: &str) -> usize {
    let mut length = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    while !a.is_char_boundary(length) {
        length -= 1;
    }
    length
}

/// Whether `text` ends with digits of which one is not zero.
fn ends_with_number(text: &str) -> bool {
    text.chars().rev().take_while(char::is_ascii_digit).any(|char| char != '0')
}

/// The number that `text` starts with, preceded by a `1` on demand, and how many digits it has.
fn leading_number(text: &str, after_one: bool) -> (u128, usize) {
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    let start = u128::from(after_one);
    digits.fold((start, 0), |(number, count), digit| {
        (number.saturating_mul(10).saturating_add(u128::from(digit - b'0')), count + 1)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{compare_keys, sort_by_key};

    proptest! {
        #[test]
        fn a_comparison_can_be_turned_round(a in "[0129aZé_.-]{0,5}", b in "[0129aZé_.-]{0,5}") {
            prop_assert_eq!(compare_keys(&a, &b), compare_keys(&b, &a).reverse());
            prop_assert_eq!(compare_keys(&a, &b).is_eq(), a == b);
        }

        #[test]
        fn sorting_keeps_every_entry(keys in prop::collection::vec("[09Z]{0,3}", 0..50)) {
            let mut sorted: Vec<_> = sort_by_key(&keys.iter().map(|key| (key, &())).collect::<Vec<_>>()).into_iter().map(|(key, ())| key).collect();
            sorted.sort();
            let mut expected: Vec<_> = keys.iter().collect();
            expected.sort();
            prop_assert_eq!(sorted, expected);
        }
    }
}
