use super::*;

fn kernel(files: &[(&str, &str)]) -> (tempfile::TempDir, Kernel) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let kernel = Kernel { root: folder.path().to_path_buf() };
    (folder, kernel)
}

const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:       16000000 kB\nMemFree: 1 kB\n");
const STATUS: (&str, &str) = ("proc/self/status", "Name:\tx\nCpus_allowed:\tff,0000000f\n");

#[test]
fn cores_are_those_of_the_affinity_without_control_groups() {
    let (_folder, kernel) = kernel(&[MEMINFO, STATUS]);
    assert_eq!(kernel.cpu_milli().unwrap(), 12_000);
    assert_eq!(kernel.memory_bytes().unwrap(), 16_000_000 * 1_024);
}

#[test]
fn the_narrowest_level_of_version_2_counts() {
    let (_folder, kernel) = kernel(&[
        MEMINFO,
        STATUS,
        ("proc/self/cgroup", "0::/system.slice/node.service\n"),
        ("proc/self/mountinfo", "30 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
        ("sys/fs/cgroup/system.slice/node.service/cpu.max", "max 100000\n"),
        ("sys/fs/cgroup/system.slice/node.service/memory.max", "4000000000\n"),
        ("sys/fs/cgroup/system.slice/cpu.max", "150000 100000\n"),
        ("sys/fs/cgroup/system.slice/memory.max", "max\n"),
    ]);
    assert_eq!(kernel.cpu_milli().unwrap(), 1_500);
    assert_eq!(kernel.memory_bytes().unwrap(), 4_000_000_000);
}

#[test]
fn limits_of_version_1_count_inside_a_container() {
    let (_folder, kernel) = kernel(&[
        MEMINFO,
        STATUS,
        ("proc/self/cgroup", "4:memory:/docker/abc/inner\n1:cpu,cpuacct:/docker/abc\n0::/\n"),
        (
            "proc/self/mountinfo",
            "31 30 0:29 /docker/abc /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n\
             35 30 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
        ),
        ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000000000\n"),
        ("sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "9223372036854771712\n"),
    ]);
    assert_eq!(kernel.cpu_milli().unwrap(), 500);
    assert_eq!(kernel.memory_bytes().unwrap(), 2_000_000_000);
}

#[test]
fn no_quota_of_version_1_is_no_limit() {
    let (_folder, kernel) = kernel(&[
        MEMINFO,
        STATUS,
        ("proc/self/cgroup", "1:cpu:/\n"),
        ("proc/self/mountinfo", "31 30 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
    ]);
    assert_eq!(kernel.cpu_milli().unwrap(), 12_000);
}

#[test]
fn a_group_that_points_out_of_its_mount_is_not_followed() {
    let (folder, kernel) = kernel(&[
        MEMINFO,
        STATUS,
        ("proc/self/cgroup", "0::/../../secret\n"),
        ("proc/self/mountinfo", "30 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
        ("secret/cpu.max", "1 100000\n"),
    ]);
    assert_eq!(kernel.groups("cpu")[0].folder, folder.path().join("sys/fs/cgroup"));
    assert_eq!(kernel.cpu_milli().unwrap(), 12_000);
}

#[test]
fn this_host_has_something_of_everything() {
    let here = host_totals(Path::new("/tmp/not-made-yet/nor-this")).unwrap();
    assert!(here.cpu_milli > 0 && here.memory_bytes > 1 << 20 && here.disk_bytes > 0, "{here}");
}
