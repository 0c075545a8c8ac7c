//! The field `config`: what a runtime is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::codes;
use imgc_plan::{Config, ImagePath, Port, Protocol};

use crate::eval::{Eval, Evaluator, Failed};
use crate::origins::Place;
use crate::problem::Problem;
use crate::span::Span;
use crate::value::{Data, Value};

use super::keep;

const FIELDS: [&str; 9] = [
    "cmd",
    "entrypoint",
    "env",
    "labels",
    "ports",
    "stopSignal",
    "user",
    "volumes",
    "workdir",
];

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

impl Evaluator<'_> {
    pub(super) fn host_config(
        &mut self,
        value: &Value,
        origins: &mut Vec<(Place, Span)>,
    ) -> Eval<Config> {
        let mut failed = false;
        let record = self.host_record("`config`", value, &FIELDS, &[], &mut failed)?;
        let mut config = Config::default();
        for field in &record.fields {
            let value = &field.value;
            let what = format!("`config.{}`", field.name);
            match &*field.name {
                "entrypoint" => {
                    let list = self.host_strings(&what, value);
                    config.entrypoint = texts(keep(&mut failed, list));
                }
                "cmd" => {
                    let list = self.host_strings(&what, value);
                    config.cmd = texts(keep(&mut failed, list));
                }
                "env" => {
                    let map = self.host_texts(&what, value, codes::BAD_ENVIRONMENT, is_env_name);
                    config.env = keep(&mut failed, map).unwrap_or_default();
                }
                "labels" => {
                    let map = self.host_texts(&what, value, codes::BAD_LABEL, is_label_name);
                    config.labels = keep(&mut failed, map).unwrap_or_default();
                }
                "user" => {
                    let user = self.host_config_user(value);
                    config.user = keep(&mut failed, user);
                }
                "workdir" => {
                    let path = self.host_image_path(&what, value);
                    config.workdir = keep(&mut failed, path);
                }
                "ports" => {
                    let ports = self.host_ports(value);
                    config.ports = keep(&mut failed, ports).unwrap_or_default();
                }
                "volumes" => {
                    let volumes = self.host_volumes(value);
                    config.volumes = keep(&mut failed, volumes).unwrap_or_default();
                }
                "stopSignal" => {
                    let signal = self.host_signal(value);
                    config.stop_signal = keep(&mut failed, signal);
                }
                _ => {}
            }
            origins.push((Place::Config(field.name.to_string()), value.span));
        }
        if failed { Err(Failed) } else { Ok(config) }
    }

    /// A record of strings.
    fn host_texts(
        &mut self,
        what: &str,
        value: &Value,
        code: imgc_diag::Code,
        is_name: fn(&str) -> bool,
    ) -> Eval<BTreeMap<String, String>> {
        let Data::Record(record) = &value.data else {
            return Err(self.report(super::expected(what, "a record of strings", value)));
        };
        self.step(record.fields.len(), value.span)?;
        let mut failed = false;
        let mut map = BTreeMap::new();
        for field in &record.fields {
            if !is_name(&field.name) {
                failed = true;
                let message = format!("`{}` can't be a name in {what}", field.name);
                self.report(Problem::new(code, field.span, message));
            }
            let part = format!("`{}.{}`", what.trim_matches('`'), field.name);
            let text = self.host_string(&part, &field.value);
            if let Some(text) = keep(&mut failed, text) {
                map.insert(field.name.to_string(), text.to_string());
            }
        }
        if failed { Err(Failed) } else { Ok(map) }
    }

    /// `USER`, `USER:GROUP`, or numbers. Packages may bring users, so that whether
    /// there is one of that name shows when the image is built.
    fn host_config_user(&mut self, value: &Value) -> Eval<String> {
        if let Data::Int(number) = value.data {
            let problem = super::expected("`config.user`", "a string", value);
            return Err(self.report(problem.help(format!("write `\"{number}\"`"))));
        }
        let text = self.host_string("`config.user`", value)?;
        let is_part = |part: &str| {
            super::users::is_user_name(part)
                || part
                    .parse::<u32>()
                    .is_ok_and(|id| id != u32::MAX && id.to_string() == part)
        };
        let parts: Vec<&str> = text.split(':').collect();
        if parts.len() > 2 || !parts.iter().all(|part| is_part(part)) {
            let message = format!("`{text}` names no user");
            let problem = Problem::new(codes::BAD_USER_NAME, value.span, message)
                .help("write `\"app\"`, `\"app:app\"` or numbers: `\"10001:10001\"`");
            return Err(self.report(problem));
        }
        Ok(text.to_string())
    }

    fn host_ports(&mut self, value: &Value) -> Eval<Vec<Port>> {
        let list = self.host_list("`config.ports`", value)?;
        let mut failed = false;
        let mut ports: BTreeMap<Port, Span> = BTreeMap::new();
        for item in &list.items {
            let port = match &item.data {
                Data::Int(number) => u16::try_from(*number).ok().map(|number| Port {
                    number,
                    protocol: Protocol::Tcp,
                }),
                Data::Str(text) => parse_port(text),
                _ => {
                    failed = true;
                    let takes = "a number or a string such as `\"53/udp\"`";
                    self.report(super::expected("a port", takes, item));
                    continue;
                }
            };
            let Some(port) = port.filter(|port| port.number != 0) else {
                failed = true;
                self.report(Problem::new(
                    codes::BAD_PORT,
                    item.span,
                    "a port is a number from 1 to 65535, with `/tcp` or `/udp` after it or not",
                ));
                continue;
            };
            if let Some(earlier) = ports.insert(port, item.span) {
                failed = true;
                let problem =
                    Problem::new(codes::BAD_PORT, item.span, "the same port is listed twice");
                self.report(problem.label(earlier, "it is here first"));
            }
        }
        if failed {
            return Err(Failed);
        }
        Ok(ports.into_keys().collect())
    }

    fn host_volumes(&mut self, value: &Value) -> Eval<Vec<ImagePath>> {
        let list = self.host_list("`config.volumes`", value)?;
        let mut failed = false;
        let mut paths: BTreeMap<ImagePath, Span> = BTreeMap::new();
        for (index, item) in list.items.iter().enumerate() {
            let path = self.host_image_path(&format!("`config.volumes[{index}]`"), item);
            let Some(path) = keep(&mut failed, path) else {
                continue;
            };
            if let Some(earlier) = paths.insert(path, item.span) {
                failed = true;
                let message = "the same path is listed twice";
                let problem = Problem::new(codes::DUPLICATE_PATH, item.span, message);
                self.report(problem.label(earlier, "it is here first"));
            }
        }
        if failed {
            return Err(Failed);
        }
        Ok(paths.into_keys().collect())
    }

    fn host_signal(&mut self, value: &Value) -> Eval<String> {
        let text = self.host_string("`config.stopSignal`", value)?;
        let real_time = |prefix: &str, limit: u8| {
            text.strip_prefix(prefix)
                .is_some_and(|number| (0..=limit).any(|known| known.to_string() == number))
        };
        // signal(7): there are 31 of them, from SIGRTMIN to SIGRTMAX.
        if SIGNALS.contains(&&*text)
            || matches!(&*text, "SIGRTMIN" | "SIGRTMAX")
            || real_time("SIGRTMIN+", 30)
            || real_time("SIGRTMAX-", 30)
        {
            return Ok(text.to_string());
        }
        let message = format!("`{text}` is not a signal");
        let problem = Problem::new(codes::BAD_SIGNAL, value.span, message);
        let with_prefix = format!("SIG{}", text.trim_start_matches("SIG"));
        if SIGNALS.contains(&with_prefix.as_str()) {
            return Err(self.report(problem.did_you_mean(value.span, &text, &with_prefix)));
        }
        Err(self.unknown_name(problem, value.span, &text, &SIGNALS))
    }
}

fn texts(list: Option<Vec<(Arc<str>, Span)>>) -> Vec<String> {
    let list = list.unwrap_or_default();
    list.into_iter().map(|(text, _)| text.to_string()).collect()
}

fn parse_port(text: &str) -> Option<Port> {
    let (number, protocol) = match text.split_once('/') {
        None => (text, Protocol::Tcp),
        Some((number, "tcp")) => (number, Protocol::Tcp),
        Some((number, "udp")) => (number, Protocol::Udp),
        Some(_) => return None,
    };
    let value: u16 = number.parse().ok()?;
    (value.to_string() == number).then_some(Port {
        number: value,
        protocol,
    })
}

fn is_env_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

fn is_label_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(char::is_control)
}
