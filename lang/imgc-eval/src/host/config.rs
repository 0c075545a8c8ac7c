//! The field `config`: what a runtime is told.

use std::collections::BTreeMap;

use imgc_diag::{Code, codes};
use imgc_plan::{Config, Healthcheck, ImagePath, Port};

use crate::origins::Place;
use crate::problem::Problem;
use crate::site::Site;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::Value;

use super::combine::Joint;
use super::scalars::port_of;
use super::{Said, field, field_site, id, image_path_of, items, keep, text, texts, unknown_name};

/// The signals of Linux that have one number on every architecture or are
/// commonly sent (signal(7)).
const SIGNALS: [&str; 31] = [
    "SIGABRT",
    "SIGALRM",
    "SIGBUS",
    "SIGCHLD",
    "SIGCONT",
    "SIGFPE",
    "SIGHUP",
    "SIGILL",
    "SIGINT",
    "SIGIO",
    "SIGKILL",
    "SIGPIPE",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGSEGV",
    "SIGSTKFLT",
    "SIGSTOP",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGWINCH",
    "SIGXCPU",
    "SIGXFSZ",
];

/// The fields of a `config`, each with its place.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Settings {
    entrypoint: Option<Said<Vec<String>>>,
    cmd: Option<Said<Vec<String>>>,
    env: BTreeMap<String, Said<String>>,
    user: Option<Said<String>>,
    workdir: Option<Said<ImagePath>>,
    labels: BTreeMap<String, Said<String>>,
    ports: BTreeMap<Port, Site>,
    volumes: BTreeMap<ImagePath, Site>,
    stop_signal: Option<Said<String>>,
    healthcheck: Option<Said<Healthcheck>>,
    /// Where each field as a whole was said last, by its name in the language.
    said: BTreeMap<&'static str, Site>,
}

impl Settings {
    /// Reads the value of the field `config`. What is wrong is left out and remembered
    /// in `failed`.
    pub(super) fn read(call: &mut Call<'_>, value: &Value, failed: &mut bool) -> Self {
        let mut settings = Self::default();
        let site = |call: &Call<'_>, value: &Value| call.site_of_value(value);
        if let Some(given) = field(value, "entrypoint", failed) {
            let at = site(call, given);
            settings.said.insert("entrypoint", at);
            let list = texts(call, "config.entrypoint", given);
            settings.entrypoint = keep(failed, list).map(|list| Said::new(plain(list), at));
        }
        if let Some(given) = field(value, "cmd", failed) {
            let at = site(call, given);
            settings.said.insert("cmd", at);
            let list = texts(call, "config.cmd", given);
            settings.cmd = keep(failed, list).map(|list| Said::new(plain(list), at));
        }
        if let Some(given) = field(value, "env", failed) {
            settings.said.insert("env", site(call, given));
            let map = text_map(
                call,
                "config.env",
                given,
                codes::BAD_ENVIRONMENT,
                is_env_name,
            );
            settings.env = keep(failed, map).unwrap_or_default();
        }
        if let Some(given) = field(value, "labels", failed) {
            settings.said.insert("labels", site(call, given));
            let map = text_map(call, "config.labels", given, codes::BAD_LABEL, is_label);
            settings.labels = keep(failed, map).unwrap_or_default();
        }
        if let Some(given) = field(value, "user", failed) {
            let at = site(call, given);
            settings.said.insert("user", at);
            let user = user(call, given);
            settings.user = keep(failed, user).map(|user| Said::new(user, at));
        }
        if let Some(given) = field(value, "workdir", failed) {
            let at = site(call, given);
            settings.said.insert("workdir", at);
            let path = image_path_of(call, "`config.workdir`", given);
            settings.workdir = keep(failed, path).map(|path| Said::new(path, at));
        }
        if let Some(given) = field(value, "ports", failed) {
            settings.said.insert("ports", site(call, given));
            let ports = ports(call, given);
            settings.ports = keep(failed, ports).unwrap_or_default();
        }
        if let Some(given) = field(value, "volumes", failed) {
            settings.said.insert("volumes", site(call, given));
            let volumes = volumes(call, given);
            settings.volumes = keep(failed, volumes).unwrap_or_default();
        }
        if let Some(given) = field(value, "stopSignal", failed) {
            let at = site(call, given);
            settings.said.insert("stopSignal", at);
            let signal = signal(call, given);
            settings.stop_signal = keep(failed, signal).map(|signal| Said::new(signal, at));
        }
        if let Some(given) = field(value, "healthcheck", failed) {
            let at = site(call, given);
            settings.said.insert("healthcheck", at);
            let check = super::health::read(call, given);
            settings.healthcheck = keep(failed, check).map(|check| Said::new(check, at));
        }
        settings
    }

