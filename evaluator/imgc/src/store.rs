//! `imgc store`: what the store holds, whether it is whole, and making room in it.

use imgc_store::{BlobDigest, Collected, Count, DiskStore, Limits, StoreError, Usage, Verified};
use serde_json::{Value, json};

use crate::cli::{StoreArgs, StoreCommand};
use crate::describe::{self, Problem};
use crate::settings::{self, StoreSettings};
use crate::size::human;
use crate::terminal::{Failure, Terminal};
use crate::work::{self, open_store};

/// What is not used for so many days goes, where nobody says otherwise.
const DAYS: u32 = 30;

/// Does what the command line asks of the store.
pub(crate) fn run(args: &StoreArgs, terminal: &Terminal) -> Result<(), Failure> {
    let settings = settings::store(args.store.as_deref());
    let settings = settings.map_err(|error| Problem::new(error.to_string()))?;
    let store = open_store(&settings)?;
    let desk = Desk {
        store: &store,
        json: args.json,
        terminal,
    };
    match &args.command {
        StoreCommand::Info => desk.info(&settings),
        StoreCommand::Verify => desk.verify(false),
        StoreCommand::Repair => desk.verify(true),
        StoreCommand::Gc {
            max_size,
            unused,
            dry_run,
        } => {
            let limits = limits(*max_size, *unused, &settings);
            desk.collect(&Limits {
                dry_run: *dry_run,
                ..limits
            })
        }
        StoreCommand::Path { digest } => desk.path(digest),
        StoreCommand::Release { name } => desk.release(name),
    }
}

struct Desk<'a> {
    store: &'a DiskStore,
    json: bool,
    terminal: &'a Terminal,
}

fn limits(max_size: Option<u64>, unused: Option<u32>, settings: &StoreSettings) -> Limits {
    let bytes = match (max_size, unused) {
        (None, None) => settings.max_size,
        _ => max_size,
    };
    let days = match (unused, bytes) {
        (None, None) => Some(DAYS),
        _ => unused,
    };
    Limits {
        bytes,
        unused_since: days.and_then(work::days_ago),
        dry_run: false,
    }
}

