//! What a figure was measured on.

use std::fs::read_to_string;

/// One line: processor, memory, system, load. Nothing that names the machine.
pub(crate) fn facts() -> String {
    let field = |path: &str, name: &str| {
        let text = read_to_string(path).unwrap_or_default();
        text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':').map(|(_, value)| value.trim().to_owned()))
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok())
        .map_or_else(|| "memory unknown".to_owned(), |kib| format!("{} GiB", (kib + (1 << 19)) >> 20));
    let release = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{processor}, {cores} cores, {memory}, {} {}", std::env::consts::OS, release.trim())
}

/// Load of the last minute, to tell a quiet machine from a busy one.
pub(crate) fn load() -> String {
    let text = read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}
