//! Names and types of any text end in diagnostics at places of the text.
#![no_main]

use std::sync::Arc;

use imgc_eval::{MemoryWorld, Options, Session};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let world = MemoryWorld::new()
        .module("debian", imgc_stdlib::module("debian").expect("std/debian"))
        .file("main.img", text);
    let checked = Session::new(Arc::new(world)).check("main.img", &Options::default());
    for diagnostic in &checked.diagnostics {
        let range = diagnostic.primary.span.range;
        assert!(text.get(range.start as usize..range.end as usize).is_some());
    }
});
