//! What a page asks of the playground, and what it is answered.

use imgc_playground::Playground;
use serde_json::{Value, json};

fn ask(playground: &mut Playground, request: &Value) -> Value {
    let answer = playground.answer(request.to_string().as_bytes());
    let mut answer: Value = serde_json::from_slice(&answer).expect("an answer is JSON");
    match answer.get_mut("ok") {
        Some(ok) => ok.take(),
        None => panic!("{request}: {answer}"),
    }
}

fn refused(playground: &mut Playground, request: &str) -> String {
    let answer = playground.answer(request.as_bytes());
    let answer: Value = serde_json::from_slice(&answer).expect("an answer is JSON");
    let error = answer["error"].as_str();
    error
        .unwrap_or_else(|| panic!("{request}: {answer}"))
        .to_owned()
}

/// A project of one file.
fn with(text: &str) -> Playground {
    let mut playground = Playground::default();
    let files = json!({ "app.img": text });
    ask(&mut playground, &json!({ "ask": "open", "files": files }));
    playground
}

/// The codes of the findings, without and with evaluation.
fn codes(playground: &mut Playground) -> Vec<String> {
    let checked = ask(playground, &json!({ "ask": "check" }));
    let evaluated = ask(playground, &json!({ "ask": "evaluate", "file": "app.img" }));
    let found = [&checked, &evaluated["findings"]];
    let found = found
        .iter()
        .flat_map(|list| list.as_array().expect("a list"));
    found
        .map(|finding| finding["code"].as_str().expect("a code").to_owned())
        .collect()
}

#[test]
fn every_sample_is_right_and_formatted() {
    let mut playground = Playground::default();
    let samples = ask(&mut playground, &json!({ "ask": "samples" }));
    let samples = samples.as_array().expect("a list");
    assert_eq!(samples.len(), 5);
    for sample in samples {
        let pairs = sample["files"].as_array().expect("a list").iter();
        let files: serde_json::Map<String, Value> = pairs
            .map(|pair| {
                (
                    pair[0].as_str().expect("a name").to_owned(),
                    pair[1].clone(),
                )
            })
            .collect();
        ask(&mut playground, &json!({ "ask": "open", "files": files }));
        assert_eq!(ask(&mut playground, &json!({ "ask": "check" })), json!([]));
        let question = json!({ "ask": "evaluate", "file": sample["entry"] });
        let evaluated = ask(&mut playground, &question);
        assert_eq!(evaluated["findings"], json!([]), "{sample}");
        let title = sample["title"].as_str().expect("a title");
        let images = evaluated["images"].as_array().map(Vec::len);
        match title {
            "Values" => assert_eq!(images, None),
            "Two files" => assert_eq!(images, Some(2)),
            _ => assert_eq!(images, Some(1), "{title}"),
        }
        for file in files.keys() {
            let edits = ask(&mut playground, &json!({ "ask": "format", "file": file }));
            assert_eq!(edits, json!([]), "{file}");
            let tokens = ask(&mut playground, &json!({ "ask": "tokens", "file": file }));
            assert!(tokens.as_array().is_some_and(|tokens| tokens.len() > 10));
        }
    }
}

#[test]
fn a_mistake_is_told_with_its_place_and_mended_by_typing() {
    let text = "let\n  # \u{1f600}\n  a = \u{22}ü\u{22} + b;\nin a\n";
    let mut playground = with(text);
    let found = ask(&mut playground, &json!({ "ask": "check" }));
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(found[0]["code"], "IMG0201");
    assert_eq!(found[0]["severity"], "error");
    assert_eq!(found[0]["file"], "app.img");
    assert_eq!(found[0]["from"], json!([2, 12]));
    assert_eq!(found[0]["to"], json!([2, 13]));
    let change = json!({ "ask": "change", "file": "app.img", "text": "let a = 1; in [a]\n" });
    ask(&mut playground, &change);
    assert_eq!(codes(&mut playground), [""; 0]);
    let evaluated = ask(
        &mut playground,
        &json!({ "ask": "evaluate", "file": "app.img" }),
    );
    assert_eq!(evaluated["value"], "[1]");
    assert_eq!(evaluated["images"], Value::Null);
}

