//! The challenge of a registry, `WWW-Authenticate: Bearer realm="…",service="…"`
//! (RFC 6750, and the token authentication of registries). Only reads and builds text.

/// Where a token is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl Challenge {
    /// Reads a `Bearer` challenge.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, mut rest) = text.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        loop {
            rest = rest.trim_start_matches([' ', ',']);
            if rest.is_empty() {
                break;
            }
            let (name, after) = rest.split_once('=')?;
            let value;
            (value, rest) = value_of(after)?;
            match name.trim().to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value),
                "service" => service = Some(value),
                "scope" => scope = Some(value),
                _ => {}
            }
        }
        Some(Self {
            realm: realm?,
            service,
            scope,
        })
    }

    /// The address of the token. Of the scopes the first is asked for where the challenge
    /// names none, the others always.
    pub(super) fn token_url(&self, scopes: &[String]) -> Option<String> {
        let known = ["https://", "http://"];
        let is_address = known.iter().any(|scheme| self.realm.starts_with(scheme));
        let is_plain = self.realm.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_address || !is_plain || self.realm.contains('#') {
            return None;
        }
        let mark = if self.realm.contains('?') { '&' } else { '?' };
        let (first, others) = scopes.split_first()?;
        let scope = escape(self.scope.as_deref().unwrap_or(first));
        let mut url = format!("{}{mark}scope={scope}", self.realm);
        for scope in others {
            url.push_str("&scope=");
            url.push_str(&escape(scope));
        }
        if let Some(service) = &self.service {
            url.push_str("&service=");
            url.push_str(&escape(service));
        }
        Some(url)
    }
}

/// A value with or without quotes, and what follows it.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            other => value.push(other),
        }
    }
    None
}

/// Text as a value of a query (RFC 3986).
fn escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_registries_send() {
        let challenge = Challenge::parse(
            "Bearer realm=\"https://auth.example/token\",service=\"a registry\", scope=\"repository:a/b:pull\"",
        );
        let url = challenge.and_then(|challenge| {
            challenge.token_url(&["unused".to_owned(), "repository:c:pull".to_owned()])
        });
        assert_eq!(
            url.as_deref(),
            Some(
                "https://auth.example/token?scope=repository:a/b:pull&scope=repository:c:pull&service=a%20registry"
            )
        );
        let plain = Challenge::parse("bearer realm=https://auth.example/t?x=1");
        assert_eq!(
            plain
                .and_then(|plain| plain.token_url(&["s".to_owned()]))
                .as_deref(),
            Some("https://auth.example/t?x=1&scope=s")
        );
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "Basic realm=\"x\"",
            "Bearer",
            "Bearer service=\"x\"",
            "Bearer realm=\"x",
        ] {
            assert_eq!(Challenge::parse(text), None, "{text}");
        }
        for realm in ["file:///etc/passwd", "https://a b", "https://a/#b"] {
            let challenge = Challenge::parse(&format!("Bearer realm=\"{realm}\""));
            let challenge = challenge.expect("a challenge");
            assert_eq!(challenge.token_url(&["s".to_owned()]), None, "{realm}");
        }
    }
}
