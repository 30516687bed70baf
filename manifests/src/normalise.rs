//! Objects in the form in which they are sent to an API server.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fairlead_object::Manifest;
use serde_json::{Map, Value};

/// Brings an object into the form in which it is sent to an API server; [`build`](crate::build) leaves it as it was
/// written.
///
/// `stringData` of a Secret is folded into `data`, `metadata.creationTimestamp` and, except on a
/// `CustomResourceDefinition`, `status` are taken out. A `caBundle` for conversion that holds no certificate is taken
/// out too: it is a placeholder that an API server refuses.
///
/// # Differs from Flux
/// Flux also reads every object of a native kind into its Go type and back, which drops misspelt fields without a word.
/// Here they are sent, and the API server's error about them is reported.
pub fn normalise(manifest: &mut Manifest) {
    let (group, kind) = (manifest.id().group.clone(), manifest.id().kind.clone());
    let is_definition = group == "apiextensions.k8s.io" && kind == "CustomResourceDefinition";
    manifest.edit(|body| {
        if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("creationTimestamp");
        }
        if is_definition {
            remove_placeholder_bundle(body);
        } else {
            body.remove("status");
        }
        if group.is_empty() && kind == "Secret" {
            fold_string_data(body);
        }
    });
}

/// Moves `stringData` into `data`, over entries of the same keys. What is no map of texts is left for the API server
/// to refuse.
fn fold_string_data(secret: &mut Map<String, Value>) {
    let Some(texts) = secret.get("stringData").and_then(text_entries) else { return };
    let data = secret.entry("data").or_insert(Value::Null);
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    let Some(data) = data.as_object_mut() else { return };
    data.extend(texts.into_iter().map(|(key, text)| (key, Value::from(STANDARD.encode(text)))));
    secret.remove("stringData");
}

/// The entries of a map whose values are all texts.
fn text_entries(value: &Value) -> Option<Vec<(String, String)>> {
    let entries = value.as_object()?.iter();
    entries.map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn remove_placeholder_bundle(definition: &mut Map<String, Value>) {
    let webhook = definition.get_mut("spec").and_then(|spec| spec.get_mut("conversion")?.get_mut("webhook"));
    let config = webhook.and_then(|webhook| webhook.get_mut("clientConfig")?.as_object_mut());
    let Some(config) = config else { return };
    if config.get("caBundle").is_some_and(|bundle| !holds_certificate(bundle)) {
        config.remove("caBundle");
    }
}

fn holds_certificate(bundle: &Value) -> bool {
    let decoded = bundle.as_str().and_then(|text| STANDARD.decode(text).ok());
    decoded.is_some_and(|pem| String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----"))
}

#[cfg(test)]
mod tests {
    use fairlead_object::Origin;
    use serde_json::json;

    use super::*;

    fn normalised(api_version: &str, kind: &str, rest: Value) -> Value {
        let mut body = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}});
        let Value::Object(rest) = rest else { panic!("fields") };
        body.as_object_mut().expect("an object").extend(rest);
        let mut manifest = Manifest::new(body, Origin::default()).expect("an object");
        normalise(&mut manifest);
        let mut body = manifest.into_body();
        body.retain(|field, _| !matches!(field.as_str(), "apiVersion" | "kind"));
        Value::Object(body)
    }

    #[test]
    fn texts_of_a_secret_are_folded_into_its_data() {
        let secret = |fields: Value| {
            let mut body = normalised("v1", "Secret", fields);
            body.as_object_mut().expect("an object").remove("metadata");
            body
        };
        let rows = [
            (json!({"stringData": {"a": "x"}}), json!({"data": {"a": "eA=="}})),
            (
                json!({"data": {"a": "eQ==", "b": "eg=="}, "stringData": {"a": "x"}}),
                json!({"data": {"a": "eA==", "b": "eg=="}}),
            ),
            (json!({"data": null, "stringData": {"a": ""}}), json!({"data": {"a": ""}})),
            (json!({"stringData": {"a": 1}}), json!({"stringData": {"a": 1}})),
            (json!({"data": {"a": "eA=="}}), json!({"data": {"a": "eA=="}})),
        ];
        for (written, expected) in rows {
            assert_eq!(secret(written.clone()), expected, "{written}");
        }
        let other = json!({"stringData": {"a": "x"}, "metadata": {"name": "x"}});
        assert_eq!(normalised("example.com/v1", "Secret", other.clone()), other);
    }

    #[test]
    fn what_only_a_server_says_is_taken_out() {
        let written = json!({"metadata": {"name": "x", "creationTimestamp": null}, "spec": {"a": null}, "status": {}});
        let expected = json!({"metadata": {"name": "x"}, "spec": {"a": null}});
        assert_eq!(normalised("apps/v1", "Deployment", written), expected);
    }

    #[test]
    fn a_definition_keeps_its_status_and_loses_a_placeholder_for_a_certificate() {
        let definition = |bundle: &str| {
            let webhook = json!({"clientConfig": {"caBundle": bundle}});
            let fields = json!({"spec": {"conversion": {"webhook": webhook}}, "status": {"storedVersions": ["v1"]}});
            normalised("apiextensions.k8s.io/v1", "CustomResourceDefinition", fields)
        };
        let certificate = STANDARD.encode("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n");
        let bundle =
            |definition: &Value| definition["spec"]["conversion"]["webhook"]["clientConfig"]["caBundle"].clone();
        assert_eq!(bundle(&definition("Cg==")), Value::Null);
        assert_eq!(bundle(&definition("not base64")), Value::Null);
        assert_eq!(bundle(&definition(&certificate)), json!(certificate));
        assert_eq!(definition("Cg==")["status"], json!({"storedVersions": ["v1"]}));
    }
}
