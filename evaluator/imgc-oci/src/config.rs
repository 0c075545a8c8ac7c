//! The image configuration: what a runtime is told.

use imgc_plan::{Config, Healthcheck, Protocol};
use oci_spec::image::{Arch, Config as Settings, History, ImageConfiguration, Os, RootFs};
use serde_json::{Map, Value, json};

use crate::image::ImageSpec;
use crate::{BaseImage, OciError, rfc3339};

/// What `PATH` is unless the image says otherwise: Debian's for root. Runtimes have
/// defaults of their own, which differ.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The document for `spec`.
pub(crate) fn configuration(spec: &ImageSpec<'_>) -> Result<Value, OciError> {
    let created = rfc3339(spec.epoch)?;
    let mut rootfs = RootFs::default();
    rootfs.set_diff_ids(
        spec.layers
            .iter()
            .map(|used| used.layer.diff_id.to_string())
            .collect(),
    );
    let history = spec.layers.iter().map(|used| {
        let mut entry = History::default();
        entry.set_created(Some(created.clone()));
        entry.set_created_by(Some(used.created_by.clone()));
        entry
    });
    let arch = spec.platform.arch;
    let mut document = ImageConfiguration::default();
    document
        .set_created(Some(created.clone()))
        .set_architecture(Arch::from(arch.oci()))
        .set_os(Os::Linux)
        .set_variant(arch.oci_variant().map(str::to_owned))
        .set_config(Some(settings(spec.config)))
        .set_rootfs(rootfs)
        .set_history(Some(history.collect()));
    let mut document = serde_json::to_value(document).expect("a document is JSON");
    if let Some(check) = &spec.config.healthcheck {
        document["config"]["Healthcheck"] = healthcheck(check);
    }
    Ok(document)
}

/// The document for an image that is laid over `base`, from its own.
pub(crate) fn over(base: &BaseImage, config: &Config, mut whole: Value) -> Value {
    let taken = |whole: &mut Value, name: &str| match whole.get_mut(name).map(Value::take) {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let own = taken(&mut whole, "config");
    whole["config"] = base.settings(config, own);
    let mut history = match whole["history"].take() {
        Value::Array(history) => history,
        _ => Vec::new(),
    };
    base.history(&mut history);
    whole["history"] = Value::Array(history);
    let lower = base.layers.iter();
    let mut diff_ids: Vec<Value> = lower
        .map(|layer| layer.diff_id.to_string().into())
        .collect();
    if let Value::Array(own) = whole["rootfs"]["diff_ids"].take() {
        diff_ids.extend(own);
    }
    whole["rootfs"]["diff_ids"] = Value::Array(diff_ids);
    whole
}

/// The field `Healthcheck` of docker's image configuration (Docker Image Specification
/// v1.2), which the OCI specification has no word for. Times are in nanoseconds.
fn healthcheck(check: &Healthcheck) -> Value {
    let program = std::iter::once("CMD").chain(check.test.iter().map(String::as_str));
    let mut value = json!({ "Test": program.collect::<Vec<_>>() });
    let times = [
        ("Interval", check.interval),
        ("Timeout", check.timeout),
        ("StartPeriod", check.start_period),
    ];
    for (name, time) in times {
        if let Some(time) = time {
            value[name] = json!(time.saturating_mul(1_000_000));
        }
    }
    if let Some(retries) = check.retries {
        value["Retries"] = json!(retries);
    }
    value
}

/// Empty lists and maps are left out, as they mean the same as none.
fn settings(config: &Config) -> Settings {
    let given = config.env.contains_key("PATH");
    let path = (!given).then(|| ("PATH".to_owned(), DEFAULT_PATH.to_owned()));
    let mut env = config.env.clone();
    env.extend(path);
    let env = env
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let ports = config.ports.iter().map(|port| {
        let protocol = match port.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        format!("{}/{protocol}", port.number)
    });
    let labels = config
        .labels
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    let mut settings = Settings::default();
    settings
        .set_entrypoint(some(config.entrypoint.clone()))
        .set_cmd(some(config.cmd.clone()))
        .set_env(Some(env))
        .set_user(config.user.clone())
        .set_working_dir(config.workdir.as_ref().map(ToString::to_string))
        .set_labels((!config.labels.is_empty()).then(|| labels.collect()))
        .set_exposed_ports(some(ports.collect()))
        .set_volumes(some(
            config.volumes.iter().map(ToString::to_string).collect(),
        ))
        .set_stop_signal(config.stop_signal.clone());
    settings
}

fn some(list: Vec<String>) -> Option<Vec<String>> {
    (!list.is_empty()).then_some(list)
}
