//! Why something is made anew: what differs from the last time.
//!
//! Beside the records of derivations the store keeps, for each kind and name, what the
//! last one was made of. Nothing that is built depends on it.

use std::collections::BTreeMap;

use imgc_plan::DrvDigest;
use imgc_store::{BlobDigest, Store, StoreError};
use serde_json::Value;

/// How many differences are named.
const NAMED: usize = 12;

/// Why a derivation is realised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Nothing of this kind and name was made in this store.
    New,
    /// It was made, but this blob of it is gone or was damaged.
    Gone(BlobDigest),
    /// The last one of this kind and name was made of other things: what differs, in
    /// words.
    Changed(Vec<String>),
    /// It is asked for in the words of the last one: an input came out otherwise, or imgc
    /// itself makes it in another way.
    Input,
}

/// Under what the last one is remembered. No derivation encodes to such a text.
fn key(kind: &str, name: &str) -> DrvDigest {
    DrvDigest::of(format!("imgc last {kind}\n{name}").as_bytes())
}

/// Why `said` is made now.
pub(crate) fn why(
    store: &dyn Store,
    kind: &str,
    name: &str,
    said: &Value,
) -> Result<Why, StoreError> {
    if said.is_null() {
        return Ok(Why::New);
    }
    let Some(last) = store.action(&key(kind, name))? else {
        return Ok(Why::New);
    };
    let Ok(last) = serde_json::from_slice::<Value>(&last) else {
        return Ok(Why::New);
    };
    let mut differences = Vec::new();
    compare("", &last, said, &mut differences);
    if differences.len() > NAMED {
        let more = differences.len() - NAMED;
        differences.truncate(NAMED);
        differences.push(format!("{more} more"));
    }
    Ok(match differences.is_empty() {
        true => Why::Input,
        false => Why::Changed(differences),
    })
}

/// Remembers what was made.
pub(crate) fn remember(
    store: &dyn Store,
    kind: &str,
    name: &str,
    said: &Value,
) -> Result<(), StoreError> {
    if said.is_null() {
        return Ok(());
    }
    store.record(&key(kind, name), said.to_string().as_bytes())
}

/// Names what differs between two values, in order.
fn compare(at: &str, old: &Value, new: &Value, to: &mut Vec<String>) {
    let below = |name: &str| match at {
        "" => name.to_owned(),
        at => format!("{at}.{name}"),
    };
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                let null = &Value::Null;
                let (old, new) = (old.get(name), new.get(name));
                compare(&below(name), old.unwrap_or(null), new.unwrap_or(null), to);
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            let (old, new) = (named(old), named(new));
            for (name, (position, value)) in &new {
                match old.get(name) {
                    None => to.push(format!("{at}: + {name}")),
                    Some((_, other)) if other != value => match value.as_str() {
                        Some(text) => to.push(format!(
                            "{at}: {name} {} → {text}",
                            other.as_str().unwrap_or_default()
                        )),
                        None => to.push(format!("{at}: {name}")),
                    },
                    Some((other, _)) if old.len() == new.len() && other != position => {
                        to.push(format!("{at}: {name} stands elsewhere"));
                    }
                    Some(_) => {}
                }
            }
            for name in old.keys().filter(|name| !new.contains_key(*name)) {
                to.push(format!("{at}: - {name}"));
            }
        }
        (old, new) if old != new => {
            let shown = |value: &Value| match value {
                Value::Null => "nothing".to_owned(),
                Value::String(text) if text.len() <= 64 => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Bool(truth) => truth.to_string(),
                _ => "…".to_owned(),
            };
            to.push(match (shown(old), shown(new)) {
                (old, new) if old == new => at.to_owned(),
                (old, new) => format!("{at}: {old} → {new}"),
            });
        }
        _ => {}
    }
}

/// The items of a list by what they are called: their `path` or `name`, the first word of
/// a text (`libc6 2.41-12`), or themselves. The first of a name counts.
fn named(items: &[Value]) -> BTreeMap<String, (usize, Value)> {
    let mut named = BTreeMap::new();
    for (position, item) in items.iter().enumerate() {
        let called = ["path", "name"]
            .iter()
            .find_map(|key| item.get(key)?.as_str().map(str::to_owned));
        let (name, value) = match (called, item.as_str()) {
            (Some(name), _) => (name, item.clone()),
            (None, Some(text)) => match text.split_once(' ') {
                Some((name, rest)) => (name.to_owned(), Value::from(rest)),
                None => (text.to_owned(), Value::Null),
            },
            (None, None) => (item.to_string(), Value::Null),
        };
        named.entry(name).or_insert((position, value));
    }
    named
}

#[cfg(test)]
mod tests {
    use imgc_store::MemoryStore;
    use serde_json::json;

    use super::*;

    fn changed(old: Value, new: Value) -> Why {
        let store = MemoryStore::new();
        remember(&store, "files", "app", &old).expect("remembered");
        why(&store, "files", "app", &new).expect("asked")
    }

    #[test]
    fn what_differs_is_named() {
        let old = json!({
            "packages": ["libc6 2.41-12 amd64", "tzdata 2025b amd64", "zlib1g 1.3 amd64"],
            "files": [{"path": "/etc/motd", "mode": 420}, {"path": "/srv"}],
            "epoch": 1,
        });
        let new = json!({
            "packages": ["libc6 2.41-13 amd64", "curl 8.14 amd64", "zlib1g 1.3 amd64"],
            "files": [{"path": "/etc/motd", "mode": 384}, {"path": "/srv"}],
            "epoch": 2,
            "skip": "cron",
        });
        let expected = [
            "epoch: 1 → 2",
            "files: /etc/motd",
            "packages: + curl",
            "packages: libc6 2.41-12 amd64 → 2.41-13 amd64",
            "packages: - tzdata",
            "skip: nothing → cron",
        ];
        let expected = expected.map(str::to_owned).to_vec();
        assert_eq!(changed(old, new), Why::Changed(expected));
    }

    #[test]
    fn an_order_that_changed_is_named() {
        let Why::Changed(words) = changed(json!({"l": ["a", "b"]}), json!({"l": ["b", "a"]}))
        else {
            panic!("it changed");
        };
        assert_eq!(words, ["l: a stands elsewhere", "l: b stands elsewhere"]);
    }

    #[test]
    fn many_differences_are_counted() {
        let list: Vec<String> = (0..100).map(|n| format!("p{n:03} 1")).collect();
        let Why::Changed(words) = changed(json!({ "l": [] }), json!({ "l": list })) else {
            panic!("it changed");
        };
        assert_eq!(words.len(), NAMED + 1);
        assert_eq!(words[NAMED], "88 more");
    }

    #[test]
    fn the_first_time_and_the_same_again() {
        let store = MemoryStore::new();
        let said = json!({ "a": 1 });
        assert_eq!(why(&store, "files", "app", &said).expect("asked"), Why::New);
        remember(&store, "files", "app", &said).expect("remembered");
        assert_eq!(
            why(&store, "files", "app", &said).expect("asked"),
            Why::Input
        );
        assert_eq!(
            why(&store, "files", "other", &said).expect("asked"),
            Why::New
        );
    }
}
