//! A sentence for each field of the host's records, for editors. The page about images
//! says more.

/// Name, type and sentence.
const FIELDS: &[(&str, &str, &str)] = &[
    (
        "name",
        "String",
        "The name: of an image the one it is loaded under, of a user or group the one in the image.",
    ),
    (
        "platform",
        "Platform",
        "The platform that the image is for, such as `\"linux/arm64\"`.",
    ),
    (
        "base",
        "String",
        "The image that this one is laid over, by its digest: `\"registry.example/debian@sha256:…\"`.",
    ),
    (
        "packages",
        "Packages",
        "Debian packages: a value of `debianPackages`, or of `debian.packages`.",
    ),
    (
        "packages",
        "[Package]",
        "The names of Debian packages. A name may be followed by a version (`\"curl=8.14.1-2\"`) or an archive (`\"curl/trixie-backports\"`).",
    ),
    (
        "names",
        "[Package]",
        "The names of Debian packages. A name may be followed by a version or an archive.",
    ),
    (
        "suite",
        "Suite",
        "The suite of Debian that packages come from, such as `\"trixie\"`.",
    ),
    (
        "variant",
        "Variant",
        "What is there before the packages that are named: `\"essential\"`, `\"apt\"`, `\"minbase\"` or `\"distroless\"`.",
    ),
    (
        "recommends",
        "Bool",
        "Whether packages come that others recommend.",
    ),
    (
        "skip",
        "Map String",
        "Packages whose maintainer scripts are not interpreted, each with the reason.",
    ),
    (
        "effects",
        "Map Effects",
        "What is done in the place of a package's scripts, by the package's name.",
    ),
    (
        "exclude",
        "[String]",
        "Patterns of paths that are not unpacked, as dpkg's `path-exclude`.",
    ),
    (
        "include",
        "[String]",
        "Patterns of paths that are unpacked all the same, as dpkg's `path-include`.",
    ),
    (
        "archives",
        "[Archive]",
        "Archives beside those of the suite.",
    ),
    ("users", "[User]", "Users that are added."),
    ("groups", "[Group]", "Groups that are added."),
    ("groups", "[String]", "Further groups of the user, by name."),
    (
        "groups",
        "Map [Package]",
        "Packages that share a layer, by the name of the layer.",
    ),
    (
        "files",
        "Map File",
        "Files by their absolute path: text, a path of the project, or a value of `file`, `directory`, `symlink` or `binary`.",
    ),
    ("config", "Config", "How a container of the image is run."),
    ("layers", "Layers", "How the image is cut into layers."),
    ("uid", "Int", "The number of the user."),
    ("gid", "Int", "The number of the group."),
    ("group", "String", "The user's first group, by name."),
    (
        "group",
        "Owner",
        "The group that owns it: a name or a number.",
    ),
    ("home", "String", "The user's folder."),
    ("shell", "String", "The user's shell."),
    ("comment", "String", "Who the user is, in words."),
    (
        "system",
        "Bool",
        "Whether it is a system user, as `adduser --system` makes them: its home is `/nonexistent`, if nothing is said.",
    ),
    (
        "createHome",
        "Bool",
        "Whether the home folder is made: mode `0o700` with the files of `/etc/skel`, for a system user `0o755` and empty.",
    ),
    (
        "subuids",
        "[IdRange]",
        "The users that the user may map into namespaces, for `/etc/subuid`.",
    ),
    (
        "subgids",
        "[IdRange]",
        "The groups that the user may map into namespaces, for `/etc/subgid`.",
    ),
    ("start", "Int", "The first number."),
    ("count", "Int", "How many numbers."),
    (
        "entrypoint",
        "[String]",
        "The program that a container runs, and its first arguments.",
    ),
    (
        "cmd",
        "[String]",
        "Further arguments of the program, which whoever runs the container can replace.",
    ),
    ("env", "Map String", "Variables of the environment."),
    ("user", "Owner", "The user: a name or a number."),
    (
        "workdir",
        "String",
        "The folder that the program begins in.",
    ),
    (
        "labels",
        "Map String",
        "Labels: text about the image, by key.",
    ),
    (
        "ports",
        "[Port]",
        "The ports that the program listens on: a number, or text such as `\"53/udp\"`.",
    ),
    (
        "volumes",
        "[String]",
        "Folders whose content is kept outside of the container.",
    ),
    (
        "stopSignal",
        "String",
        "The signal that ends the program, such as `\"SIGTERM\"`.",
    ),
    ("remove", "[String]", "Paths that are removed."),
    (
        "attributes",
        "Map Attributes",
        "Modes, owners and capabilities of what is there, by path.",
    ),
    ("mode", "Mode", "The mode: a number such as `0o644`."),
    (
        "setuid",
        "Bool",
        "Whether the program runs as its owner, whoever starts it.",
    ),
    (
        "setgid",
        "Bool",
        "Whether the program runs as its group. In a folder: whether what is made there gets the folder's group.",
    ),
    (
        "sticky",
        "Bool",
        "Whether only their owners may remove what is in the folder, as in `/tmp`.",
    ),
    (
        "capabilities",
        "[String]",
        "What the program may do beyond its user: names such as `\"cap_net_bind_service\"`.",
    ),
    (
        "url",
        "String",
        "The address of the archive, where it is a third party's.",
    ),
    ("components", "[String]", "The archive's components."),
    (
        "keys",
        "Path",
        "The keys that the archive is signed with, as a file of the project.",
    ),
    (
        "priority",
        "Int",
        "The priority of the archive's packages, as apt's pins have it.",
    ),
    ("most", "Int", "The most layers that packages are cut into."),
    (
        "compression",
        "String",
        "How layers are compressed: `\"zstd\"`, `\"gzip\"` or `\"none\"`.",
    ),
    ("text", "String", "The text of the file."),
    ("source", "Path", "What is copied from the project."),
    (
        "source",
        "Source",
        "Where the bytes come from: a path of the project, or a value of `fetch`.",
    ),
    (
        "healthcheck",
        "Health",
        "How docker and podman find out whether the program does its work.",
    ),
    (
        "test",
        "[String]",
        "The command, which ends with 0 where all is well.",
    ),
    (
        "interval",
        "String",
        "How long to wait between two tests, such as `\"30s\"`.",
    ),
    (
        "timeout",
        "String",
        "How long a test may take, such as `\"5s\"`.",
    ),
    (
        "startPeriod",
        "String",
        "For how long failed tests do not count, such as `\"1m\"`.",
    ),
    ("retries", "Int", "How many tests in a row must fail."),
    (
        "sha256",
        "String",
        "The SHA-256 of the bytes: 64 hexadecimal digits.",
    ),
    (
        "strip",
        "Int",
        "How many leading parts of each path are left out.",
    ),
    (
        "annotations",
        "Map String",
        "Annotations of the manifest: text about the image, by key.",
    ),
    (
        "provided",
        "Map String",
        "Libraries and interpreters that something outside of the image provides when it runs, each with the reason.",
    ),
];

/// The sentence about a field of that name and type.
pub(super) fn field_doc(name: &str, ty: &str) -> Option<&'static str> {
    let found = FIELDS.iter().find(|row| row.0 == name && row.1 == ty);
    found.map(|row| row.2)
}

#[cfg(test)]
mod tests {
    use super::super::hosts::{Host, fields_of};
    use super::*;

    #[test]
    fn every_field_of_a_schema_has_a_sentence() {
        for host in Host::ALL {
            for (name, _, ty) in fields_of(host) {
                assert!(field_doc(name, &ty).is_some(), "{name} : {ty}");
            }
        }
    }
}
