//! Who the user is for a registry, as podman (`containers-auth.json(5)`) and docker
//! (`config.json`) keep it. Programs that keep logins are named, and not run.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use imgc_oci::Credentials;
use serde::Deserialize;

use crate::describe::{self, Problem};
use crate::settings::folder_variable;

/// The largest file of logins, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// What is known of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Login {
    /// A name and a password.
    Known(Credentials),
    /// A program keeps them, or they are of a kind that imgc has no use for: what, and which
    /// file says so.
    Elsewhere(String, PathBuf),
    /// Nothing.
    Nothing,
}

/// A file of logins.
#[derive(Debug, Default, Deserialize)]
struct Logins {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    helper: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Entry {
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default, rename = "identitytoken")]
    identity_token: Option<String>,
}

/// Who the user is for a repository of a registry. The first file that says something counts.
///
/// # Errors
/// A file that can't be read, or is not what it should be.
pub(crate) fn find(host: &str, name: &str) -> Result<Login, Problem> {
    let mut login = Login::Nothing;
    for file in files() {
        let Some(text) = read(&file)? else { continue };
        let logins: Logins = serde_json::from_str(&text)
            .map_err(|error| Problem::new(format!("{} has no logins: {error}", file.display())))?;
        match logins.of(host, name, &file)? {
            Login::Nothing => {}
            found @ Login::Known(_) => return Ok(found),
            found @ Login::Elsewhere(..) if login == Login::Nothing => login = found,
            Login::Elsewhere(..) => {}
        }
    }
    Ok(login)
}

/// The files that may have logins, the first one first.
fn files() -> Vec<PathBuf> {
    if let Some(file) = folder_variable("REGISTRY_AUTH_FILE") {
        return vec![file];
    }
    let home = folder_variable("HOME");
    let below = |variable: &str, path: &str| folder_variable(variable).map(|at| at.join(path));
    let at_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let user = nix::unistd::getuid();
    let found = [
        below("XDG_RUNTIME_DIR", "containers/auth.json")
            .or_else(|| Some(format!("/run/containers/{user}/auth.json").into())),
        below("XDG_CONFIG_HOME", "containers/auth.json")
            .or_else(|| at_home(".config/containers/auth.json")),
        below("DOCKER_CONFIG", "config.json").or_else(|| at_home(".docker/config.json")),
    ];
    found.into_iter().flatten().collect()
}

#[expect(clippy::disallowed_methods, reason = "the user's own logins")]
fn read(path: &Path) -> Result<Option<String>, Problem> {
    let failed = |error| describe::disk("read", path, &error);
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut text = String::new();
    let taken = file.take(MAX_FILE).read_to_string(&mut text);
    taken.map_err(failed)?;
    Ok(Some(text))
}

impl Logins {
    /// What it says of a repository: `HOST/NAME` and each folder above it, then `HOST`.
    fn of(&self, host: &str, name: &str, file: &Path) -> Result<Login, Problem> {
        let whole = format!("{host}/{name}");
        let mut wanted = Some(whole.as_str());
        while let Some(key) = wanted {
            let entry = self.auths.iter().find(|(known, _)| plain(known) == key);
            match entry.map(|(_, entry)| entry.login(file)).transpose()? {
                None | Some(Login::Nothing) => {}
                Some(found) => return Ok(found),
            }
            wanted = key.rsplit_once('/').map(|(above, _)| above);
        }
        let helper = self.helpers.get(host);
        // The helper of everything keeps a login where there is an entry without one.
        let is_known = || self.auths.keys().any(|known| plain(known) == host);
        let helper = helper.or(self.helper.as_ref().filter(|_| is_known()));
        Ok(match helper {
            Some(helper) => {
                let program = format!("the program `docker-credential-{helper}` keeps it");
                Login::Elsewhere(program, file.to_owned())
            }
            None => Login::Nothing,
        })
    }
}

