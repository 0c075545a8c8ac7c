//! Walks over the instructions that lead to the image, and puts what they say into a draft.
//! What can't be said is left out of it, with a reason.

use crate::import::base::{self, Stage};
use crate::import::copy::Context;
use crate::import::dockerfile::{Dockerfile, Instruction};
use crate::import::draft::{Draft, Item, Section, Value};
use crate::import::entries::string;
use crate::import::words::{self, Variables};

/// The search path of Debian's image, and of the one with nothing.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Arguments that a builder sets by itself.
const PLATFORM: [&str; 8] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
];

/// What is known while walking.
pub(super) struct Converter<'a> {
    /// What comes out.
    pub(super) draft: Draft,
    /// What variables stand for.
    pub(super) variables: Variables,
    /// The escape character.
    pub(super) escape: char,
    /// Where files are looked for.
    pub(super) context: &'a dyn Context,
    /// The folder that relative paths of the image are in.
    pub(super) workdir: String,
    /// Who runs commands.
    pub(super) user: String,
    /// Whether packages were installed with what they recommend.
    pub(super) recommends: Option<bool>,
    stages: &'a [Stage<'a>],
    /// What reads the commands that are no lists.
    pub(super) shell: Vec<String>,
    /// Whether CMD was said in this stage.
    pub(super) has_cmd: bool,
    arguments: &'a [(String, String)],
    globals: Variables,
}

impl std::fmt::Debug for Converter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Converter").finish_non_exhaustive()
    }
}

/// The image that a Dockerfile says.
///
/// # Errors
/// That there is no stage.
pub(super) fn convert(
    file: &Dockerfile,
    arguments: &[(String, String)],
    context: &dyn Context,
) -> Result<Draft, String> {
    let mut draft = Draft::default();
    let mut globals = Variables::default();
    for name in PLATFORM {
        globals.forget(name);
    }
    for instruction in &file.instructions {
        match instruction.keyword.as_str() {
            "FROM" => break,
            "ARG" => {
                let taken = argument(instruction, file.escape, arguments, None, &mut globals);
                tell_defaults(&mut draft, instruction, &taken);
            }
            _ => draft.lose(
                Section::Head,
                instruction.line,
                &instruction.shown(),
                "it stands before the first FROM",
            ),
        }
    }
    let stages = base::stages(&file.instructions, &globals, file.escape);
    let chain = base::chain(&stages);
    let Some(first) = chain.first() else {
        return Err("there is no FROM in it".to_owned());
    };
    let mut converter = Converter {
        draft,
        variables: Variables::default(),
        escape: file.escape,
        context,
        workdir: "/".to_owned(),
        user: "root".to_owned(),
        recommends: None,
        stages: &stages,
        shell: ["/bin/sh", "-c"].map(str::to_owned).to_vec(),
        has_cmd: false,
        arguments,
        globals,
    };
    converter.begin(&stages[*first]);
    for at in &chain {
        converter.enter();
        for instruction in stages[*at].body {
            converter.instruction(instruction);
        }
    }
    converter.end();
    if converter.draft.is_full {
        return Err("it has too many parts".to_owned());
    }
    Ok(converter.draft)
}

/// Reads an ARG into variables. `globals` are those that an ARG without a value takes.
/// Gives what was taken because nobody says something else.
fn argument(
    instruction: &Instruction,
    escape: char,
    arguments: &[(String, String)],
    globals: Option<&Variables>,
    variables: &mut Variables,
) -> Vec<String> {
    let mut taken = Vec::new();
    for word in words::split(&instruction.text, escape) {
        let (name, default) = match word.split_once('=') {
            Some((name, default)) => (name.to_owned(), Some(default.to_owned())),
            None => (word, None),
        };
        let given = arguments.iter().rev().find(|(known, _)| *known == name);
        if let Some((_, value)) = given {
            variables.set(&name, value.clone());
        } else if let Some(default) = default {
            match words::expand(&default, variables, escape) {
                Ok(value) => {
                    taken.push(format!("{name} is `{value}`"));
                    variables.set(&name, value);
                }
                Err(_) => variables.forget(&name),
            }
        } else if let Some(value) = globals.and_then(|globals| globals.get(&name)) {
            variables.set(&name, value.to_owned());
        } else if PLATFORM.contains(&name.as_str()) {
            variables.forget(&name);
        }
    }
    taken
}

