//! libFuzzer around one property of `fairlead-fuzz`, which the variable `FAIRLEAD_FUZZ` names.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static PROPERTY: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("FAIRLEAD_FUZZ").expect("FAIRLEAD_FUZZ names a property");
    fairlead_fuzz::property(&name).expect("there is a property of that name")
});

fuzz_target!(|bytes: &[u8]| PROPERTY(bytes));