#[test]
fn what_mends_a_mistake_comes_with_it() {
    let mut playground = with("let\n  a = 1\nin a\n");
    let found = ask(&mut playground, &json!({ "ask": "check" }));
    let fix = &found[0]["fixes"][0];
    let place = json!([1, 7]);
    let edit = json!({ "file": "app.img", "from": place, "to": place, "text": ";" });
    assert_eq!(fix["edits"], json!([edit]), "{found}");
}

#[test]
fn a_plan_has_the_parts_of_the_image_and_their_places() {
    let text = "let debian = import std/debian; in\n\
                debian.image {\n  suite = \"trixie\";\n  packages = [\"nginx\"];\n  \
                files = { \"/etc/motd\" = \"hello\\n\"; };\n  config = { ports = [80]; };\n}\n";
    let mut playground = with(text);
    let evaluated = ask(
        &mut playground,
        &json!({ "ask": "evaluate", "file": "app.img" }),
    );
    let image = &evaluated["images"][0];
    assert_eq!(image["name"], "app");
    assert_eq!(image["platform"], "linux/amd64");
    let parts = image["parts"].as_array().expect("a list");
    let kinds: Vec<&Value> = parts.iter().map(|part| &part["kind"]).collect();
    assert_eq!(kinds, ["packages", "files", "config"]);
    let package = &parts[0]["lines"][0];
    assert_eq!(package["text"], "nginx");
    assert_eq!(package["place"]["from"], json!([3, 14]), "{package}");
    assert_eq!(parts[1]["lines"][0]["detail"], "6 bytes, 0644");
    assert_eq!(parts[2]["lines"][0]["detail"], "80/tcp");
    let json: Value = serde_json::from_str(evaluated["json"].as_str().expect("a text"))
        .expect("the plan is JSON");
    assert_eq!(json[0]["packages"]["names"], json!(["nginx"]));
}

#[test]
fn packages_are_offered_and_described() {
    let text = "let debian = import std/debian; in\ndebian.image { packages = [\"ngi\"]; }\n";
    let mut playground = with(text);
    let at = json!([1, 31]);
    let question = json!({ "ask": "complete", "file": "app.img", "at": at });
    let offers = ask(&mut playground, &question);
    let offers = offers.as_array().expect("a list");
    let place = offers.iter().position(|offer| offer["label"] == "nginx");
    let place = place.unwrap_or_else(|| panic!("{offers:?}"));
    assert_eq!(offers[place]["kind"], "package");
    let question = json!({ "ask": "describe", "completion": place });
    let words = ask(&mut playground, &question);
    assert!(
        words
            .as_str()
            .is_some_and(|words| words.contains("a web server")),
        "{words}"
    );
    let change =
        json!({ "ask": "change", "file": "app.img", "text": text.replace("ngi", "nginx") });
    ask(&mut playground, &change);
    let hover = ask(
        &mut playground,
        &json!({ "ask": "hover", "file": "app.img", "at": at }),
    );
    let words = hover["text"].as_str().expect("words");
    assert!(
        words.contains("**nginx** 1.") && words.contains("pinned"),
        "{words}"
    );
}

#[test]
fn a_file_is_formatted_by_edits() {
    let mut playground = with("let a=1;in [a ,a]");
    let edits = ask(
        &mut playground,
        &json!({ "ask": "format", "file": "app.img" }),
    );
    assert!(edits.as_array().is_some_and(|edits| !edits.is_empty()));
    // One that has mistakes is left alone.
    let mut playground = with("let a=;in [a ,a]");
    let edits = ask(
        &mut playground,
        &json!({ "ask": "format", "file": "app.img" }),
    );
    assert_eq!(edits, json!([]));
}

#[test]
fn a_function_is_not_called() {
    let mut playground = with("{ name : String } => name\n");
    let evaluated = ask(
        &mut playground,
        &json!({ "ask": "evaluate", "file": "app.img" }),
    );
    assert_eq!(evaluated["isFunction"], true);
    assert_eq!(evaluated["value"], Value::Null);
}

