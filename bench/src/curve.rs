//! A picture of how cost grows with the number of hosts.

use std::fmt::Write as _;

/// What was measured with one number of hosts.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Hosts, each with A and AAAA.
    pub hosts: f64,
    /// Processor time for each query in user space, in microseconds.
    pub user_us: f64,
    /// The same with the kernel's part.
    pub total_us: f64,
    /// Octets of memory that the zone takes for each host.
    pub octets: f64,
}

/// Two panels beside each other: processor time for each query, and memory for each host.
pub fn draw(points: &[Point]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    let lines = [("user space", BLUE, 0), ("with the kernel", GREY, 1)];
    let time = |point: &Point, line: usize| if line == 0 { point.user_us } else { point.total_us };
    panel(&mut svg, (60.0, "µs of processor time per query"), points, &lines, &time);
    let memory = |point: &Point, _: usize| point.octets;
    panel(&mut svg, (500.0, "octets per host"), points, &[("the zone", BLUE, 0)], &memory);
    svg.push_str("</svg>\n");
    svg
}

/// Name, colour and number of a line.
type Line = (&'static str, &'static str, usize);

fn panel(
    svg: &mut String,
    (left, title): (f64, &str),
    points: &[Point],
    lines: &[Line],
    value: &dyn Fn(&Point, usize) -> f64,
) {
    let values = || lines.iter().flat_map(|line| points.iter().map(|point| value(point, line.2)));
    let step = step_of(values().fold(0.0, f64::max));
    let top = (values().fold(0.0, f64::max) / step).ceil().max(1.0) * step;
    let decade = |point: &Point| point.hosts.log10();
    let first = points.iter().map(decade).fold(f64::INFINITY, f64::min);
    let last = points.iter().map(decade).fold(first + 1.0, f64::max);
    let x = |hosts: f64| left + (hosts.log10() - first) / (last - first) * PANEL;
    let y = |number: f64| BOTTOM - number / top * TALL;
    text(svg, (left - 40.0, 24.0), "start", title);
    let mut mark = 0.0;
    while mark <= top + step / 2.0 {
        let _ = writeln!(svg, "<path d=\"M{left} {0:.1}h{PANEL}\" stroke=\"#dddddd\"/>", y(mark));
        text(svg, (left - 6.0, y(mark) + 4.0), "end", &short(mark));
        mark += step;
    }
    for point in points {
        text(svg, (x(point.hosts), BOTTOM + 18.0), "middle", &count(point.hosts));
    }
    text(svg, (left + PANEL / 2.0, BOTTOM + 38.0), "middle", "hosts (A and AAAA each)");
    for &(name, colour, number) in lines {
        let places = points.iter().map(|p| (x(p.hosts), y(value(p, number))));
        let path: Vec<String> = places.clone().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        let _ = writeln!(
            svg,
            "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join("L")
        );
        for (x, y) in places.clone() {
            let _ =
                writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>");
        }
        if let Some((x, y)) = places.last() {
            text(svg, (x, y - 10.0), "end", name);
        }
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, words: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#222222\">{words}</text>"
    );
}

/// A step that makes three to seven marks.
fn step_of(most: f64) -> f64 {
    let power = 10_f64.powf(most.max(1e-6).log10().floor());
    [0.2, 0.5, 1.0, 2.0]
        .into_iter()
        .map(|part| part * power)
        .find(|step| most / step <= 6.0)
        .unwrap_or(power)
}

fn short(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn count(hosts: f64) -> String {
    if hosts >= 1e6 { format!("{} M", hosts / 1e6) } else { format!("{} k", hosts / 1e3) }
}

const WIDTH: u32 = 900;
const HEIGHT: u32 = 340;
const PANEL: f64 = 360.0;
const BOTTOM: f64 = 280.0;
const TALL: f64 = 225.0;
const BLUE: &str = "#1f5fbf";
const GREY: &str = "#777777";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_stands_inside_its_panel() {
        let point =
            |hosts: f64| Point { hosts, user_us: hosts.log10(), total_us: 9.0, octets: 70.0 };
        let svg = draw(&[point(1e4), point(1e5), point(1e8)]);
        assert_eq!(svg.matches("<circle").count(), 9);
        for part in svg.split("cy=\"").skip(1) {
            let y: f64 = part.split('"').next().unwrap().parse().unwrap();
            assert!((40.0..=BOTTOM).contains(&y), "{y}");
        }
        assert!(svg.contains("10 k") && svg.contains("100 M"));
    }
}