    /// These and `other`'s. Two different values of one setting are a conflict.
    pub(super) fn join(
        &self,
        call: &mut Call<'_>,
        other: &Self,
        joint: &Joint,
        failed: &mut bool,
    ) -> Eval<Self> {
        self.count(call)?;
        other.count(call)?;
        let mut all = self.clone();
        joint.scalar(
            call,
            "config.entrypoint",
            &mut all.entrypoint,
            &other.entrypoint,
            failed,
        );
        joint.scalar(call, "config.cmd", &mut all.cmd, &other.cmd, failed);
        joint.scalar(call, "config.user", &mut all.user, &other.user, failed);
        joint.scalar(
            call,
            "config.workdir",
            &mut all.workdir,
            &other.workdir,
            failed,
        );
        joint.scalar(
            call,
            "config.stopSignal",
            &mut all.stop_signal,
            &other.stop_signal,
            failed,
        );
        joint.scalar(
            call,
            "config.healthcheck",
            &mut all.healthcheck,
            &other.healthcheck,
            failed,
        );
        joint.map(call, "config.env", &mut all.env, &other.env, failed);
        joint.map(
            call,
            "config.labels",
            &mut all.labels,
            &other.labels,
            failed,
        );
        for (port, site) in &other.ports {
            all.ports.entry(*port).or_insert(*site);
        }
        for (path, site) in &other.volumes {
            all.volumes.entry(path.clone()).or_insert(*site);
        }
        for (name, site) in &other.said {
            all.said.entry(name).or_insert(*site);
        }
        Ok(all)
    }

    /// These with what `other` says in the place of what is said here.
    pub(super) fn replace(&self, call: &mut Call<'_>, other: &Self) -> Eval<Self> {
        self.count(call)?;
        other.count(call)?;
        let Self {
            mut env,
            mut labels,
            mut said,
            ..
        } = self.clone();
        env.extend(other.env.clone());
        labels.extend(other.labels.clone());
        let lists = |name| {
            if other.said.contains_key(name) {
                other
            } else {
                self
            }
        };
        let (ports, volumes) = (
            lists("ports").ports.clone(),
            lists("volumes").volumes.clone(),
        );
        said.extend(&other.said);
        Ok(Self {
            entrypoint: newer(&other.entrypoint, &self.entrypoint),
            cmd: newer(&other.cmd, &self.cmd),
            env,
            user: newer(&other.user, &self.user),
            workdir: newer(&other.workdir, &self.workdir),
            labels,
            ports,
            volumes,
            stop_signal: newer(&other.stop_signal, &self.stop_signal),
            healthcheck: newer(&other.healthcheck, &self.healthcheck),
            said,
        })
    }

    /// The plan's part.
    pub(super) fn config(&self) -> Config {
        let texts = |map: &BTreeMap<String, Said<String>>| {
            let pairs = map
                .iter()
                .map(|(key, said)| (key.clone(), said.value.clone()));
            pairs.collect()
        };
        Config {
            entrypoint: value(&self.entrypoint).unwrap_or_default(),
            cmd: value(&self.cmd).unwrap_or_default(),
            env: texts(&self.env),
            user: value(&self.user),
            workdir: value(&self.workdir),
            labels: texts(&self.labels),
            ports: self.ports.keys().copied().collect(),
            volumes: self.volumes.keys().cloned().collect(),
            stop_signal: value(&self.stop_signal),
            healthcheck: value(&self.healthcheck),
        }
    }

    /// Where the fields are written.
    pub(super) fn places(&self) -> impl Iterator<Item = (Place, Site)> {
        let fields = self.said.iter();
        fields.map(|(name, site)| (Place::Config((*name).to_owned()), *site))
    }

    /// About how many bytes the texts take.
    pub(super) fn bytes(&self) -> usize {
        let map = |map: &BTreeMap<String, Said<String>>| -> usize {
            let pairs = map.iter();
            pairs.map(|(key, said)| key.len() + said.value.len()).sum()
        };
        let list = |list: &Option<Said<Vec<String>>>| -> usize {
            let texts = list.iter().flat_map(|said| &said.value);
            texts.map(String::len).sum()
        };
        let volumes: usize = self.volumes.keys().map(|path| path.as_str().len()).sum();
        map(&self.env)
            + map(&self.labels)
            + list(&self.entrypoint)
            + list(&self.cmd)
            + self.tests().map(String::len).sum::<usize>()
            + volumes
            + size_of::<Port>() * self.ports.len()
    }

    fn tests(&self) -> impl Iterator<Item = &String> {
        let checks = self.healthcheck.iter();
        checks.flat_map(|said| &said.value.test)
    }

    fn count(&self, call: &mut Call<'_>) -> Eval<()> {
        let words =
            |list: &Option<Said<Vec<String>>>| list.as_ref().map_or(0, |said| said.value.len());
        let lists = words(&self.entrypoint) + words(&self.cmd) + self.tests().count();
        let parts = self.env.len() + self.labels.len() + self.ports.len() + self.volumes.len();
        call.step((lists + parts) * 4)?;
        call.allocate(self.bytes() + lists * size_of::<String>() + parts * 64)
    }
}

fn newer<T: Clone>(new: &Option<T>, old: &Option<T>) -> Option<T> {
    new.as_ref().or(old.as_ref()).cloned()
}

