//! The OpenAPI document, made from the table of operations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};

use crate::answer::PROBLEM_JSON;
use crate::endpoint::{Conditions, Endpoint, Given, Named, Needs, Shape};
use crate::page::LIMIT_MAX;
use crate::problem::{Kind, Problem, Told};
use crate::resources;

/// The document, as JSON.
pub fn document() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let mut text = serde_json::to_string_pretty(&value()).unwrap_or_default();
        text.push('\n');
        text
    });
    &TEXT
}

fn value() -> Value {
    let endpoints = resources::endpoints();
    let mut schemas = Schemas::default();
    schemas.take(&Named::of::<Told>());
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for endpoint in &endpoints {
        let method = endpoint.method.as_str().to_ascii_lowercase();
        let operation = operation(endpoint, &mut schemas);
        paths.entry(endpoint.path).or_default().insert(method, operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "byname",
            "description": ABOUT,
            "version": "1",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas.all,
            "responses": problems(),
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "byn_",
                    "description": "A token, as it was shown once.",
                },
                "basic": {
                    "type": "http", "scheme": "basic",
                    "description": "The same token as the password, with any user name.",
                },
            },
        },
    })
}

/// Schemas by name.
#[derive(Default)]
struct Schemas {
    all: BTreeMap<String, Value>,
}

impl Schemas {
    fn take(&mut self, named: &Named) {
        let mut found: Vec<(String, RefOr<Schema>)> = Vec::new();
        (named.collect)(&mut found);
        for (name, schema) in found {
            let value = serde_json::to_value(&schema).unwrap_or_default();
            self.all.entry(name).or_insert(value);
        }
    }

