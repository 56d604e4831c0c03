//! The OpenAPI document: as it stands in the tree, and true to what is answered.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::caller::Ask;
use crate::service::Service;

/// Programs are made from it: look at what changed before you renew it.
#[test]
fn document_in_the_tree_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let service = Service::start();
    let served = service.call().ask(&Ask::new("GET", "/v1/openapi.json"));
    assert_eq!((served.status, served.field("content-type")), (200, Some("application/json")));
    let kept = std::fs::read(&path).unwrap_or_default();
    let hint = "run `cargo run -p api --example document > docs/openapi.json`";
    assert!(kept == served.body, "docs/openapi.json is not what is served; {hint}");
}

#[test]
fn every_operation_is_described_whole() {
    let document: Value = serde_json::from_str(api::document()).expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let at = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().expect("an id").to_owned()), "{at}");
        for key in ["summary", "description"] {
            assert!(operation[key].as_str().is_some_and(|text| text.len() > 5), "{at}: {key}");
        }
        let responses = operation["responses"].as_object().expect("responses");
        let is_good = |status: &String| status.starts_with('2');
        assert!(responses.keys().any(is_good), "{at} never goes well");
        assert!(responses.contains_key("400"), "{at}");
        let is_public = operation["security"].as_array().is_some_and(Vec::is_empty);
        assert_eq!(operation["x-role"] == "nothing", is_public, "{at}");
        assert_eq!(responses.contains_key("401"), !is_public, "{at}");
        if path.contains('{') && !path.starts_with("/v1/zones/{zone}/file") {
            assert!(responses.contains_key("404"), "{at}");
        }
        if let Some(body) = operation.get("requestBody") {
            let content = body["content"].as_object().expect("content");
            let examples = content.values().next().and_then(|one| one["examples"].as_object());
            assert!(examples.is_some_and(|examples| !examples.is_empty()), "{at}: no example");
        }
    }
    // Whatever is referred to is there.
    let text = api::document();
    for part in text.split("\"$ref\": \"#").skip(1) {
        let pointer = part.split('"').next().expect("a pointer");
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

/// All operations of the document: path, method, operation.
pub(crate) fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            all.push((path.clone(), method.to_uppercase(), operation.clone()));
        }
    }
    all
}
