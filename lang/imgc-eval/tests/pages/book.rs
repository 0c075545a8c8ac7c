//! Runs every program of the book's pages and of the README.

use crate::support::{blocks, elf, pages, run, world};
use imgc_eval::MemoryWorld;

/// The project that the pages speak of.
pub(crate) fn project() -> MemoryWorld {
    world()
        .executable("server", elf("amd64", "static"))
        .executable("server-amd64", elf("amd64", "static"))
        .executable("server-arm64", elf("arm64", "static"))
        .file("motd", "Hello.\n")
        .file("site/index.html", "<!doctype html>\n")
        .file("site/css/site.css", "body {}\n")
        .file("app.conf", "port 8080\n")
        .file("app.json", "{ \"port\": 8080 }\n")
        .file("app.toml", "port = 8080\n")
        .file("app.yaml", "port: 8080\n")
        .file("app/main.py", "print()\n")
        .file("app.jar", "PK")
        .file("site.conf", "server { listen 8080; }\n")
        .file("office.pem", "-----BEGIN CERTIFICATE-----\n")
}

#[test]
fn every_program_of_the_book_holds() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let folders = [
        "../../book/src/language",
        "../../book/src/recipes",
        "../../book/src",
        "../..",
    ];
    for (page, text) in folders.into_iter().flat_map(pages) {
        let blocks = blocks(&text);
        // Modules of a page are there for all its programs.
        let modules = blocks
            .iter()
            .filter(|block| block.kind == "img" && block.words.contains_key("path"))
            .fold(project(), |world, block| {
                world.file(&block.words["path"], &block.text)
            });
        for (index, block) in blocks.iter().enumerate() {
            if block.kind != "img" || block.words.contains_key("path") {
                continue;
            }
            count += 1;
            // What follows directly says what the program gives.
            let next = blocks.get(index + 1);
            let answer = next.filter(|next| next.kind == "value" || next.kind == "plan");
            let case: Vec<_> = std::iter::once(block).chain(answer).cloned().collect();
            if let Err(why) = run(modules.clone(), &case) {
                wrong.push(format!("{page}:{}:\n{why}", block.line));
            }
        }
    }
    assert!(count > 0, "there are programs");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