    fn of(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::Of(named) => {
                self.take(named);
                reference(&named.name)
            }
            Shape::PageOf(named) => {
                self.take(named);
                json!({
                    "type": "object",
                    "required": ["items", "next"],
                    "properties": {
                        "items": {
                            "type": "array", "maxItems": LIMIT_MAX,
                            "items": reference(&named.name),
                        },
                        "next": {
                            "type": ["string", "null"],
                            "description": "`cursor` of the next page; null on the last one.",
                        },
                    },
                })
            }
            Shape::Text => json!({ "type": "string" }),
            Shape::Object => json!({ "type": "object" }),
        }
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn operation(endpoint: &Endpoint, schemas: &mut Schemas) -> Value {
    let tag = endpoint.path.split('/').nth(2).unwrap_or_default();
    let mut operation = json!({
        "operationId": endpoint.id,
        "tags": [tag],
        "summary": endpoint.summary,
        "description": endpoint.description,
        "x-role": endpoint.needs.word(),
        "parameters": parameters(endpoint),
        "responses": responses(endpoint, schemas),
        "security": [],
    });
    if endpoint.needs != Needs::Nothing {
        operation["security"] = json!([{ "bearer": [] }, { "basic": [] }]);
    }
    if let Some(taken) = &endpoint.takes {
        let examples = taken.examples.iter();
        let examples: Map<String, Value> =
            examples.map(|(name, value)| ((*name).to_owned(), json!({ "value": value }))).collect();
        let schema = schemas.of(&taken.shape);
        operation["requestBody"] = json!({
            "required": true,
            "content": { taken.media_type: { "schema": schema, "examples": examples } },
        });
    }
    operation
}

fn parameters(endpoint: &Endpoint) -> Vec<Value> {
    let names =
        endpoint.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = names.map(|name| {
        let (about, schema) = variable(name);
        json!({ "name": name, "in": "path", "required": true, "description": about, "schema": schema })
    });
    let in_query = endpoint.query.iter().map(|parameter| {
        json!({
            "name": parameter.name, "in": "query", "description": parameter.about,
            "schema": (parameter.schema)(),
        })
    });
    let field = |name: &str, about: &str| {
        let schema = json!({ "type": "string" });
        json!({ "name": name, "in": "header", "description": about, "schema": schema })
    };
    let conditions = match endpoint.conditions {
        Conditions::None => Vec::new(),
        Conditions::Read => vec![field("If-None-Match", IF_NONE_MATCH)],
        Conditions::Write => {
            vec![field("If-Match", IF_MATCH), field("If-None-Match", IF_NONE_MATCH)]
        }
    };
    let key = (!endpoint.is_safe()).then(|| {
        let schema =
            json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" });
        json!({
            "name": "Idempotency-Key", "in": "header", "description": KEY, "schema": schema,
        })
    });
    in_path.chain(in_query).chain(conditions).chain(key).collect()
}

/// What a variable part of a path is.
fn variable(name: &str) -> (&'static str, Value) {
    let text = json!({ "type": "string", "minLength": 1, "maxLength": 1024 });
    match name {
        "zone" => ("Name of the zone.", text),
        "name" => ("Name of the records, in full.", text),
        "host" => ("Name of the host.", text),
        "key" => ("Name of the key.", text),
        "type" => {
            ("Type of the records.", json!({ "type": "string", "pattern": "^[A-Za-z0-9-]{1,32}$" }))
        }
        "kind" => {
            ("Last part of the `type` of a problem.", json!({ "type": "string", "minLength": 1 }))
        }
        _ => ("Its number.", json!({ "type": "integer", "minimum": 0, "maximum": i64::MAX })),
    }
}

fn responses(endpoint: &Endpoint, schemas: &mut Schemas) -> Map<String, Value> {
    let mut responses = Map::new();
    for given in &endpoint.gives {
        responses.insert(given.status.to_string(), given_response(given, schemas));
        if given.tagged && endpoint.conditions == Conditions::Read {
            let same = json!({ "description": "It is as `If-None-Match` says." });
            responses.insert("304".to_owned(), same);
        }
    }
    let mut statuses: BTreeMap<u16, BTreeSet<Kind>> = BTreeMap::new();
    for kind in kinds(endpoint) {
        statuses.entry(kind.status().as_u16()).or_default().insert(kind);
    }
    for (status, kinds) in statuses {
        responses.insert(status.to_string(), problem_response(&kinds));
    }
    responses
}

/// What may go wrong: with every operation, with those of its sort, with it.
fn kinds(endpoint: &Endpoint) -> Vec<Kind> {
    let mut kinds =
        vec![Kind::BadRequest, Kind::TooLarge, Kind::MediaType, Kind::Late, Kind::Internal];
    if endpoint.needs != Needs::Nothing {
        kinds.extend([Kind::Unauthenticated, Kind::Forbidden, Kind::TooMany, Kind::Unavailable]);
    }
    if !endpoint.is_safe() {
        kinds.extend([Kind::Invalid, Kind::InProgress, Kind::KeyReused, Kind::Unconfirmed]);
    }
    if endpoint.takes.as_ref().is_some_and(|taken| matches!(taken.shape, Shape::Of(_))) {
        kinds.push(Kind::MalformedBody);
    }
    kinds.extend_from_slice(endpoint.problems);
    kinds
}

fn given_response(given: &Given, schemas: &mut Schemas) -> Value {
    let mut response = json!({ "description": given.about });
    if let Some(shape) = &given.shape {
        let mut content = json!({ "schema": schemas.of(shape) });
        if let Some(example) = &given.example {
            content["example"] = example.clone();
        }
        response["content"] = json!({ given.media_type: content });
    }
    let text = json!({ "type": "string" });
    if given.tagged {
        response["headers"]["ETag"] =
            json!({ "description": "Tells this content from others.", "schema": text });
    }
    if given.status == 201 {
        response["headers"]["Location"] = json!({ "description": "Where it is.", "schema": text });
    }
    response
}

fn problem_response(kinds: &BTreeSet<Kind>) -> Value {
    let [only] = kinds.iter().collect::<Vec<_>>()[..] else {
        let titles: Vec<&str> = kinds.iter().map(|kind| kind.title()).collect();
        let examples =
            kinds.iter().map(|kind| (kind.slug().to_owned(), json!({ "value": example(*kind) })));
        let examples: Map<String, Value> = examples.collect();
        return json!({
            "description": titles.join("; or "),
            "content": { PROBLEM_JSON: { "schema": reference("Problem"), "examples": examples } },
        });
    };
    json!({ "$ref": format!("#/components/responses/{}", only.slug()) })
}

/// Each kind of problem as a response.
fn problems() -> Map<String, Value> {
    let response = |kind: &Kind| {
        let mut response = json!({
            "description": kind.title(),
            "content": { PROBLEM_JSON: { "schema": reference("Problem"), "example": example(*kind) } },
        });
        if matches!(kind, Kind::TooMany | Kind::Unavailable | Kind::InProgress) {
            let schema = json!({ "type": "integer", "minimum": 0 });
            response["headers"]["Retry-After"] =
                json!({ "description": "Seconds to wait.", "schema": schema });
        }
        (kind.slug().to_owned(), response)
    };
    Kind::ALL.iter().map(response).collect()
}

fn example(kind: Kind) -> Value {
    serde_json::to_value(Problem::new(kind, kind.title()).told()).unwrap_or_default()
}

const ABOUT: &str = "A Dynamic DNS service: zones, hosts, and who may change them. Whatever is \
    acknowledged is durable and visible to queries. Problems are told as `application/problem+json` \
    (RFC 9457); their `type` never changes. Unknown fields and parameters are errors. What a token may not \
    see is answered as what is not there.";
const IF_MATCH: &str =
    "Only if it has one of these tags (RFC 9110 §13.1.1), or `*`: if it is there.";
const IF_NONE_MATCH: &str =
    "Only if it has none of these tags (RFC 9110 §13.1.2), or `*`: if it is not there.";
const KEY: &str = "A key of the client's for this very request: sent again with the same key within an \
    hour, it gets the same answer and nothing is done twice.";
