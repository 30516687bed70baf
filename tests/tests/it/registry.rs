//! The registry is there for who pushes images.

use fairlead_tests::{Registry, web};

#[tokio::test]
async fn an_empty_registry_answers_its_protocol() {
    let registry = Registry::start().await;
    assert_eq!(web::get(&format!("{}/v2/", registry.url())).await, (200, "{}".to_owned()));
    let (status, catalog) = web::get(&format!("{}/v2/_catalog", registry.url())).await;
    assert_eq!((status, catalog.trim()), (200, r#"{"repositories":[]}"#));
}
