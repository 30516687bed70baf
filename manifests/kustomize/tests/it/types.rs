//! The table of Kubernetes' types.

#[test]
fn it_is_what_kustomize_knows() {
    let known = match fairlead_tools::kubernetes_types() {
        Ok(known) => known,
        Err(error) => {
            println!("skipped: {error}");
            return;
        }
    };
    let checked_in = include_str!("../../src/schema/table.rs");
    assert!(checked_in == known, "src/schema/table.rs is stale: run `cargo xtask generate`");
}
