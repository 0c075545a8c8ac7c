//! Rows of the builtins that read files of the project. What they do is in
//! `native/files.rs`.

use super::{Row, Run};
use crate::native::files;

/// The rows.
pub(super) const ROWS: &[Row] = &[
    row("fileExists", "Path -> Bool", Run::Plain(files::file_exists))
        .text("Whether there is a file or folder at a path of the project.")
        .example("[fileExists ./motd, fileExists ./missing]", "[true, false]"),
    row("fileName", "Path -> String", Run::Plain(files::file_name))
        .text("The last part of a path.")
        .example("fileName ./site/index.html", "\"index.html\""),
    row("listDir", "Path -> [String]", Run::Plain(files::list_dir))
        .text("The names of what is in a folder of the project, sorted.")
        .example("listDir ./site", "[\"css\", \"index.html\"]"),
    row("readFile", "Path -> String", Run::Plain(files::read_file))
        .text("The text of a project file: UTF-8, at most 1 MiB.")
        .example("readFile ./motd", "\"Hello.\\n\""),
    row("readJson", "Path -> Data", Run::Plain(files::read_json))
        .text("What a JSON file of the project holds.")
        .example("readJson ./app.json |> field \"port\" |> asInt", "8080"),
    row("readToml", "Path -> Data", Run::Plain(files::read_toml))
        .text("What a TOML file of the project holds.")
        .example("readToml ./app.toml |> field \"port\" |> asInt", "8080"),
    row("readYaml", "Path -> Data", Run::Plain(files::read_yaml))
        .text("What a YAML file of the project holds: one document of YAML 1.2.")
        .example("readYaml ./app.yaml |> field \"port\" |> asInt", "8080"),
];

const fn row(name: &'static str, signature: &'static str, run: Run) -> Row {
    Row::new("Files", name, signature, run)
}
