use crate::give_back;

/// Octets of this process that are in memory (proc(5): the second field of `statm`, in pages).
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn holes_in_the_heap_are_given_back() {
    // Small enough for the heap; every second one stays, so that none of the holes is at its end.
    const OCTETS: usize = 16 * 1024;
    let mut kept = Vec::new();
    let mut freed = Vec::new();
    for _ in 0..4096 {
        freed.push(vec![1_u8; OCTETS]);
        kept.push(vec![1_u8; OCTETS]);
    }
    drop(freed);
    let before = resident();
    give_back();
    let after = resident();
    assert!(before >= after + 4096 * OCTETS / 2, "{before} octets before, {after} after");
    assert!(kept.iter().all(|octets| octets.iter().all(|&octet| octet == 1)));
}
