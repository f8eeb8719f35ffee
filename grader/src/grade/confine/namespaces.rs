//! Namespaces: a network, process ids and mounts that only one command has.

use std::env;
use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode};
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, mount, mount_change,
    move_mount, open_tree,
};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, recv, sendto, socket};
use rustix::process::{Resource, Rlimit, getgid, getuid, setrlimit, umask};
use rustix::thread::{CapabilitySet, UnshareFlags, remove_capability_from_bounding_set};

use super::rules::{Level, Rules};

/// The directory for temporary files in a mount namespace.
pub(crate) const TEMPORARY: &str = "/tmp";

/// The number of processes and threads that the user of a slot may have, in all runs together.
const PROCESSES: u64 = 2000;

/// Enters new namespaces. Without the rights of root, the process becomes the root of a new user
/// namespace, which has rights only over these namespaces.
///
/// # Errors
/// If the system refuses.
pub(crate) fn enter(level: Level) -> io::Result<()> {
    let (user, group) = (getuid(), getgid());
    let mut flags = UnshareFlags::NEWNET | UnshareFlags::NEWNS | UnshareFlags::NEWIPC;
    if level >= Level::Processes {
        flags |= UnshareFlags::NEWPID;
    }
    if !user.is_root() {
        flags |= UnshareFlags::NEWUSER;
    }
    #[expect(deprecated, reason = "it is unsafe only with FILES; the successor needs `unsafe`")]
    rustix::thread::unshare(flags)?;
    if !user.is_root() {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("0 {} 1", user.as_raw()))?;
        fs::write("/proc/self/gid_map", format!("0 {} 1", group.as_raw()))?;
    }
    Ok(())
}

/// Makes the namespaces of this process usable: it gets its own `/tmp` and `/proc`, a network with
/// loopback, and, under another user, a way to the files in `rules`.
///
/// # Errors
/// If the system refuses.
pub(crate) fn set_up(rules: &Rules) -> io::Result<()> {
    let here = env::current_dir()?;
    umask(Mode::from_raw_mode(0o022));
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let hidden = hidden(rules);
    let mut kept = Vec::new();
    for path in rules.read.iter().chain(&rules.write) {
        let is_hidden = hidden.iter().any(|hidden| path.starts_with(hidden));
        if is_hidden && path.exists() {
            let flags = OpenTreeFlags::OPEN_TREE_CLONE
                | OpenTreeFlags::OPEN_TREE_CLOEXEC
                | OpenTreeFlags::AT_RECURSIVE;
            kept.push((path, path.is_dir(), open_tree(CWD, path, flags)?));
        }
    }
    for path in &hidden {
        cover(path, rules)?;
    }
    kept.sort_by_key(|(path, ..)| *path); // Directories before what is in them.
    for (path, is_directory, tree) in kept {
        show(path, is_directory, &tree)?;
    }
    if rules.level >= Level::Processes {
        let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        mount("proc", "/proc", "proc", flags, None)?;
    }
    env::set_current_dir(here)?; // Through the new mounts.
    loopback_up()
}

/// The directories to cover: `/tmp`, and those that the user of the command cannot enter.
fn hidden(rules: &Rules) -> Vec<PathBuf> {
    let mut hidden = vec![PathBuf::from(TEMPORARY)];
    for path in rules.read.iter().chain(&rules.write).filter(|_| rules.user.is_some()) {
        let is_closed = |path: &&Path| path.metadata().is_ok_and(|data| data.mode() & 1 == 0);
        let ancestors: Vec<&Path> = path.ancestors().skip(1).collect();
        let closed = ancestors.into_iter().rev().find(is_closed).map(Path::to_path_buf);
        if let Some(closed) = closed
            && !hidden.iter().any(|other| closed.starts_with(other))
        {
            hidden.push(closed);
        }
    }
    hidden
}

/// Covers a directory by an empty one in memory.
fn cover(path: &Path, rules: &Rules) -> io::Result<()> {
    let (bytes, mode) = match path == Path::new(TEMPORARY) {
        true => (rules.scratch_bytes, "1777"),
        false => (1 << 20, "0755"),
    };
    let options = format!("size={bytes},nr_inodes=100000,mode={mode}");
    let options = CString::new(options).expect("it has no NUL");
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    Ok(mount("tmpfs", path, "tmpfs", flags, &*options)?)
}

/// Shows a file or directory again that a cover hides.
fn show(path: &Path, is_directory: bool, tree: &OwnedFd) -> io::Result<()> {
    if !path.exists() {
        if is_directory {
            fs::create_dir_all(path)?;
        } else {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            File::create(path)?;
        }
    }
    Ok(move_mount(tree, "", CWD, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?)
}

/// Switches the loopback interface on.
fn loopback_up() -> io::Result<()> {
    const RTM_NEWLINK: u16 = 16;
    const REQUEST_WITH_ACK: u16 = 1 | 4;
    const LOOPBACK: u32 = 1; // The first interface of each network.
    const UP: u32 = 1;
    let mut message = Vec::new();
    // `nlmsghdr`: length, type, flags, sequence number, port; then `ifinfomsg`: family, type,
    // index, flags, mask of flags to change.
    message.extend(32_u32.to_ne_bytes());
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(REQUEST_WITH_ACK.to_ne_bytes());
    message.extend([0; 8]);
    message.extend([0; 4]);
    message.extend(LOOPBACK.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    let socket = socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    sendto(&socket, &message, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut answer = [0; 64];
    recv(&socket, &mut answer[..], RecvFlags::empty())?;
    // `nlmsghdr`, then the negative error number.
    match i32::from_ne_bytes(answer[16..20].try_into().expect("it has four bytes")) {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(-error)),
    }
}

/// Takes from this thread's children what the root of a namespace could do, and limits the number
/// of processes of a user that runs nothing else.
///
/// # Errors
/// If the system refuses.
pub(crate) fn drop_capabilities(rules: &Rules) -> io::Result<()> {
    let is_root_of_namespace = rules.user.is_none() && rules.level >= Level::Network;
    if is_root_of_namespace {
        for capability in CapabilitySet::all().iter() {
            // Fails for those that this kernel does not know.
            remove_capability_from_bounding_set(capability).ok();
        }
    }
    if is_root_of_namespace || rules.user.is_some() {
        let limit = Rlimit { current: Some(PROCESSES), maximum: Some(PROCESSES) };
        setrlimit(Resource::Nproc, limit)?;
    }
    Ok(())
}