/// What is told about arguments that have their defaults.
fn tell_defaults(draft: &mut Draft, instruction: &Instruction, taken: &[String]) {
    for default in taken {
        let why = format!("{default} here; --build-arg gives another value");
        draft.note(instruction.line, &why);
    }
}

impl Converter<'_> {
    fn begin(&mut self, stage: &Stage<'_>) {
        let from = stage.from;
        let (image, unknown) = match &stage.image {
            Ok(image) => (image.clone(), None),
            Err(why) => ("debian:trixie".to_owned(), Some(why)),
        };
        let found = base::of_image(&image);
        let shown = match unknown {
            None => format!("FROM {image}"),
            Some(_) => from.shown(),
        };
        self.draft.base = found.base;
        if let Some(why) = unknown {
            let why = format!("{why}; Debian trixie stands in its place");
            self.draft.lose(Section::Head, from.line, &shown, &why);
        } else if let Some(why) = &found.lost {
            self.draft.lose(Section::Head, from.line, &shown, why);
        }
        self.draft.head(&from.comments);
        for note in &found.notes {
            self.draft.note(from.line, note);
        }
        match &stage.platform {
            Some(Ok(platform)) => match platform.parse::<imgc_plan::Platform>() {
                // `linux/arm64/v8` has one spelling in a file.
                Ok(known) => self.draft.base.platform = Some(known.to_string()),
                Err(_) => {
                    let why = format!("no image can be for `{platform}`");
                    self.draft
                        .lose(Section::Head, from.line, "--platform of FROM", &why);
                }
            },
            Some(Err(_))
                if matches!(
                    from.option("platform"),
                    Some("$TARGETPLATFORM" | "${TARGETPLATFORM}")
                ) => {}
            Some(Err(why)) => {
                self.draft
                    .lose(Section::Head, from.line, "--platform of FROM", why);
            }
            None => {}
        }
        self.variables.open = !found.is_known || unknown.is_some();
        self.variables.set("PATH", PATH.to_owned());
        for package in found.packages {
            self.put(Section::Packages, from, package, string(package));
        }
        let is_debian = found.is_known && self.draft.base.suite.is_some();
        if is_debian {
            self.put_config(from, "cmd", "[\"bash\"]".to_owned());
        }
    }

    fn end(&mut self) {
        self.draft.base.recommends =
            self.recommends == Some(true) && self.draft.base.suite.is_some();
    }

    /// Begins a stage: of the arguments before, only the environment stays.
    fn enter(&mut self) {
        self.has_cmd = false;
        let mut variables = Variables::default();
        variables.open = self.variables.open;
        variables.set("PATH", PATH.to_owned());
        for item in self.draft.items(Section::Environment) {
            if let Some(value) = self.variables.get(&item.key) {
                variables.set(&item.key, value.to_owned());
            }
        }
        self.variables = variables;
    }

    /// Puts source text into a section.
    pub(super) fn put(
        &mut self,
        section: Section,
        instruction: &Instruction,
        key: &str,
        text: String,
    ) {
        self.draft
            .put(section, item(instruction, key, Value::Text(text)));
    }

    pub(super) fn put_config(&mut self, instruction: &Instruction, key: &str, value: String) {
        self.put(
            Section::Config,
            instruction,
            key,
            format!("{key} = {value}"),
        );
    }

    /// Leaves an instruction out.
    pub(super) fn lose(&mut self, section: Section, instruction: &Instruction, why: &str) {
        let shown = instruction.shown();
        self.draft.lose(section, instruction.line, &shown, why);
    }

    /// The value of a text of an instruction.
    pub(super) fn expand(&self, text: &str) -> Result<String, String> {
        words::expand(text, &self.variables, self.escape)
    }

    fn instruction(&mut self, instruction: &Instruction) {
        let done = match instruction.keyword.as_str() {
            "RUN" => {
                self.run(instruction);
                Ok(())
            }
            "COPY" | "ADD" => {
                self.copy(instruction);
                Ok(())
            }
            "ARG" => {
                let globals = self.globals.clone();
                let environment = self.variables.clone();
                let taken = argument(
                    instruction,
                    self.escape,
                    self.arguments,
                    Some(&globals),
                    &mut self.variables,
                );
                tell_defaults(&mut self.draft, instruction, &taken);
                // ENV goes before ARG.
                for item in self.draft.items(Section::Environment) {
                    if let Some(value) = environment.get(&item.key) {
                        self.variables.set(&item.key, value.to_owned());
                    }
                }
                Ok(())
            }
            "ENV" => self.environment(instruction),
            "LABEL" => self.labels(instruction),
            "USER" => self.user(instruction),
            "WORKDIR" => self.workdir(instruction),
            "EXPOSE" => self.ports(instruction),
            "VOLUME" => self.volumes(instruction),
            "STOPSIGNAL" => self.signal(instruction),
            "ENTRYPOINT" | "CMD" => {
                self.program(instruction);
                Ok(())
            }
            "SHELL" => match words::list(&instruction.text) {
                Some(shell) if !shell.is_empty() => {
                    self.shell = shell;
                    Ok(())
                }
                _ => Err("it is no list of strings".to_owned()),
            },
            "MAINTAINER" => {
                const LABEL: &str = "org.opencontainers.image.authors";
                let text = format!("{} = {}", string(LABEL), string(&instruction.text));
                self.put(Section::Labels, instruction, LABEL, text);
                self.draft.note(
                    instruction.line,
                    "MAINTAINER becomes the label of the authors",
                );
                Ok(())
            }
            "HEALTHCHECK" => self.health(instruction),
            "ONBUILD" => Err("an image can't run steps in another: write a function".to_owned()),
            _ => Err("it is no instruction".to_owned()),
        };
        self.draft.comment(instruction.line, &instruction.comments);
        if let Err(why) = done {
            let section = match instruction.keyword.as_str() {
                "ENV" => Section::Environment,
                "LABEL" => Section::Labels,
                _ => Section::Config,
            };
            self.lose(section, instruction, &why);
        }
    }

    /// Whether the image has this folder before anything is put into it.
    pub(super) fn is_in_base(&self, path: &str) -> bool {
        path == "/" || (self.draft.base.variant == "minbase" && is_in_base(path))
    }

    /// Whether commands of RUN are read by a shell that is known.
    pub(super) fn has_plain_shell(&self) -> bool {
        let name = self.shell.first().map_or("", String::as_str);
        matches!(
            name.rsplit('/').next(),
            Some("sh" | "bash" | "dash" | "ash")
        )
    }

    /// The stage of a name or number.
    pub(super) fn is_stage(&self, name: &str) -> bool {
        name.parse::<usize>().is_ok() || base::named(self.stages, name).is_some()
    }
}

