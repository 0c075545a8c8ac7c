//! Names and types of any text end in diagnostics at places of the text.
#![no_main]

use std::sync::Arc;

use imgc_eval::{MemoryWorld, Options, Session};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let modules = imgc_stdlib::modules().iter();
    let world = modules
        .fold(MemoryWorld::new(), |world, (name, module)| {
            world.module(name, module)
        })
        .file("main.img", text);
    let checked = Session::new(Arc::new(world)).check("main.img", &Options::default());
    for diagnostic in &checked.diagnostics {
        let range = diagnostic.primary.span.range;
        assert!(text.get(range.start as usize..range.end as usize).is_some());
    }
});
