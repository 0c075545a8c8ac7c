//! Rows of the builtins that make images and their parts. What they do is in `host/`.

use super::{Limit, Row, Run};
use crate::host;
use crate::vm::call::{Call, Eval};
use crate::vm::value::Value;

/// The rows.
pub(super) const ROWS: &[Row] = &[
    row("binary", "Program -> File", Run::Plain(host::binary))
        .text("A program of the project, mode `0o755`. It must be a static ELF file of the image's architecture. With a record, one program for each architecture: `binary { amd64 = ./a; arm64 = ./b; }`.")
        .example("image { files = { \"/usr/bin/server\" = binary ./server; }; }", ""),
    row(
        "debianPackages",
        "{ suite : Suite, variant : Variant, names : [Package], recommends ? : Bool, skip ? : Map String, effects ? : Map Effects, exclude ? : [String], include ? : [String], archives ? : [Archive] } -> Packages",
        Run::Plain(host::debian_packages),
    )
        .text("Debian packages for the field `packages` of an image. `skip` names packages whose maintainer scripts are not interpreted, each with the reason; `effects` says what is done in the place of a package's scripts. `exclude` has patterns of paths that are not unpacked, and `include` of those that are all the same: as dpkg's `path-exclude` and `path-include`. `archives` names archives beside those of the suite.")
        .example("image { packages = debianPackages { suite = \"trixie\"; variant = \"essential\"; names = [\"tzdata\"]; }; }", ""),
    row("defaultPlatform", "Platform", Run::Constant(default_platform))
        .text("The platform that images are built for when they name none: `\"linux/amd64\"`, unless the command line says another.")
        .example("\"for ${defaultPlatform}\"", "\"for linux/amd64\""),
    row(
        "directory",
        "{ source ? : Path, mode ? : Mode, setgid ? : Bool, sticky ? : Bool, user ? : Owner, group ? : Owner } -> File",
        Run::Plain(host::directory),
    )
        .text("A folder with a mode and an owner. `sticky` and `setgid` are the bits of these names. With `source`, everything in that folder of the project is copied too.")
        .example("image { files = { \"/var/lib/app\" = directory { mode = 0o700; user = \"app\"; }; }; }", ""),
    row(
        "extend",
        "{ name ? : String, platform ? : Platform, base ? : String, packages ? : [Package], users ? : [User], groups ? : [Group], files ? : Map File, attributes ? : Map Attributes, config ? : Config, layers ? : Layers, annotations ? : Map String, provided ? : Map String } -> Image -> Image",
        Run::Plain(host::extend),
    )
        .text("An image with more. Lists append, and records and maps merge. Two different values for one thing are an error that shows both.")
        .example("image { config = { env = { TZ = \"UTC\"; }; }; } |> extend { config = { env = { LANG = \"C.UTF-8\"; }; }; }", ""),
    row(
        "fetch",
        "{ url : String, sha256 : String } -> Source",
        Run::Plain(host::fetch),
    )
        .text("A file from elsewhere, which is fetched when the image is built: from an address of `https`, and refused unless it has this SHA-256. It stands where a file of the project does: in `files`, and as the `source` of `file` and `unpack`.")
        .example("image { files = { \"/usr/bin/app\" = file { source = fetch { url = \"https://example.org/app\"; sha256 = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"; }; mode = 0o755; }; }; }", ""),
    row(
        "file",
        "{ text ? : String, source ? : Source, mode ? : Mode, setuid ? : Bool, setgid ? : Bool, user ? : Owner, group ? : Owner, capabilities ? : [String] } -> File",
        Run::Plain(host::file),
    )
        .text("A file from `text`, from the project or fetched (`source`), with a mode and an owner. `setuid` and `setgid` let a program run as its owner or group, and `capabilities` with capabilities, such as `[\"cap_net_bind_service\"]`.")
        .example("image { files = { \"/etc/motd\" = file { text = \"hello\"; mode = 0o600; }; }; }", ""),
    row(
        "image",
        "{ name ? : String, platform ? : Platform, base ? : String, packages ? : Packages, users ? : [User], groups ? : [Group], files ? : Map File, attributes ? : Map Attributes, config ? : Config, layers ? : Layers, annotations ? : Map String, provided ? : Map String } -> Image",
        Run::Plain(host::image),
    )
        .text("An image. Its fields are on the page about images.")
        .example("image { name = \"app\"; files = { \"/etc/motd\" = \"hello\\n\"; }; }", ""),
    row(
        "index",
        "{ name ? : String, images : [Image], annotations ? : Map String } -> Index",
        Run::Plain(host::index),
    )
        .text("Images under one name, each for another platform: an image index. Who pulls it gets the image of their own platform.")
        .example("index { images = map (platform => image { platform; }) [\"linux/amd64\", \"linux/arm64\"]; }", ""),
    row("merge", "Image -> Image -> Image", Run::Plain(host::merge))
        .text("Two images as one, by the rules of `extend`.")
        .example("merge (image { config = { user = \"app\"; }; }) (image { config = { workdir = \"/srv\"; }; })", ""),
    row("mode", "Int -> Mode", Run::Plain(host::mode))
        .text("A number that is computed as the mode of a file, from 0 to `0o777`. A literal needs no such word.")
        .example("image { files = { \"/a\" = file { text = \"\"; mode = mode (0o600 + 0o044); }; }; }", ""),
    row(
        "override",
        "{ name ? : String, platform ? : Platform, base ? : String, suite ? : Suite, variant ? : Variant, packages ? : [Package], users ? : [User], groups ? : [Group], files ? : Map File, attributes ? : Map Attributes, config ? : Config, layers ? : Layers, annotations ? : Map String, provided ? : Map String } -> Image -> Image",
        Run::Plain(host::replace),
    )
        .text("An image in which what is given replaces what was there: lists as a whole, maps by their keys.")
        .example("image { config = { user = \"app\"; }; } |> override { config = { user = \"root\"; }; }", ""),
    row("package", "String -> Package", Run::Plain(host::package))
        .text("A text that is computed as the name of a Debian package. A literal needs no such word.")
        .example("map (name => package (name + \"-dev\")) [\"zlib1g\"]", "[\"zlib1g-dev\"]"),
    row("platform", "String -> Platform", Run::Plain(host::platform))
        .text("A text that is computed as a platform, such as `\"linux/arm64\"`. A literal needs no such word.")
        .example("map (arch => image { name = \"app-\" + arch; platform = platform (\"linux/\" + arch); }) [\"amd64\", \"arm64\"] |> length", "2"),
    row("port", "a -> Port", Run::Plain(host::port))
        .limits(&[("a", Limit::Ordered)])
        .text("A number or text that is computed as a port: 8080, or `\"53/udp\"`. A literal needs no such word.")
        .example("image { config = { ports = [port (8000 + 80)]; }; }", ""),
    row("symlink", "String -> File", Run::Plain(host::symlink))
        .text("A symbolic link with this target.")
        .example("image { files = { \"/usr/bin/app\" = symlink \"server\"; }; }", ""),
    row(
        "unpack",
        "{ source : Source, strip ? : Int, include ? : [String], exclude ? : [String], setuid ? : Bool, user ? : Owner, group ? : Owner } -> File",
        Run::Plain(host::unpack),
    )
        .text("A folder with what an archive holds: tar, also compressed with gzip, xz or zstd, or zip. `strip` leaves out that many leading parts of each path. `exclude` has patterns of paths that are left out, and `include` of those that are there all the same; paths begin with `/` at the folder. `setuid` says that files keep such bits.")
        .example("image { files = { \"/opt/app\" = unpack { source = fetch { url = \"https://example.org/app.tar.gz\"; sha256 = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"; }; strip = 1; exclude = [\"/doc/*\"]; }; }; }", ""),
];

const fn row(name: &'static str, signature: &'static str, run: Run) -> Row {
    Row::new("Images", name, signature, run)
}

fn default_platform(call: &mut Call<'_>) -> Eval {
    let text = host::default_platform(call).to_string();
    call.allocate(text.len())?;
    Ok(Value::Str(call.origin, std::sync::Arc::new(text)))
}
