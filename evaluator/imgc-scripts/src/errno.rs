//! Why a file operation failed, in the system's words.

/// The errors of system calls that can occur in a tree. Displayed as glibc's
/// `strerror` does in the C locale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Errno {
    /// `ENOENT`
    #[error("No such file or directory")]
    NoEntry,
    /// `ENOTDIR`
    #[error("Not a directory")]
    NotDirectory,
    /// `EISDIR`
    #[error("Is a directory")]
    IsDirectory,
    /// `EEXIST`
    #[error("File exists")]
    Exists,
    /// `ENOTEMPTY`
    #[error("Directory not empty")]
    NotEmpty,
    /// `ELOOP`
    #[error("Too many levels of symbolic links")]
    Loop,
    /// `EINVAL`
    #[error("Invalid argument")]
    Invalid,
    /// `EACCES`
    #[error("Permission denied")]
    Access,
    /// `EPERM`
    #[error("Operation not permitted")]
    NotPermitted,
    /// `ENAMETOOLONG`
    #[error("File name too long")]
    NameTooLong,
    /// `EBADF`
    #[error("Bad file descriptor")]
    BadDescriptor,
    /// `EIO`: the machine can't go on; the [`Stop`](crate::Stop) behind it is reported
    /// when the command ends.
    #[error("Input/output error")]
    Io,
}
