//! How a registry's challenge is answered: with a token (RFC 6750, and the token
//! authentication of registries), or with a name and password (RFC 7617). Nothing is asked
//! here, and no credentials are looked up.

mod challenge;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use challenge::Challenge;

/// The longest token that is sent back, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// Who somebody is for a registry.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// The password, or a token in its place.
    pub password: String,
}

impl fmt::Debug for Credentials {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({:?})", self.user)
    }
}

impl Credentials {
    /// The value of the header `authorization`.
    pub(crate) fn basic(&self) -> String {
        let text = format!("{}:{}", self.user, self.password);
        format!("Basic {}", STANDARD.encode(text))
    }
}

/// What a challenge asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Demand {
    /// A token, to be had at this address.
    Token(String),
    /// A name and a password.
    Password,
}

/// What the header `www-authenticate` asks for. Of the scopes the first is asked for where
/// it names none, the others always. None: nothing that is known.
pub(crate) fn demand(header: &str, scopes: &[String]) -> Option<Demand> {
    let scheme = header.trim().split(' ').next().unwrap_or_default();
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Demand::Password);
    }
    Challenge::parse(header)?
        .token_url(scopes)
        .map(Demand::Token)
}

/// The value of the header `authorization` for what a token's server answered.
pub(crate) fn bearer(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Text {
        token: Option<String>,
        access_token: Option<String>,
    }
    let text: Text = serde_json::from_slice(body).ok()?;
    let token = text.token.or(text.access_token)?;
    // It becomes part of a header.
    let plain = token.bytes().all(|byte| byte.is_ascii_graphic());
    (!token.is_empty() && token.len() <= MAX_TOKEN && plain).then(|| format!("Bearer {token}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_sent_as_the_standard_has_it() {
        // The example of RFC 7617.
        let credentials = Credentials {
            user: "Aladdin".to_owned(),
            password: "open sesame".to_owned(),
        };
        assert_eq!(credentials.basic(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(!format!("{credentials:?}").contains("sesame"));
    }

    #[test]
    fn demands_are_told_apart() {
        let scopes = ["repository:a:pull".to_owned()];
        assert_eq!(demand("Basic realm=\"x\"", &scopes), Some(Demand::Password));
        let token = demand("Bearer realm=\"https://auth.example/t\"", &scopes);
        let url = "https://auth.example/t?scope=repository:a:pull".to_owned();
        assert_eq!(token, Some(Demand::Token(url)));
        assert_eq!(demand("Negotiate", &scopes), None);
    }

    #[test]
    fn tokens_fit_in_a_header() {
        assert_eq!(
            bearer(b"{\"access_token\":\"abc\"}").as_deref(),
            Some("Bearer abc")
        );
        for bad in ["", "{}", "{\"token\":\"\"}", "{\"token\":\"a\\r\\nb: c\"}"] {
            assert_eq!(bearer(bad.as_bytes()), None, "{bad}");
        }
    }
}
