//! The image that another is laid over: its layers, byte for byte, and what it tells a
//! runtime, which the other one has too where it says nothing else.
//!
//! As a `FROM` in a Dockerfile: variables, labels, ports and volumes come together, a command
//! does not outlive another entrypoint, and what imgc has no word for (a health check, a
//! shell) stays as it is.

use imgc_layer::{Compression, DiffId};
use imgc_plan::{Config, Platform};
use serde_json::{Map, Value, json};

use crate::Descriptor;
use crate::config::DEFAULT_PATH;
use crate::read::Opened;

/// What the engine writes that made an image from a container: about that, not the image.
const CONTAINERS: [&str; 11] = [
    "ArgsEscaped",
    "AttachStderr",
    "AttachStdin",
    "AttachStdout",
    "Domainname",
    "Hostname",
    "Image",
    "MacAddress",
    "OpenStdin",
    "StdinOnce",
    "Tty",
];

/// The most layers that an image may have with those of its base: the overlay file system
/// of Linux takes no more.
const MOST_LAYERS: usize = 125;

/// An image that another can be laid over.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseImage {
    /// Its layers, lowest first.
    pub layers: Vec<BaseLayer>,
    /// When it was made, as it stands there.
    pub created: Option<String>,
    settings: Map<String, Value>,
    history: Vec<Value>,
}

/// A layer of a base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BaseLayer {
    /// Its blob.
    pub blob: Descriptor,
    /// The digest of its uncompressed form.
    pub diff_id: DiffId,
    /// How it is compressed. The level does not matter.
    pub compression: Compression,
}

/// Why nothing can be laid over an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseImageError {
    /// It is for another platform.
    #[error("it is for {found}, and the image for {wanted}")]
    Platform {
        /// What it is for.
        found: String,
        /// What was asked for.
        wanted: Platform,
    },
    /// It has more layers than leave room for others.
    #[error("it has {0} layers: more than {MOST_LAYERS} leave no room")]
    Layers(usize),
    /// A layer that may not be passed on.
    #[error("its layer {0} is not to be distributed")]
    Foreign(String),
    /// It has instructions for whoever builds over it, in the language of Dockerfiles.
    #[error("it has ONBUILD instructions, which imgc does not run")]
    OnBuild,
    /// Its configuration is not what it should be.
    #[error("its configuration is wrong: {0}")]
    Configuration(&'static str),
}

impl BaseImage {
    /// Looks whether others can be laid over an image, for `platform`.
    ///
    /// # Errors
    /// A [`BaseImageError`].
    pub fn of(opened: &Opened<'_>, platform: Platform) -> Result<Self, BaseImageError> {
        if !opened.configuration.fits(platform) {
            return Err(BaseImageError::Platform {
                found: opened.configuration.platform(),
                wanted: platform,
            });
        }
        // One of packages and one of files may come.
        if opened.layers.len() + 2 > MOST_LAYERS {
            return Err(BaseImageError::Layers(opened.layers.len()));
        }
        let mut layers = Vec::new();
        for layer in &opened.layers {
            let kind = &layer.media_type;
            if kind.contains("nondistributable") || kind.contains("foreign") {
                return Err(BaseImageError::Foreign(layer.descriptor.digest.to_string()));
            }
            layers.push(BaseLayer {
                blob: layer.descriptor,
                diff_id: layer.diff_id,
                compression: layer.compression,
            });
        }
        let wrong = BaseImageError::Configuration;
        let mut document: Map<String, Value> =
            serde_json::from_slice(&opened.config.bytes).map_err(|_| wrong("it is no object"))?;
        let mut settings = match document.remove("config") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(settings)) => settings,
            Some(_) => return Err(wrong("`config` is no object")),
        };
        settings.retain(|name, value| !value.is_null() && !CONTAINERS.contains(&&**name));
        check(&settings)?;
        if let Some(Value::Array(instructions)) = settings.remove("OnBuild")
            && !instructions.is_empty()
        {
            return Err(BaseImageError::OnBuild);
        }
        let history = match document.remove("history") {
            Some(Value::Array(history)) => history,
            _ => Vec::new(),
        };
        let is_layer = |entry: &&Value| entry.get("empty_layer") != Some(&Value::Bool(true));
        let history = match history.iter().filter(is_layer).count() == layers.len() {
            true => history,
            // One that does not say how its layers came about.
            false => vec![json!({ "comment": "a layer of the base" }); layers.len()],
        };
        Ok(Self {
            layers,
            created: opened.configuration.created.clone(),
            settings,
            history,
        })
    }

    /// Its history, with what comes after it.
    pub(crate) fn history(&self, later: &mut Vec<Value>) {
        later.splice(0..0, self.history.iter().cloned());
    }

    /// What it tells a runtime, with what `config` says, whose document is `own`.
    pub(crate) fn settings(&self, config: &Config, own: Map<String, Value>) -> Value {
        let mut all = self.settings.clone();
        if !config.entrypoint.is_empty() {
            all.remove("Cmd");
        }
        for (name, value) in own {
            match (name.as_str(), all.get_mut(&name)) {
                ("Env", _) => {}
                ("Labels" | "ExposedPorts" | "Volumes", Some(Value::Object(known))) => {
                    if let Value::Object(more) = value {
                        known.extend(more);
                    }
                }
                _ => {
                    all.insert(name, value);
                }
            }
        }
        let known = all.remove("Env");
        let known = known.iter().filter_map(Value::as_array).flatten();
        let mut env: Vec<String> = known.filter_map(Value::as_str).map(str::to_owned).collect();
        let name = |line: &str| line.split('=').next().unwrap_or_default().to_owned();
        env.retain(|line| !config.env.contains_key(&name(line)));
        let said = config.env.iter();
        env.extend(said.map(|(name, value)| format!("{name}={value}")));
        if !env.iter().any(|line| name(line) == "PATH") {
            env.push(format!("PATH={DEFAULT_PATH}"));
        }
        all.insert("Env".to_owned(), json!(env));
        Value::Object(all)
    }
}

/// The forms of what is joined with an image's own.
fn check(settings: &Map<String, Value>) -> Result<(), BaseImageError> {
    let texts = |value: &Value| {
        let list = value.as_array();
        list.is_some_and(|list| list.iter().all(Value::is_string))
    };
    for (name, value) in settings {
        let good = match name.as_str() {
            "Env" | "Cmd" | "Entrypoint" | "OnBuild" => texts(value),
            "Labels" | "ExposedPorts" | "Volumes" => value.is_object(),
            "User" | "WorkingDir" | "StopSignal" => value.is_string(),
            _ => true,
        };
        if !good {
            return Err(BaseImageError::Configuration(match name.as_str() {
                "Labels" | "ExposedPorts" | "Volumes" => "a setting is no object",
                "User" | "WorkingDir" | "StopSignal" => "a setting is no text",
                _ => "a setting is no list of texts",
            }));
        }
    }
    Ok(())
}
