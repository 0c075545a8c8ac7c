//! tmp
use imgc_eval::{MemoryWorld, Options, show};
use std::time::Instant;
#[test]
#[allow(clippy::disallowed_methods)]
fn time() {
    let n = 10_000;
    let flat = format!("let {} in [{}]", (0..n).map(|i| format!("a{i} = {i};\n")).collect::<String>(), (0..n).map(|i| format!("a{i}, ")).collect::<String>());
    let chain = format!("let a0 = 1; {} in a{}", (1..1000).map(|i| format!("a{i} = a{} + 1;\n", i-1)).collect::<String>(), 999);
    let nested = (0..90).map(|i| format!("let a{i} = {i}; in ")).collect::<String>() + "a0";
    let unused = format!("let {} in 1", (0..n).map(|i| format!("a{i} = {i};\n")).collect::<String>());
    let unbound = format!("let {} in [{}]", (0..n).map(|i| format!("abc{i} = {i};\n")).collect::<String>(), (0..n).map(|i| format!("abd{i}, ")).collect::<String>());
    let record = format!("{{ {} }}", (0..n).map(|i| format!("a{i} = {i};\n")).collect::<String>());
    let back = format!("let {} in 1", (0..n).map(|i| format!("_a{i} = [_a{}, _a{}];\n", i.max(1)-1, (i+1).min(n-1))).collect::<String>());
    for (name, text) in [("flat", flat), ("chain", chain), ("nested", nested), ("unused", unused), ("record", record), ("back", back), ("unbound", unbound)] {
        let t = Instant::now();
        let p = imgc_syntax::parse(&text);
        let tp = t.elapsed();
        let errors = p.errors().len();
        let world = MemoryWorld::new().file("main.img", &text);
        let t = Instant::now();
        let shown = show(&world, "main.img", &Options::default());
        eprintln!("{name}: parse {tp:?} ({errors}) all {:?} {} diags {:?}", t.elapsed(), shown.diagnostics.len(), shown.text.map(|t| t.len()));
        let t = Instant::now();
        if let Some(d) = shown.diagnostics.first() { imgc_diag::render(d, &shown.sources, false, 80); eprintln!("   one render {:?}", t.elapsed()); }
    }
}
