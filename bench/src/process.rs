//! What the system says of this process.

use std::fs;
use std::io;

use rustix::thread::{CpuSet, sched_setaffinity};

/// Keeps this thread, and those that it starts, on one processor.
pub fn pin(processor: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(processor);
    Ok(sched_setaffinity(None, &set)?)
}

/// Octets of memory that the process has in use.
pub fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}

/// Seconds that threads of a name have run, in user space and in the kernel.
pub fn run_time(name: &str) -> (f64, f64) {
    let mut sum = (0.0, 0.0);
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |file: &str| fs::read_to_string(task.path().join(file)).unwrap_or_default();
        if read("comm").trim() != name {
            continue;
        }
        let stat = read("stat");
        // Behind the name, which is in parentheses, times stand at places 11 and 12, in hundredths.
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        let fields: Vec<f64> =
            after.split_whitespace().skip(11).take(2).filter_map(|n| n.parse().ok()).collect();
        if let [user, system] = fields.as_slice() {
            sum = (sum.0 + user / 100.0, sum.1 + system / 100.0);
        }
    }
    sum
}

/// Nanoseconds that the threads of a process have run, those that have ended left out.
pub fn ran_ns(process: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    let ran = tasks.into_iter().flatten().flatten().filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    ran.sum()
}