/// `https://HOST/v1/` is what docker once wrote for `HOST`.
fn plain(key: &str) -> &str {
    let key = key.split_once("://").map_or(key, |(_, rest)| rest);
    let key = key.trim_end_matches('/');
    let key = key
        .strip_suffix("/v1")
        .or(key.strip_suffix("/v2"))
        .unwrap_or(key);
    key.trim_end_matches('/')
}

impl Entry {
    fn login(&self, file: &Path) -> Result<Login, Problem> {
        if let Some((user, password)) = self.username.as_ref().zip(self.password.as_ref()) {
            return Ok(Login::Known(Credentials {
                user: user.clone(),
                password: password.clone(),
            }));
        }
        if self
            .identity_token
            .as_ref()
            .is_some_and(|token| !token.is_empty())
        {
            let what = "it is an identity token, which imgc does not use".to_owned();
            return Ok(Login::Elsewhere(what, file.to_owned()));
        }
        let Some(auth) = self.auth.as_ref().filter(|auth| !auth.is_empty()) else {
            return Ok(Login::Nothing);
        };
        let bad = || {
            let message = format!("{} has a login that can't be read", file.display());
            Problem::new(message).help("log in anew")
        };
        let bytes = STANDARD.decode(auth.trim());
        let bytes = bytes.or_else(|_| STANDARD_NO_PAD.decode(auth.trim()));
        let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(bad)?;
        let (user, password) = text.split_once(':').ok_or_else(bad)?;
        Ok(Login::Known(Credentials {
            user: user.to_owned(),
            // docker has written zeros behind it.
            password: password.trim_end_matches('\0').to_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, host: &str, name: &str) -> Login {
        let logins: Logins = serde_json::from_str(text).expect("JSON");
        let found = logins.of(host, name, Path::new("file"));
        found.expect("a login that can be read")
    }

    fn known(user: &str, password: &str) -> Login {
        Login::Known(Credentials {
            user: user.to_owned(),
            password: password.to_owned(),
        })
    }

    #[test]
    fn the_nearest_entry_counts() {
        // `a:b`, `c:d:e`.
        let text = r#"{ "auths": {
            "reg.example:5000": { "auth": "YTpi" },
            "reg.example:5000/team": { "auth": "YzpkOmU=" },
            "https://old.example/v1/": { "auth": "YTpi" }
        } }"#;
        assert_eq!(of(text, "reg.example:5000", "app"), known("a", "b"));
        assert_eq!(of(text, "reg.example:5000", "team/app"), known("c", "d:e"));
        assert_eq!(of(text, "reg.example:5000", "teams/app"), known("a", "b"));
        assert_eq!(of(text, "old.example", "app"), known("a", "b"));
        assert_eq!(of(text, "reg.example", "app"), Login::Nothing);
        assert_eq!(of("{}", "reg.example", "app"), Login::Nothing);
    }

    #[test]
    fn programs_are_named() {
        let text = r#"{
            "auths": { "b.example": {}, "c.example": { "identitytoken": "x" } },
            "credHelpers": { "a.example": "pass" },
            "credsStore": "desktop"
        }"#;
        let says = |host: &str| match of(text, host, "app") {
            Login::Elsewhere(what, _) => what,
            other => panic!("{other:?}"),
        };
        assert!(says("a.example").contains("`docker-credential-pass`"));
        assert!(says("b.example").contains("`docker-credential-desktop`"));
        assert!(says("c.example").contains("identity token"));
        assert_eq!(of(text, "d.example", "app"), Login::Nothing);
    }

    #[test]
    fn a_login_that_is_none_is_refused() {
        for auth in ["???", "YWI=", "/w=="] {
            let text = format!("{{\"auths\":{{\"a\":{{\"auth\":\"{auth}\"}}}}}}");
            let logins: Logins = serde_json::from_str(&text).expect("JSON");
            assert!(logins.of("a", "b", Path::new("file")).is_err(), "{auth}");
        }
    }
}
