//! What the builtins of hashes do.

use sha2::{Digest, Sha256};

use super::{path, text};
use crate::look::{no_answer, project_file};
use crate::vm::call::{Call, Eval};
use crate::vm::value::Value;

/// `sha256`
pub(crate) fn sha256(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let string = text(&arguments[0])?;
    // A short text takes a whole block, and each digest is written out.
    call.step(100 + string.len() / 16)?;
    let digest = Sha256::digest(string.as_bytes());
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    call.made_string(digits.collect())
}

/// `sha256File`
pub(crate) fn sha256_file(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let file = path(&arguments[0])?;
    let site = call.site_of_value(&arguments[0]);
    call.step(100)?;
    project_file(call, file, site)?;
    match call.digest(file) {
        Ok((digest, _)) => {
            let digest = digest.to_string();
            call.string(digest.strip_prefix("sha256:").unwrap_or(&digest))
        }
        Err(error) => Err(no_answer(call, &error, file, site)),
    }
}
