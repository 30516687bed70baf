//! Where a generator's decisions come from.

use fastrand::Rng;

/// A stream of decisions: from a seed, or from bytes that a fuzzer made up.
///
/// A stream of bytes that has run out decides for the first and smallest of everything, so that cutting bytes off makes
/// what is generated simpler.
pub struct Choices(Source);

enum Source {
    Seeded(Rng),
    Given { bytes: Vec<u8>, next: usize },
}

impl Choices {
    /// The same decisions for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Rng::with_seed(seed)))
    }

    /// One decision for each byte.
    pub fn given(bytes: &[u8]) -> Self {
        Self(Source::Given { bytes: bytes.to_vec(), next: 0 })
    }

    /// A number from 0 up to, but without, `limit`; 0 if that is 0. Limits beyond 256 are for seeds.
    pub fn below(&mut self, limit: usize) -> usize {
        match &mut self.0 {
            _ if limit == 0 => 0,
            Source::Seeded(random) => random.usize(..limit),
            Source::Given { bytes, next } => {
                let byte = bytes.get(*next).copied().unwrap_or_default();
                *next += 1;
                usize::from(byte) % limit
            }
        }
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most + 1 - least)
    }

    /// True in `percent` of a hundred decisions.
    pub fn chance(&mut self, percent: usize) -> bool {
        100 - self.below(100) <= percent
    }

    /// One of `from`, which is not empty.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// From `least` to `most` different ones of `from`, in their order.
    pub fn some<T: Copy>(&mut self, from: &[T], least: usize, most: usize) -> Vec<T> {
        let mut left = self.between(least, most.min(from.len()));
        let mut some = Vec::with_capacity(left);
        for (position, item) in from.iter().enumerate() {
            if left > 0 && self.below(from.len() - position) < left {
                some.push(*item);
                left -= 1;
            }
        }
        some
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_run_out_decide_for_the_first() {
        let mut choices = Choices::given(&[7]);
        assert_eq!(choices.below(5), 2);
        assert_eq!(choices.pick(&["a", "b"]), "a");
        assert!(!choices.chance(99));
    }

    #[test]
    fn some_are_different_and_in_order() {
        let mut choices = Choices::seeded(1);
        for _ in 0..50 {
            let some = choices.some(&[1, 2, 3, 4], 1, 3);
            assert!((1..=3).contains(&some.len()), "{some:?}");
            assert!(some.is_sorted_by(|a, b| a < b), "{some:?}");
        }
    }
}