impl Desk<'_> {
    fn info(&self, settings: &StoreSettings) -> Result<(), Failure> {
        let usage = self.store.usage().map_err(failed)?;
        let roots = self.store.roots().map_err(failed)?;
        let path = settings.path.display().to_string();
        if self.json {
            let roots = roots
                .iter()
                .map(|(name, digest)| (name.clone(), json!(digest.to_string())));
            return self.print(&json!({
                "path": path,
                "max_size": settings.max_size,
                "substituters": settings.substituters,
                "blobs": counted(usage.blobs),
                "joined": counted(usage.joined),
                "actions": counted(usage.actions),
                "partial": counted(usage.partial),
                "temporary": counted(usage.temporary),
                "corrupt": counted(usage.corrupt),
                "roots": Value::Object(roots.collect()),
            }));
        }
        let mut lines = vec![format!("store       {path}")];
        if let Some(limit) = settings.max_size {
            lines.push(format!("limit       {}", human(limit)));
        }
        for below in &settings.substituters {
            lines.push(format!("reads also  {}", below.display()));
        }
        lines.extend(usage_lines(&usage));
        for (name, digest) in &roots {
            lines.push(format!("kept        {name} {digest}"));
        }
        self.terminal.result(&lines.join("\n"))
    }

    fn verify(&self, repair: bool) -> Result<(), Failure> {
        let verified = self.store.verify(repair, &|_| {}).map_err(failed)?;
        if self.json {
            self.print(&verified_json(&verified))?;
        } else {
            self.terminal.result(&format!(
                "{} blobs and {} action records are whole: {}",
                verified.blobs.files,
                verified.actions.files,
                human(verified.blobs.bytes)
            ))?;
        }
        if verified.is_clean() {
            return Ok(());
        }
        let Verified {
            damaged,
            torn,
            foreign,
            ..
        } = &verified;
        let mut problem = Problem::new(format!(
            "the store is damaged: {} blobs, {} action records; {} files are not the store's",
            damaged.len(),
            torn.len(),
            foreign.len()
        ));
        for digest in damaged {
            problem = problem.note(format!("{digest}: its bytes are not its own"));
        }
        for path in torn {
            problem = problem.note(format!("{}: torn", path.display()));
        }
        for path in foreign {
            problem = problem.note(format!("{}: not the store's", path.display()));
        }
        if repair {
            let done = "it has been taken away: the next build makes or fetches it again";
            self.terminal.warning(&problem.note(done));
            return Ok(());
        }
        Err(problem
            .help("`imgc store repair` takes it away, and the next build makes or fetches it again")
            .into())
    }

    fn collect(&self, limits: &Limits) -> Result<(), Failure> {
        let Collected {
            blobs,
            actions,
            leftovers,
            kept,
            held,
        } = self.store.collect(limits).map_err(failed)?;
        if self.json {
            return self.print(&json!({
                "dry_run": limits.dry_run,
                "blobs": counted(blobs),
                "actions": counted(actions),
                "leftovers": counted(leftovers),
                "kept": counted(kept),
                "held": counted(held),
            }));
        }
        let verb = if limits.dry_run { "would go" } else { "went" };
        self.terminal.result(&format!(
            "{} blobs {verb}, {}; {} stay, {}",
            blobs.files,
            human(blobs.bytes),
            kept.files,
            human(kept.bytes)
        ))?;
        if limits.bytes.is_some_and(|limit| kept.bytes > limit) {
            self.terminal.warning(&Problem::new(format!(
                "the store is still larger than its limit: {} are kept by name, or used by a build that runs",
                human(held.bytes)
            )));
        }
        Ok(())
    }

    fn path(&self, digest: &str) -> Result<(), Failure> {
        let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
        let digest = BlobDigest::from_hex(hex).map_err(|_| {
            Failure::Usage(format!(
                "`{digest}` is not a digest: expected sha256: and 64 digits"
            ))
        })?;
        let paths = self.store.paths(&digest).map_err(failed)?;
        let paths = paths.ok_or_else(|| Problem::new(format!("{digest} is not in the store")))?;
        if self.json {
            return self.print(&json!({ "digest": digest.to_string(), "paths": paths }));
        }
        let lines: Vec<_> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        self.terminal.result(&lines.join("\n"))
    }

    fn release(&self, name: &str) -> Result<(), Failure> {
        if self.store.release(name).map_err(failed)? {
            return match self.json {
                true => self.print(&json!({ "released": name })),
                false => self.terminal.result(&format!("{name} is kept no longer")),
            };
        }
        let roots = self.store.roots().map_err(failed)?;
        let problem = Problem::new(format!("nothing is kept under the name `{name}`"));
        let names: Vec<&str> = roots.keys().map(String::as_str).collect();
        Err(match names.as_slice() {
            [] => problem.help("`imgc build --keep FILE` keeps images"),
            names => problem.help(format!("kept are {}", names.join(", "))),
        }
        .into())
    }

    fn print(&self, document: &Value) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(document).expect("a report is plain data");
        self.terminal.result(&text)
    }
}

fn usage_lines(usage: &Usage) -> Vec<String> {
    let line =
        |name: &str, count: Count| format!("{name:<11} {}, {}", count.files, human(count.bytes));
    let mut lines = vec![line("blobs", usage.blobs), line("actions", usage.actions)];
    let rest = [
        ("downloads", usage.partial),
        ("temporary", usage.temporary),
        ("damaged", usage.corrupt),
    ];
    for (name, count) in rest {
        if count.files > 0 {
            lines.push(line(name, count));
        }
    }
    lines
}

fn counted(count: Count) -> Value {
    json!({ "files": count.files, "bytes": count.bytes })
}

fn verified_json(verified: &Verified) -> Value {
    let damaged = verified.damaged.iter().map(ToString::to_string);
    json!({
        "clean": verified.is_clean(),
        "blobs": counted(verified.blobs),
        "actions": counted(verified.actions),
        "damaged": damaged.collect::<Vec<_>>(),
        "torn": verified.torn,
        "foreign": verified.foreign,
    })
}

fn failed(error: StoreError) -> Failure {
    describe::store(&error).into()
}
