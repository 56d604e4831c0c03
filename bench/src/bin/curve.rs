//! Draws `growth.svg` from `growth.csv`, which holds what `hosts` printed.

#![expect(clippy::print_stderr, reason = "says where the picture is")]

use std::error::Error;
use std::path::PathBuf;

use bench::curve::{Point, draw};

fn main() -> Result<(), Box<dyn Error>> {
    let folder =
        std::env::args().nth(1).map_or_else(|| PathBuf::from("docs/performance"), PathBuf::from);
    let text = std::fs::read_to_string(folder.join("growth.csv"))?;
    let mut points: Vec<Point> = Vec::new();
    for line in text.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit())) {
        let numbers: Vec<f64> = line.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let &[hosts, _, _, _, octets, _, user_us, sys_us, ..] = numbers.as_slice() else {
            return Err(format!("too few columns: {line}").into());
        };
        points.push(Point { hosts, user_us, total_us: user_us + sys_us, octets });
    }
    let points = medians(points);
    std::fs::write(folder.join("growth.svg"), draw(&points))?;
    eprintln!("{}", folder.join("growth.svg").display());
    Ok(())
}

/// Of several rounds with as many hosts, the one in the middle by time.
fn medians(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|a, b| a.hosts.total_cmp(&b.hosts).then(a.user_us.total_cmp(&b.user_us)));
    let rounds = points.chunk_by(|a, b| a.hosts == b.hosts);
    rounds.filter_map(|rounds| rounds.get(rounds.len() / 2).copied()).collect()
}
