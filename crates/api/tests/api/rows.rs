//! What each operation is called with as each role.

use serde_json::{Value, json};

/// Whose thing is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Bob's, which the callers of his account see.
    Own,
    /// Alice's.
    Other,
    /// Nobody's: it concerns no thing that is there.
    Nobodys,
}

/// One row: an operation, what it is called with, and whose that is. `{n}` is a number that no other
/// call has, `{b}` one of 2 to 251, `{r}` the role; other names are those of the scene, and
/// `"{pos}"` the position of its last event.
pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) path: &'static str,
    pub(crate) body: Value,
    pub(crate) whose: Whose,
    /// Whether the device sees that thing.
    pub(crate) device: bool,
    pub(crate) good: u16,
}

impl Row {
    fn with(self, body: Value) -> Row {
        Row { body, ..self }
    }

    /// The device sees it.
    fn seen(self) -> Row {
        Row { device: true, ..self }
    }
}

fn row(id: &'static str, path: &'static str, whose: Whose, good: u16) -> Row {
    Row { id, path, body: Value::Null, whose, device: false, good }
}

use Whose::{Nobodys, Other, Own};

/// Every operation has a row here: a new one without is a failed test.
pub(crate) fn rows() -> Vec<Row> {
    let all = [service(), zones(), records(), hosts(), tokens(), accounts_and_keys()];
    all.into_iter().flatten().collect()
}

fn service() -> Vec<Row> {
    let undo = |name: &str| json!({ "name": name, "to": "{pos}", "dry_run": true, "force": true });
    vec![
        row("showDocument", "/v1/openapi.json", Nobodys, 200).seen(),
        row("showHealth", "/v1/health", Nobodys, 200).seen(),
        row("showProblem", "/v1/problems/invalid", Nobodys, 200).seen(),
        row("showSelf", "/v1/whoami", Nobodys, 200).seen(),
        row("listHistory", "/v1/history?host=bob.dyn.example", Own, 200),
        row("listHistory", "/v1/history?zone=alice.example", Other, 200),
        row("undo", "/v1/undo", Own, 200).with(undo("bob.dyn.example")),
        row("undo", "/v1/undo", Other, 200).with(undo("alice.dyn.example")),
        row("listen", "/v1/events?host=bob.dyn.example", Own, 200),
        row("listen", "/v1/events?host=alice.dyn.example", Other, 200),
        row("showMetrics", "/v1/metrics", Nobodys, 200),
    ]
}

fn zones() -> Vec<Row> {
    let keep = || json!({ "scavenge": null });
    vec![
        row("listZones", "/v1/zones", Nobodys, 200),
        row("addZone", "/v1/zones", Nobodys, 201).with(json!({ "name": "z{n}.example" })),
        row("showZone", "/v1/zones/bob.example", Own, 200),
        row("showZone", "/v1/zones/alice.example", Other, 200),
        row("setZone", "/v1/zones/bob.example", Own, 200).with(keep()),
        row("setZone", "/v1/zones/alice.example", Other, 200).with(keep()),
        row("removeZone", "/v1/zones/gone{r}.example", Nobodys, 204),
        row("exportZone", "/v1/zones/bob.example/file", Own, 200),
        row("exportZone", "/v1/zones/alice.example/file", Other, 200),
        row("importZone", "/v1/zones/file{n}.example/file", Nobodys, 200).with(json!("zone file")),
    ]
}

