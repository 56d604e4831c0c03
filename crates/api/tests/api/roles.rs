//! Each operation of the document, called as each role and as a stranger.

use serde_json::Value;

use crate::caller::{Ask, Reply};
use crate::document::operations;
use crate::rows::{Row, Whose, rows};
use crate::service::Service;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// Nobody that is known.
    Stranger,
    /// The holder of a token for one host of bob's.
    Device,
    /// A reader of bob's account.
    Reader,
    /// An owner of bob's account.
    Owner,
    /// A reader of the whole service.
    ServiceReader,
    /// The operator.
    Operator,
}

const ROLES: [Role; 6] =
    [Role::Stranger, Role::Device, Role::Reader, Role::Owner, Role::ServiceReader, Role::Operator];

/// What is to come of it, from the role that the document declares and from whose thing it is.
fn expected(needs: &str, row: &Row, role: Role) -> &'static [u16] {
    let rank = |needs: &str| match needs {
        "nothing" => Role::Stranger,
        "token" => Role::Device,
        "reader" => Role::Reader,
        "owner" => Role::Owner,
        "service-reader" => Role::ServiceReader,
        "operator" => Role::Operator,
        other => panic!("a role that no test knows: {other}"),
    };
    let needs = rank(needs);
    if needs == Role::Stranger {
        return &[200];
    }
    if role == Role::Stranger {
        return &[401];
    }
    let writes = !row.body.is_null() || matches!(row.good, 201 | 204);
    let meets = match needs {
        // Who may read everything writes nothing.
        Role::Owner => matches!(role, Role::Owner | Role::Operator),
        needs => role >= needs,
    };
    if !meets {
        return &[403];
    }
    let sees = match role {
        Role::Stranger => false,
        Role::Device => row.device,
        Role::Reader | Role::Owner => row.whose != Whose::Other,
        Role::ServiceReader | Role::Operator => true,
    };
    if !sees {
        // In a body it is as wrong as what is not there.
        return if row.id == "addToken" { &[422] } else { &[404] };
    }
    // A device reads what it sees and writes its addresses; a reader writes nothing.
    let may_write = matches!(role, Role::Device | Role::Owner | Role::Operator);
    if writes && role == Role::Owner {
        return &[200, 201, 204, 403, 404];
    }
    if writes && !may_write { &[403, 404] } else { &[200, 201, 204] }
}

#[test]
fn each_operation_answers_each_role_as_the_document_declares() {
    let scene = Scene::set();
    let document: Value = serde_json::from_str(api::document()).expect("JSON");
    let rows = rows();
    let mut numbers = 1..;
    let mut faults = Vec::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().expect("an id");
        let needs = operation["x-role"].as_str().expect("a role");
        let own: Vec<&Row> = rows.iter().filter(|row| row.id == id).collect();
        assert!(!own.is_empty(), "`{id}` ({method} {path}) has no row in this test");
        for row in own {
            for role in ROLES {
                let number: u32 = numbers.next().expect("a number");
                let reply = scene.ask(&method, row, role, number);
                let expected = expected(needs, row, role);
                if !expected.contains(&reply.status) {
                    let told = reply.text();
                    faults.push(format!(
                        "{id} {:?} as {role:?}: {} not {expected:?}: {told}",
                        row.whose, reply.status
                    ));
                }
                if (200..300).contains(&reply.status) {
                    assert_eq!(reply.status, row.good, "{id} as {role:?}");
                    assert!(operation["responses"].get(reply.status.to_string()).is_some(), "{id}");
                } else {
                    reply.problem();
                    let told = operation["responses"].get(reply.status.to_string()).is_some();
                    assert!(told, "{id} as {role:?}: {} is not in the document", reply.status);
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let unknown: Vec<&str> =
        rows.iter().map(|row| row.id).filter(|id| !api::document().contains(id)).collect();
    assert!(unknown.is_empty(), "rows of operations that are gone: {unknown:?}");
}

/// Everything that the rows name, and a token for each role.
struct Scene {
    service: Service,
    tokens: Vec<(Role, String)>,
    names: Vec<(String, String)>,
    pos: String,
}

impl Scene {
    fn set() -> Scene {
        let service = Service::start();
        let mut names = Vec::new();
        for account in ["alice", "bob", "idle"] {
            names.push((account.to_owned(), service.account(account).to_string()));
            if account != "idle" {
                service.zone_of(&format!("{account}.example"), account);
                service.host_of(&format!("{account}.dyn.example"), Some(account));
            }
        }
        service.host_of("spare.dyn.example", Some("bob"));
        service.host_of("hers.dyn.example", Some("alice"));
        service.key("known");
        for role in ROLES {
            service.zone_of(&format!("gone{role:?}.example"), "operator");
            service.host_of(&format!("gone{role:?}.dyn.example"), Some("bob"));
            service.host_of(&format!("hers{role:?}.dyn.example"), Some("alice"));
            service.key(&format!("gone{role:?}"));
        }
        let device = service.token_for("bob.dyn.example");
        names.push(("bob-token".to_owned(), service.token_id_of("bob.dyn.example").to_string()));
        names
            .push(("alice-token".to_owned(), service.token_id_of("alice.dyn.example").to_string()));
        for (account, sort) in
            [("alice", "old"), ("alice", "spare"), ("bob", "old"), ("bob", "spare")]
        {
            for role in ROLES {
                let token = service.token_for(&format!("{account}.dyn.example"));
                let id = service.id_of_token(&token);
                names.push((format!("{account}-{sort}-{role:?}"), id.to_string()));
            }
        }
        let tokens = vec![
            (Role::Device, device),
            (Role::Reader, service.token_of(Some("bob"), "reader")),
            (Role::Owner, service.token_of(Some("bob"), "owner")),
            (Role::ServiceReader, service.token_of(None, "reader")),
            (Role::Operator, service.operator()),
        ];
        let last = Ask::new("GET", "/v1/history?limit=1").token(&service.operator());
        let pos = service.call().ask(&last).json()["items"][0]["pos"].to_string();
        Scene { service, tokens, names, pos }
    }

    fn ask(&self, method: &str, row: &Row, role: Role, number: u32) -> Reply {
        // Something to be read and to be deleted.
        let fill = |text: &str| {
            let text =
                text.replace("{n}", &number.to_string()).replace("{r}", &format!("{role:?}"));
            let text = text.replace("{b}", &(number % 250 + 2).to_string());
            self.names
                .iter()
                .fold(text, |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
        };
        if row.path.contains("rrsets/") {
            self.service.fill(&fill(row.path));
        }
        let mut ask = Ask::new(method, &fill(row.path));
        if let Some((_, token)) = self.tokens.iter().find(|(known, _)| *known == role) {
            ask = ask.token(token);
        }
        let ask = match &row.body {
            Value::Null => ask,
            Value::String(_) => {
                let apex = fill("file{n}.example.");
                let file = format!(
                    "{apex} 60 IN SOA {apex} {apex} 1 1 1 1 1\n{apex} 60 IN NS ns.example.\n"
                );
                ask.body("text/dns", file)
            }
            body => {
                let text = fill(&body.to_string()).replace("\"{pos}\"", &self.pos);
                ask.body("application/json", text)
            }
        };
        self.service.call().ask(&ask)
    }
}
