//! The modules of the language that come with imgc, as text.
//!
//! This crate only embeds them: it parses and evaluates nothing.

/// The modules, sorted by name: `("debian", text)` for `std/debian`.
const MODULES: &[(&str, &str)] = &[
    ("apache", include_str!("../apache.img")),
    ("debian", include_str!("../debian.img")),
    ("distroless", include_str!("../distroless.img")),
    ("files", include_str!("../files.img")),
    ("go", include_str!("../go.img")),
    ("haproxy", include_str!("../haproxy.img")),
    ("java", include_str!("../java.img")),
    ("mariadb", include_str!("../mariadb.img")),
    ("memcached", include_str!("../memcached.img")),
    ("nginx", include_str!("../nginx.img")),
    ("node", include_str!("../node.img")),
    ("perl", include_str!("../perl.img")),
    ("php", include_str!("../php.img")),
    ("postgresql", include_str!("../postgresql.img")),
    ("python", include_str!("../python.img")),
    ("recipe", include_str!("../recipe.img")),
    ("redis", include_str!("../redis.img")),
    ("ruby", include_str!("../ruby.img")),
    ("rust", include_str!("../rust.img")),
    ("tools", include_str!("../tools.img")),
];

/// The text of `std/name`, if there is such a module.
pub fn module(name: &str) -> Option<&'static str> {
    let at = MODULES
        .binary_search_by(|(module, _)| (*module).cmp(name))
        .ok()?;
    Some(MODULES[at].1)
}

/// Every module with its text, sorted by name.
pub fn modules() -> &'static [(&'static str, &'static str)] {
    MODULES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_by_name() {
        assert!(modules().is_sorted());
        for (name, text) in modules() {
            assert_eq!(module(name), Some(*text));
            assert!(text.starts_with("##"), "{name} says what it is");
        }
        assert_eq!(module("nope"), None);
    }
}