/// What an instruction says of `key`.
pub(super) fn item(instruction: &Instruction, key: &str, value: Value) -> Item {
    Item {
        key: key.to_owned(),
        value,
        line: instruction.line,
        shown: instruction.shown(),
        comments: Vec::new(),
    }
}

/// A path of the image, from the folder that relative ones are in. Without `.` and `..`.
pub(super) fn join(folder: &str, path: &str) -> String {
    let whole = match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("{folder}/{path}"),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether every Debian has this folder.
fn is_in_base(path: &str) -> bool {
    const TOP: [&str; 24] = [
        "bin",
        "boot",
        "dev",
        "etc",
        "home",
        "lib",
        "lib64",
        "media",
        "mnt",
        "opt",
        "proc",
        "root",
        "run",
        "sbin",
        "srv",
        "sys",
        "tmp",
        "usr",
        "var",
        "usr/bin",
        "usr/lib",
        "usr/local",
        "usr/sbin",
        "usr/share",
    ];
    const BELOW: [&str; 20] = [
        "etc/default",
        "usr/include",
        "usr/src",
        "usr/local/bin",
        "usr/local/etc",
        "usr/local/include",
        "usr/local/lib",
        "usr/local/sbin",
        "usr/local/share",
        "usr/local/src",
        "var/backups",
        "var/cache",
        "var/lib",
        "var/local",
        "var/log",
        "var/mail",
        "var/opt",
        "var/run",
        "var/spool",
        "var/tmp",
    ];
    let path = path.trim_start_matches('/');
    path.is_empty() || TOP.contains(&path) || BELOW.contains(&path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::dockerfile;

    /// A context with a few files.
    struct Few;

    impl Context for Few {
        fn is_folder(&self, path: &str) -> Option<bool> {
            match path {
                "a.txt" | "conf/x.conf" => Some(false),
                "" | "conf" => Some(true),
                _ => None,
            }
        }
        fn names(&self, folder: &str) -> Vec<String> {
            let names: &[&str] = match folder {
                "" => &["a.txt", "conf"],
                "conf" => &["x.conf"],
                _ => &[],
            };
            names.iter().map(|name| (*name).to_owned()).collect()
        }
        fn ignored(&self) -> Vec<String> {
            vec!["*.md".to_owned()]
        }
        fn literal(&self, path: &str) -> String {
            format!("./{path}")
        }
    }

    fn text_of(dockerfile: &str) -> Result<(String, usize), String> {
        let draft = convert(&dockerfile::parse(dockerfile), &[], &Few)?;
        let lost = draft.notices.iter().filter(|notice| notice.lost.is_some());
        Ok((draft.render().text, lost.count()))
    }

    #[test]
    fn the_state_goes_from_stage_to_stage() {
        let (text, lost) = text_of(
            "FROM debian:trixie AS base\nARG A=1\nENV B=2\nWORKDIR /w\nCMD [\"x\"]\nUSER app\n\
             FROM base\nENV C=${A:-none}$B\nENTRYPOINT [\"y\"]\nWORKDIR z\n",
        )
        .expect("an image");
        assert_eq!(lost, 0, "{text}");
        assert!(text.contains("C = \"none2\""), "{text}");
        assert!(text.contains("workdir = \"/w/z\""), "{text}");
        // The command of the base was for another program.
        assert!(!text.contains("cmd"), "{text}");
        assert!(
            text.contains("\"/w/z\" = directory { user = \"app\""),
            "{text}"
        );
    }

    #[test]
    fn what_is_removed_again_is_not_there() {
        let (text, lost) = text_of(
            "FROM debian:trixie\nCOPY conf /srv/conf\nCOPY a.txt /tmp/a.txt\n\
             RUN mkdir /srv/conf/d && rm -rf /srv/conf /tmp/*\n",
        )
        .expect("an image");
        assert_eq!(lost, 0, "{text}");
        assert!(!text.contains("files"), "{text}");
    }

    #[test]
    fn a_folder_over_a_folder_is_merged() {
        let (text, _) = text_of(
            "FROM scratch\nCOPY . /x\nCOPY conf /x\nCOPY conf /\n\
             COPY conf /y\nCOPY . /y/\nADD . /y/\n",
        )
        .expect("an image");
        for path in ["/x/a.txt", "/x/conf", "/x", "/x.conf"] {
            assert!(text.contains(&format!("\"{path}\" = ")), "{path}: {text}");
        }
    }

    #[test]
    fn every_beginning_of_a_file_is_read() {
        let whole = "# escape=\\\n# why\nARG S=trixie\nFROM --platform=$X debian:${S:-a} AS b\n\
            RUN --mount=type=cache,target=/x set -eux; apt-get -o A=b install -y \\\n # c\n 'a' \"b\" g++ && \
            useradd -rm -d /h -u 5 x || true; groupadd -g 7 y; chown -R x:y /srv; ln -sf a /b; rm -rf /tmp/*\n\
            COPY --chown=x:y --chmod=0644 [\"a.txt\", \"/é/\"]\nADD conf* a.txt ./\nENV A=b C=\"d e\" F=$A\n\
            LABEL a=b\nEXPOSE 1-3/udp\nVOLUME [\"/v\"]\nSHELL [\"/bin/bash\",\"-c\"]\nCMD echo $A\n\
            COPY <<-\"EOF\" /t\n\tx\n\tEOF\nRUN <<X\nmkdir -p /q\nX\nRUN cat <<X > /y\nz\nX\n\
            FROM b\nONBUILD RUN x\nHEALTHCHECK NONE\nMAINTAINER é\n";
        for end in (0..=whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            let _ = text_of(&whole[..end]);
            let _ = text_of(&format!("FROM debian\n{}", &whole[end..]));
        }
        // One character in the place of each.
        for at in (0..whole.len()).filter(|at| whole.is_char_boundary(*at)) {
            for other in ["\"", "'", "$", "{", "<", "\\", "\n", "é", "`", "-"] {
                let mut text = whole.to_owned();
                let length = text[at..].chars().next().map_or(0, char::len_utf8);
                text.replace_range(at..at + length, other);
                let _ = text_of(&text);
            }
        }
    }
}
