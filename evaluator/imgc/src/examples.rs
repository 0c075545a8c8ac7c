//! The examples below the help of each command, and on its manual page. Only texts.

pub(crate) const INIT: &str = "\
Nothing is overwritten: where one of the files is there already, none is written.
Examples:
  imgc init                       a tool of Debian's packages, in the current folder
  imgc init --kind python web     a Python application, in the folder web";

pub(crate) const IMPORT: &str = "\
What can't be declared is told on standard error, each with its line, and stands in the
result as a comment that begins with `left out`.
Examples:
  imgc import Dockerfile             print what the Dockerfile declares
  imgc import Dockerfile -o app.img  the same into a file, which must not be there
  imgc import --strict Dockerfile    end with 1 if anything was left out
  imgc import --build-arg version=2 Dockerfile";

pub(crate) const BUILD: &str = "\
Examples:
  imgc build app.img                      build, and write the layout NAME.oci here
  imgc build --locked app.img             the same, but never change imgc.lock (for CI)
  imgc build apps.img#web                 the field `web` of the file's record
  imgc build -o oci-archive:app.tar app.img
  imgc build --platform linux/arm64 app.img
  imgc build --platform linux/amd64,linux/arm64 app.img   an index of two images
  imgc build --watch app.img              again whenever a file changes";

pub(crate) const PLAN: &str = "\
Examples:
  imgc plan app.img               the steps that a build would take
  imgc plan --all app.img         those that are done, too
  imgc plan --svg app.img > plan.svg";

pub(crate) const LAYERS: &str = "\
Examples:
  imgc layers app.img             the layers of one image, and what an edit costs
  imgc layers web.img worker.img  what two images share";

pub(crate) const INSPECT: &str = "\
Examples:
  imgc inspect app.img            build, and say what the image is
  imgc inspect oci:app.oci        the same of a layout
  imgc inspect --json saved.tar   the same of an archive, for machines";

pub(crate) const LS: &str = "\
Examples:
  imgc ls app.img /etc            the files of a folder of the image
  imgc ls -lR oci:app.oci /usr    all that is below, with modes, owners and sizes";

pub(crate) const CAT: &str = "\
Examples:
  imgc cat app.img /etc/os-release
  imgc cat saved.tar /usr/bin/app > app";

pub(crate) const DIFF: &str = "\
Examples:
  imgc diff oci:old.oci app.img   what differs between two images
  imgc diff --files --exit-code oci:old.oci oci:new.oci
  imgc diff --plan --markdown ../before/app.img app.img";

pub(crate) const EXPORT: &str = "\
Examples:
  imgc export app.img -o docker-archive:app.tar
  imgc export oci:app.oci -o tar:files.tar
  imgc export app.img -o dir:root";

pub(crate) const PULL: &str = "\
Examples:
  imgc pull registry.example/team/app:1.2
  imgc pull registry.example/team/app:1.2 -o oci:app.oci";

pub(crate) const LOAD: &str = "\
Examples:
  imgc load app.img               give the image to podman or docker
  imgc load --tag app:dev app.img under this name";

pub(crate) const PUSH: &str = "\
Logins are those of podman and docker: `podman login HOST`, `docker login HOST`.
Examples:
  imgc push app.img registry.example/team/app:1.2
  imgc push apps.img#web registry.example/web:1 registry.example/web:latest
  imgc push --insecure app.img localhost:5000/app";

pub(crate) const SERVE: &str = "\
Examples:
  imgc serve                      the .img files of the current folder
  podman pull --tls-verify=false localhost:5000/app";

pub(crate) const UPDATE: &str = "\
Examples:
  imgc update app.img             take today's package versions into imgc.lock
  imgc update -p openssl app.img  the same for one package, and what it needs
  imgc update --dry-run app.img   only say what would change";

pub(crate) const OUTDATED: &str = "\
Examples:
  imgc outdated app.img           what `imgc update` would change
  imgc outdated --exit-code app.img";

pub(crate) const WHY: &str = "\
Examples:
  imgc why libc6 app.img          the shortest chain to the package
  imgc why --all libc6 app.img    every package that needs it";

pub(crate) const TREE: &str = "\
Examples:
  imgc tree app.img               which package needs which
  imgc tree --depth 1 --size app.img
  imgc tree --invert libssl3t64 app.img";

pub(crate) const EXPLAIN_SCRIPTS: &str = "\
Examples:
  imgc explain-scripts app.img                what all scripts did
  imgc explain-scripts -p base-files app.img  what those of one package did";

pub(crate) const STORE: &str = "\
Examples:
  imgc store info                 where the store is, and what it holds
  imgc store verify               read every byte, and change nothing
  imgc store gc --max-size 20GB   make room";

pub(crate) const FMT: &str = "\
Examples:
  imgc fmt                        all .img files here and below
  imgc fmt --check                change nothing, and end with 1 if anything would (for CI)
  imgc fmt - < app.img            standard input to standard output";

pub(crate) const CHECK: &str = "\
Examples:
  imgc check                      all .img files here and below
  imgc check --fix app.img        correct what a machine can correct";

pub(crate) const TEST: &str = "\
Examples:
  imgc test                       run the examples of all .img files here and below
  imgc test lib.img";

pub(crate) const EVAL: &str = "\
Examples:
  imgc eval -e '1 + 1'            what an expression gives
  imgc eval app.img#version       what a field is
  imgc eval --arg port=8080 --json app.img";

pub(crate) const REPL: &str = "\
Examples:
  imgc repl                       ask the language one line at a time; :help says more
  imgc repl lib.img               with the names of a file";

pub(crate) const LSP: &str = "\
An editor starts it: the book's chapter `In the editor` says how.
Examples:
  imgc lsp";

pub(crate) const DOC: &str = "\
Examples:
  imgc doc std/debian             the manual of a module
  imgc doc --builtins             that of the names that are always there
  imgc doc --format html -o site lib.img";

pub(crate) const EXPLAIN: &str = "\
Examples:
  imgc explain IMG0512            what a code means
  imgc explain                    all codes";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  imgc completions bash > ~/.local/share/bash-completion/completions/imgc
  imgc completions zsh > ~/.zfunc/_imgc
  imgc completions fish > ~/.config/fish/completions/imgc.fish";

pub(crate) const MAN: &str = "\
Examples:
  imgc man | man -l -             read the main page
  imgc man ~/.local/share/man/man1";
