//! `byname update`: one explicit update.

use std::fs;
use std::path::Path;
use std::time::Duration;

use agent::http::{Http, HttpSettings, Trust};
use agent::outcome::Outcome;
use agent::publish::{Account, publish_addresses};
use agent::secret::Token;
use agent::server::Server;
use serde_json::json;

use crate::cli::UpdateArguments;
use crate::output::{self, Exit};

/// Sends the update and prints what came of it.
pub(crate) fn run(arguments: &UpdateArguments, as_json: bool) -> Exit {
    let (server, token) = match parse(arguments) {
        Ok(parsed) => parsed,
        Err((message, hint)) => {
            return output::fault(as_json, &message, hint, Exit::Usage);
        }
    };
    if server.is_in_clear() && !arguments.allow_http {
        let message = format!("the token goes to `{server}` in clear");
        output::warning(&message, Some("use `https://`, or say `--allow-http`"));
    }
    let http = Http::new(HttpSettings { timeout: TIMEOUT, trust: Trust::System }, None);
    let account = Account { server: &server, host: &arguments.host, token: &token };
    let outcome = publish_addresses(&http, account, &arguments.addresses);
    print(arguments, &server, &outcome, as_json);
    output::complain(&arguments.host, &outcome);
    output::exit(&outcome)
}

fn print(arguments: &UpdateArguments, server: &Server, outcome: &Outcome, as_json: bool) {
    if as_json {
        let mut told = output::members(outcome);
        told["host"] = json!(arguments.host);
        told["server"] = json!(server.to_string());
        told["addresses"] = json!(arguments.addresses);
        output::result(&told.to_string());
    } else if matches!(outcome, Outcome::Confirmed { .. }) {
        let own = arguments.addresses.iter().map(|address| format!(" {address}"));
        let own: String = own.collect();
        output::result(&format!("{} {}{own}", output::word(outcome), arguments.host));
    }
}

fn parse(arguments: &UpdateArguments) -> Result<(Server, Token), (String, Option<&'static str>)> {
    let server =
        Server::parse(&arguments.server).map_err(|error| (format!("`--server`: {error}"), None))?;
    let text = match (&arguments.token, &arguments.token_file) {
        (_, Some(file)) => read(file)?,
        (Some(token), None) => token.clone(),
        (None, None) => {
            let hint = "give `--token-file`, the variable `BYNAME_TOKEN`, or `--token`";
            return Err(("there is no token".to_owned(), Some(hint)));
        }
    };
    let token = Token::parse(&text).map_err(|why| (why.to_owned(), None))?;
    Ok((server, token))
}

fn read(file: &Path) -> Result<String, (String, Option<&'static str>)> {
    fs::read_to_string(file)
        .map_err(|error| (format!("cannot read `{}`: {error}", file.display()), None))
}

/// From the first packet to the last octet of the answer.
const TIMEOUT: Duration = Duration::from_secs(20);
