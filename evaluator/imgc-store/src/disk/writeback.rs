//! Having the system begin to write a file to the disk, without waiting for it.
//!
//! Flushing a file waits for its bytes and then for the file system's journal. Of many files
//! that were all begun before the first is flushed, the bytes are on the disk by then, and one
//! write of the journal serves them all.
#![cfg_attr(
    target_os = "linux",
    expect(
        unsafe_code,
        reason = "no library has this call of the system; it takes a number and changes no memory"
    )
)]

use std::fs::File;

/// Has the system begin to write what is in the file. A hint: whatever hinders it, flushing
/// the file writes all of it.
#[cfg(target_os = "linux")]
pub(super) fn begin(file: &File) {
    use std::os::fd::AsRawFd as _;
    // SAFETY: the file is open as long as it is borrowed, and no memory is passed. `0, 0` is
    // all of the file (sync_file_range(2)).
    unsafe {
        libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE);
    }
}

/// Nothing: only Linux has this.
#[cfg(not(target_os = "linux"))]
pub(super) fn begin(_: &File) {}