fn value<T: Clone>(said: &Option<Said<T>>) -> Option<T> {
    said.as_ref().map(|said| said.value.clone())
}

fn plain(list: Vec<Said<String>>) -> Vec<String> {
    list.into_iter().map(|said| said.value).collect()
}

/// A record of strings.
pub(super) fn text_map(
    call: &mut Call<'_>,
    what: &str,
    value: &Value,
    code: Code,
    is_name: fn(&str) -> bool,
) -> Eval<BTreeMap<String, Said<String>>> {
    let record = value.as_record().ok_or(Failed)?;
    call.step(record.values.len())?;
    let mut failed = false;
    let mut map = BTreeMap::new();
    for (name, value_of) in record.iter() {
        if !is_name(name) {
            failed = true;
            let site = field_site(call, value, name);
            let message = format!("`{name}` can't be a name in `{what}`");
            call.report(Problem::new(code, site, message));
        }
        call.allocate(name.len())?;
        let text = text(call, &format!("`{what}.{name}`"), value_of);
        if let Some(text) = keep(&mut failed, text) {
            let said = Said::new(text.to_owned(), call.site_of_value(value_of));
            map.insert(name.to_string(), said);
        }
    }
    if failed { Err(Failed) } else { Ok(map) }
}

/// `USER`, `USER:GROUP`, or numbers, also one that is written as a number. Packages may bring users, so that whether
/// there is one of that name shows when the image is built.
fn user(call: &mut Call<'_>, value: &Value) -> Eval<String> {
    if let Value::Int(..) = value {
        return Ok(id(call, "`config.user`", value)?.to_string());
    }
    let text = text(call, "`config.user`", value)?;
    let is_part = |part: &str| {
        super::users::is_user_name(part)
            || part
                .parse::<u32>()
                .is_ok_and(|id| id != u32::MAX && id.to_string() == part)
    };
    let mut parts = text.split(':');
    if text.matches(':').count() > 1 || !parts.all(is_part) {
        let message = format!("`{text}` names no user");
        let problem = Problem::new(codes::BAD_USER_NAME, call.site_of_value(value), message)
            .help("write `\"app\"`, `\"app:app\"` or numbers: `\"10001:10001\"`");
        return Err(call.report(problem));
    }
    Ok(text.to_owned())
}

fn ports(call: &mut Call<'_>, value: &Value) -> Eval<BTreeMap<Port, Site>> {
    let mut failed = false;
    let mut ports: BTreeMap<Port, Site> = BTreeMap::new();
    for item in items(call, value)? {
        let port = port_of(call, item);
        let Some(port) = keep(&mut failed, port) else {
            continue;
        };
        let site = call.site_of_value(item);
        if let Some(earlier) = ports.insert(port, site) {
            failed = true;
            let message = "the same port is listed twice";
            let problem = Problem::new(codes::BAD_PORT, site, message);
            call.report(problem.label(earlier, "it is here first"));
        }
    }
    if failed { Err(Failed) } else { Ok(ports) }
}

fn volumes(call: &mut Call<'_>, value: &Value) -> Eval<BTreeMap<ImagePath, Site>> {
    let mut failed = false;
    let mut paths: BTreeMap<ImagePath, Site> = BTreeMap::new();
    for (index, item) in items(call, value)?.iter().enumerate() {
        let path = image_path_of(call, &format!("`config.volumes[{index}]`"), item);
        let Some(path) = keep(&mut failed, path) else {
            continue;
        };
        let site = call.site_of_value(item);
        if let Some(earlier) = paths.insert(path, site) {
            failed = true;
            let message = "the same path is listed twice";
            let problem = Problem::new(codes::DUPLICATE_PATH, site, message);
            call.report(problem.label(earlier, "it is here first"));
        }
    }
    if failed { Err(Failed) } else { Ok(paths) }
}

fn signal(call: &mut Call<'_>, value: &Value) -> Eval<String> {
    let text = text(call, "`config.stopSignal`", value)?;
    let real_time = |prefix: &str, limit: u8| {
        text.strip_prefix(prefix)
            .is_some_and(|number| (0..=limit).any(|known| known.to_string() == number))
    };
    // signal(7): there are 31 of them, from SIGRTMIN to SIGRTMAX.
    if SIGNALS.contains(&text)
        || matches!(text, "SIGRTMIN" | "SIGRTMAX")
        || real_time("SIGRTMIN+", 30)
        || real_time("SIGRTMAX-", 30)
    {
        return Ok(text.to_owned());
    }
    let site = call.site_of_value(value);
    let problem = Problem::new(codes::BAD_SIGNAL, site, format!("`{text}` is not a signal"));
    let with_prefix = format!("SIG{}", text.trim_start_matches("SIG"));
    Err(if SIGNALS.contains(&with_prefix.as_str()) {
        call.report(problem.did_you_mean(site, text, &with_prefix))
    } else {
        call.report(unknown_name(problem, site, text, &SIGNALS))
    })
}

fn is_env_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

fn is_label(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(char::is_control)
}