fn records() -> Vec<Row> {
    let a = || json!({ "ttl_s": 60, "records": ["9.9.9.{b}"] });
    let edit = |name: &str| {
        json!({ "edits": [
            { "do": "replace", "name": name, "type": "A", "ttl_s": 60, "records": ["9.9.9.{b}"] },
        ] })
    };
    let (bob, alice) = ("bob.dyn.example", "alice.dyn.example");
    vec![
        row("listRrsets", "/v1/zones/bob.example/rrsets", Own, 200),
        row("listRrsets", "/v1/zones/alice.example/rrsets", Other, 200),
        row("showRrset", "/v1/zones/dyn.example/rrsets/bob.dyn.example/A", Own, 200).seen(),
        row("showRrset", "/v1/zones/bob.example/rrsets/bob.example/SOA", Own, 200),
        row("showRrset", "/v1/zones/dyn.example/rrsets/alice.dyn.example/A", Other, 200),
        row("putRrset", "/v1/zones/dyn.example/rrsets/bob.dyn.example/A", Own, 200)
            .with(a())
            .seen(),
        row("putRrset", "/v1/zones/bob.example/rrsets/www.bob.example/A", Own, 200).with(a()),
        row("putRrset", "/v1/zones/dyn.example/rrsets/alice.dyn.example/A", Other, 200).with(a()),
        row("editRrsets", "/v1/zones/dyn.example/rrsets", Own, 200).with(edit(bob)).seen(),
        row("editRrsets", "/v1/zones/bob.example/rrsets", Own, 200).with(edit("www.bob.example")),
        row("editRrsets", "/v1/zones/dyn.example/rrsets", Other, 200).with(edit(alice)),
        row("deleteRrset", "/v1/zones/dyn.example/rrsets/bob.dyn.example/AAAA", Own, 204).seen(),
        row("deleteRrset", "/v1/zones/dyn.example/rrsets/alice.dyn.example/AAAA", Other, 204),
    ]
}

fn hosts() -> Vec<Row> {
    let new = json!({ "name": "h{n}.dyn.example" });
    let ttl = || json!({ "ttl_s": 30 });
    vec![
        row("listHosts", "/v1/hosts", Nobodys, 200).seen(),
        row("addHost", "/v1/hosts", Nobodys, 201).with(new),
        row("showHost", "/v1/hosts/bob.dyn.example", Own, 200).seen(),
        row("showHost", "/v1/hosts/alice.dyn.example", Other, 200),
        row("setHost", "/v1/hosts/bob.dyn.example", Own, 200).with(ttl()),
        row("setHost", "/v1/hosts/alice.dyn.example", Other, 200).with(ttl()),
        row("rotateHost", "/v1/hosts/spare.dyn.example/rotate", Own, 201),
        row("rotateHost", "/v1/hosts/hers.dyn.example/rotate", Other, 201),
        row("removeHost", "/v1/hosts/gone{r}.dyn.example", Own, 204),
        row("removeHost", "/v1/hosts/hers{r}.dyn.example", Other, 204),
    ]
}

fn tokens() -> Vec<Row> {
    let new = |host: &str| json!({ "hosts": [host] });
    vec![
        row("listTokens", "/v1/tokens", Nobodys, 200),
        row("addToken", "/v1/tokens", Own, 201).with(new("spare.dyn.example")),
        row("addToken", "/v1/tokens", Other, 201).with(new("hers.dyn.example")),
        row("showToken", "/v1/tokens/{bob-token}", Own, 200),
        row("showToken", "/v1/tokens/{alice-token}", Other, 200),
        row("rotateToken", "/v1/tokens/{bob-old-{r}}/rotate", Own, 201),
        row("rotateToken", "/v1/tokens/{alice-old-{r}}/rotate", Other, 201),
        row("revokeToken", "/v1/tokens/{bob-spare-{r}}", Own, 204),
        row("revokeToken", "/v1/tokens/{alice-spare-{r}}", Other, 204),
    ]
}

fn accounts_and_keys() -> Vec<Row> {
    let key = json!({ "name": "k{n}", "algorithm": "hmac-sha256", "zones": ["own.example"] });
    vec![
        row("listAccounts", "/v1/accounts", Nobodys, 200),
        row("addAccount", "/v1/accounts", Nobodys, 201).with(json!({ "name": "account {n}" })),
        row("showAccount", "/v1/accounts/{bob}", Own, 200),
        row("showAccount", "/v1/accounts/{alice}", Other, 200),
        row("setAccount", "/v1/accounts/{idle}", Other, 200).with(json!({ "frozen": false })),
        row("listKeys", "/v1/keys", Nobodys, 200),
        row("addKey", "/v1/keys", Nobodys, 201).with(key),
        row("showKey", "/v1/keys/known", Nobodys, 200),
        row("removeKey", "/v1/keys/gone{r}", Nobodys, 204),
    ]
}
