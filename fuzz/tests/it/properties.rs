//! Every property over seeds.

use fairlead_fuzz::PROPERTIES;

const INPUTS: u64 = 200;

#[test]
fn every_property_holds_for_random_bytes() {
    for (name, says, property) in PROPERTIES {
        for seed in 0..INPUTS {
            let mut random = fastrand::Rng::with_seed(seed);
            let bytes: Vec<u8> = (0..random.usize(..800)).map(|_| random.u8(..)).collect();
            let outcome = std::panic::catch_unwind(|| property(&bytes));
            assert!(outcome.is_ok(), "{name}: {says}, but not for seed {seed}");
        }
    }
}
