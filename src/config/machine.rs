//! How much memory this process may have: what the kernel says, and the default that follows from it.

use std::fs;
use std::path::Path;

use super::value::ByteSize;

/// What the kernel said at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Machine {
    /// The tightest cgroup v2 `memory.max` above this process; `None` when there is none.
    pub cgroup_memory_max: Option<ByteSize>,
    /// RAM; `None` when the kernel does not say.
    pub ram: Option<ByteSize>,
}

const MOST_UNASKED: ByteSize = ByteSize(2 << 30);

// === impl Machine ===

impl Machine {
    /// Asks the kernel. Where it does not answer as Linux does, nothing is known.
    pub fn detect() -> Self {
        Self::read(Path::new("/"))
    }

    /// The same below another root, for tests.
    pub fn read(root: &Path) -> Self {
        Self {
            cgroup_memory_max: cgroup_memory_max(root),
            ram: ram(root),
        }
    }

    /// 80 % of the cgroup's limit, else the smaller of 2 GiB and half of the RAM; at least 64 MiB.
    pub fn default_memory(&self) -> ByteSize {
        let half = self.ram.map_or(MOST_UNASKED, |ram| ram.percent(50));
        let unasked = half.min(MOST_UNASKED);
        // A limit above the RAM limits nothing.
        let limit = self
            .cgroup_memory_max
            .filter(|max| self.ram.is_none_or(|ram| *max < ram));
        limit
            .map_or(unasked, |max| max.percent(80))
            .max(ByteSize(64 << 20))
    }
}

/// A group is held to the limits of all groups above it, so the tightest counts.
fn cgroup_memory_max(root: &Path) -> Option<ByteSize> {
    let own = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let mount = root.join("sys/fs/cgroup");
    let group = mount.join(path);
    let above = group.ancestors().take_while(|dir| dir.starts_with(&mount));
    let limits = above.filter_map(|dir| fs::read_to_string(dir.join("memory.max")).ok());
    limits
        .filter_map(|text| text.trim().parse().ok())
        .map(ByteSize)
        .min()
}

fn ram(root: &Path) -> Option<ByteSize> {
    let meminfo = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(ByteSize(kib.checked_mul(1024)?))
}
