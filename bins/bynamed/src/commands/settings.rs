//! `bynamed config`: the configuration file as a commented sample, or its reference.

use crate::fault::Fault;
use crate::options;
use crate::output::Output;

/// What is printed.
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The reference in Markdown instead
    #[arg(long)]
    reference: bool,
}

impl Show {
    pub(crate) fn run(&self, output: Output) -> Result<(), Fault> {
        let text = if self.reference { options::reference() } else { options::sample() };
        if output.is_json() { output.value(&options::as_json()) } else { output.text(&text) }
    }
}
