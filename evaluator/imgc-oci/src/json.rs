//! JSON with one form: keys sorted, no white space. Digests are taken of it.

use serde::Serialize;

/// The bytes of `document`. Objects are sorted by key, whatever maps serde and
/// oci-spec keep them in.
pub(crate) fn canonical(document: &impl Serialize) -> Vec<u8> {
    let mut value = serde_json::to_value(document).expect("documents have only string keys");
    // Sorted already, unless another crate turned serde_json's `preserve_order` on.
    value.sort_all_objects();
    serde_json::to_vec(&value).expect("a value is JSON")
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_are_sorted_at_every_depth() {
        #[derive(serde::Serialize)]
        struct Unsorted {
            z: u8,
            a: Vec<Inner>,
        }
        #[derive(serde::Serialize)]
        struct Inner {
            y: &'static str,
            b: Option<u8>,
        }
        let bytes = super::canonical(&Unsorted {
            z: 1,
            a: vec![Inner { y: "ü\"", b: None }],
        });
        assert_eq!(bytes, r#"{"a":[{"b":null,"y":"ü\""}],"z":1}"#.as_bytes());
    }
}
