//! Prints the OpenAPI document: `cargo run -p api --example document > docs/openapi.json`.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    io::stdout().write_all(api::document().as_bytes())
}