#[test]
fn endless_and_huge_programs_end_in_a_diagnostic() {
    let endless = "fold (n => i => n + i) 0 (range 0 1000000000)\n";
    assert_eq!(codes(&mut with(endless)), ["IMG0311"]);
    let doubled = (1..40).map(|n| format!("  a{n} = a{} ++ a{};\n", n - 1, n - 1));
    let huge = format!(
        "let\n  a0 = [1, 2, 3];\n{}in a39\n",
        doubled.collect::<String>()
    );
    assert_eq!(codes(&mut with(&huge)), ["IMG0311"]);
    let deep = format!("{}1{}\n", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(codes(&mut with(&deep)), ["IMG0129"]);
    let name = "a".repeat(200_000);
    assert_eq!(codes(&mut with(&name)), ["IMG0201"]);
}

#[test]
fn nothing_outside_of_the_project_is_read() {
    for text in ["./../../etc/passwd", "/etc/passwd", "import ./../x.img"] {
        let found = codes(&mut with(text));
        assert_eq!(found.len(), 1, "{text}: {found:?}");
    }
    let remote = "import \"https://mirror.example/x.img\"\n";
    assert_eq!(codes(&mut with(remote)), ["IMG0408"]);
}

#[test]
fn hostile_requests_are_refused() {
    let mut playground = Playground::default();
    for request in [
        "",
        "{",
        "null",
        "[]",
        "{\"ask\":\"nothing\"}",
        "{\"ask\":\"check\"}",
        "{\"ask\":\"check\",\"more\":1}",
        "{\"ask\":\"evaluate\",\"file\":\"app.img\"}",
        "{\"ask\":\"open\",\"files\":{}}",
        "{\"ask\":\"open\",\"files\":{\"app.img\":1}}",
        "{\"ask\":\"describe\",\"completion\":-1}",
        "\u{0}",
    ] {
        assert!(!refused(&mut playground, request).is_empty(), "{request}");
    }
    let deep = "[".repeat(100_000);
    refused(&mut playground, &deep);
    assert!(playground.answer(&[0xff, 0xfe]).starts_with(b"{\"error\":"));
    let long = format!("{}.img", "a".repeat(200));
    for name in [
        "",
        "app",
        "../app.img",
        "/app.img",
        "a//b.img",
        "a b.img",
        ".img",
        &long,
    ] {
        let request = json!({ "ask": "open", "files": { name: "1" } }).to_string();
        assert!(
            refused(&mut playground, &request).contains("name"),
            "{name}"
        );
    }
    let files = (0..17).map(|n| (format!("f{n}.img"), json!("1")));
    let files: serde_json::Map<String, Value> = files.collect();
    let request = json!({ "ask": "open", "files": files }).to_string();
    assert!(refused(&mut playground, &request).contains("16 files"));
    let large = json!({ "app.img": "#".repeat(2 << 20) });
    let request = json!({ "ask": "open", "files": large }).to_string();
    assert!(refused(&mut playground, &request).contains("KiB"));
}

#[test]
fn places_out_of_the_text_are_its_ends() {
    let mut playground = with("[1]\n");
    for at in [json!([0, 99]), json!([99, 0]), json!([u32::MAX, u32::MAX])] {
        for question in ["hover", "complete"] {
            ask(
                &mut playground,
                &json!({ "ask": question, "file": "app.img", "at": at }),
            );
        }
    }
    let request = json!({ "ask": "hover", "file": "other.img", "at": [0, 0] }).to_string();
    assert!(refused(&mut playground, &request).contains("other.img"));
}

#[test]
fn a_page_calls_through_memory() {
    use imgc_playground::abi;
    assert!(abi::imgc_room(abi::MAX_REQUEST + 1).is_null());
    assert!(!abi::imgc_room(16).is_null());
    // Sixteen zeros are no request, and are answered.
    assert!(abi::imgc_ask() > 0);
    assert!(!abi::imgc_answer().is_null());
}
