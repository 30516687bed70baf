//! Work that two threads share.

use std::{panic::resume_unwind, thread};

/// Does `work` on the first and on the second half of `items` at the same time, each with about half of all bytes. Where
/// `items` have fewer than `min_bytes`, one thread does all of it: to start another takes longer than it saves.
pub(crate) fn halved<T: Send, R: Send>(
    mut items: Vec<T>,
    min_bytes: usize,
    bytes_of: impl Fn(&T) -> usize,
    work: impl Fn(Vec<T>) -> R + Sync,
) -> (R, Option<R>) {
    let bytes: usize = items.iter().map(&bytes_of).sum();
    if bytes < min_bytes {
        return (work(items), None);
    }
    let second = items.split_off(first_half(&items, bytes, bytes_of));
    thread::scope(|scope| {
        let other = scope.spawn(|| work(second));
        let own = work(items);
        (own, Some(other.join().unwrap_or_else(|panic| resume_unwind(panic))))
    })
}

/// How many of `items` begin in the first half of their `bytes`.
fn first_half<T>(items: &[T], bytes: usize, bytes_of: impl Fn(&T) -> usize) -> usize {
    let begins = items.iter().scan(0, |end, item| {
        let begin = *end;
        *end += bytes_of(item);
        Some(begin)
    });
    begins.take_while(|begin| begin * 2 < bytes).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(items: &[usize], min_bytes: usize) -> (Vec<usize>, Option<Vec<usize>>) {
        halved(items.to_vec(), min_bytes, |item| *item, |part| part)
    }

    #[test]
    fn items_are_shared_by_their_bytes_and_keep_their_order() {
        assert_eq!(shared(&[5, 1, 1, 1], 1), (vec![5], Some(vec![1, 1, 1])));
        assert_eq!(shared(&[1, 1, 1, 5], 1), (vec![1, 1, 1, 5], Some(vec![])));
        assert_eq!(shared(&[1, 2, 3], 7), (vec![1, 2, 3], None));
        assert_eq!(shared(&[], 1), (vec![], None));
    }
}
