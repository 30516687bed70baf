//! Every property over seeds, and over what the fuzzer begins with.

use std::fs;

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

#[test]
fn every_property_holds_for_what_is_kept_for_it() {
    let seeds = fairlead_tools::repository().join("fuzz/seeds");
    for folder in fs::read_dir(&seeds).expect("it is there") {
        let folder = folder.expect("listed").path();
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
        let (_, says, property) =
            PROPERTIES.iter().find(|(known, ..)| *known == name).expect("a property of that name");
        for seed in fs::read_dir(&folder).expect("a folder") {
            let seed = seed.expect("listed").path();
            let bytes = fs::read(&seed).expect("a file");
            let outcome = std::panic::catch_unwind(|| property(&bytes));
            assert!(outcome.is_ok(), "{name}: {says}, but not for {}", seed.display());
        }
    }
}
