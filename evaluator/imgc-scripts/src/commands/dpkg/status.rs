//! dpkg's list of packages: reading `/var/lib/dpkg/status`, and finding packages in it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bstr::{BString, ByteSlice as _};

use super::place::{Place, matches};
use crate::process::Process;
use crate::stop::Stop;

/// A package, as its stanza has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: BString,
    /// Empty for a package of which only the name is known.
    pub(super) arch: BString,
    /// The stanza, with the newline at its end.
    pub(super) stanza: BString,
}

/// All packages.
#[derive(Debug, Clone, Default)]
pub(super) struct Packages {
    /// By name and architecture.
    all: Vec<Rc<Package>>,
    native: BString,
}

/// The packages of a `status` that was read, and its text: the next one is much the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    text: Rc<Vec<u8>>,
    packages: Rc<Packages>,
}

/// What makes a package known that is not there.
const RELATIONS: [&[u8]; 9] = [
    b"depends",
    b"pre-depends",
    b"recommends",
    b"suggests",
    b"breaks",
    b"conflicts",
    b"provides",
    b"replaces",
    b"enhances",
];

impl Package {
    /// A field's value, with the lines that continue it; the name in small letters.
    pub(super) fn field(&self, name: &[u8]) -> Option<&[u8]> {
        fields(&self.stanza)
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    }

    /// What packages are sorted by.
    fn key(&self) -> (&BString, &BString) {
        (&self.name, &self.arch)
    }

    fn key_owned(&self) -> (BString, BString) {
        (self.name.clone(), self.arch.clone())
    }

    fn words(&self) -> [&[u8]; 3] {
        let status = self.field(b"status").unwrap_or(b"unknown ok not-installed");
        let mut words = status
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        [(); 3].map(|()| words.next().unwrap_or_default())
    }

    /// What is wanted: `install`, `hold`, ….
    pub(super) fn want(&self) -> &[u8] {
        self.words()[0]
    }

    /// Whether it must be installed again: `ok` or `reinstreq`.
    pub(super) fn flag(&self) -> &[u8] {
        self.words()[1]
    }

    /// How far it is: `installed`, `unpacked`, ….
    pub(super) fn state(&self) -> &[u8] {
        self.words()[2]
    }

    /// Whether anything is known of it but its name.
    pub(super) fn is_known(&self) -> bool {
        self.state() != b"not-installed"
    }

    fn is_same(&self) -> bool {
        self.field(b"multi-arch") == Some(b"same")
    }

    /// Its name, with the architecture where that is needed to tell it apart.
    pub(super) fn title(&self, native: &[u8]) -> BString {
        let foreign = self.arch != "all" && self.arch != native;
        if self.arch.is_empty() || !(self.is_same() || foreign) {
            return self.name.clone();
        }
        [self.name.as_slice(), b":", &self.arch].concat().into()
    }
}

/// The fields of a stanza.
fn fields(stanza: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = stanza;
    std::iter::from_fn(move || {
        let mut end = 0;
        loop {
            end += rest[end..]
                .find_byte(b'\n')
                .map_or(rest.len() - end, |at| at + 1);
            if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (field, after) = rest.split_at(end);
        rest = after;
        let colon = field.find_byte(b':')?;
        Some((&field[..colon], field[colon + 1..].trim_ascii()))
    })
}

impl Packages {
    pub(super) fn read(process: &mut Process<'_, '_>, place: &Place) -> Result<Rc<Self>, Stop> {
        let text = place.read(process, "status")?;
        let machine = &mut *process.machine;
        if !Rc::ptr_eq(&text, &machine.packages.text) {
            let native = machine.setup.arch.as_bytes();
            let packages = Rc::new(Self::parse(&text, native, &machine.packages.packages));
            machine.packages = Known { text, packages };
        }
        Ok(Rc::clone(&machine.packages.packages))
    }

    /// Reads a `status`. What is as in `before` is not read again.
    fn parse(bytes: &[u8], native: &[u8], before: &Self) -> Self {
        let mut all = Vec::new();
        let mut at = 0;
        for stanza in bytes.split_str("\n\n") {
            let stanza = stanza.trim_with(|c| c == '\n');
            if stanza.is_empty() {
                continue;
            }
            if let Some(known) = before.all.get(at)
                && known.stanza.strip_suffix(b"\n") == Some(stanza)
            {
                all.push(Rc::clone(known));
                at += 1;
                continue;
            }
            let mut package = Package {
                stanza: [stanza, b"\n"].concat().into(),
                ..Package::default()
            };
            let field = |name: &[u8]| package.field(name).unwrap_or_default().into();
            (package.name, package.arch) = (field(b"package"), field(b"architecture"));
            at = before.all.partition_point(|one| one.key() <= package.key());
            all.push(Rc::new(package));
        }
        if !all.is_sorted_by(|a, b| a.key() < b.key()) {
            // Of two with one name, the last one counts.
            let keyed = all.into_iter().map(|one| (one.key_owned(), one));
            let keyed: BTreeMap<_, _> = keyed.collect();
            all = keyed.into_values().collect();
        }
        Self {
            all,
            native: native.into(),
        }
    }

    /// The names in relations that a pattern matches.
    fn named(&self, pattern: &[u8]) -> BTreeSet<BString> {
        let mut found = BTreeSet::new();
        let relations = self.iter().flat_map(|package| fields(&package.stanza));
        let relations = relations.filter(|(field, _)| {
            RELATIONS
                .iter()
                .any(|name| field.eq_ignore_ascii_case(name))
        });
        for one in relations.flat_map(|(_, value)| value.split(|b| b",|".contains(b))) {
            let one = one.trim_ascii();
            let end = one.find_byteset(" (:[<\n\t").unwrap_or(one.len());
            let name = one[..end].as_bstr();
            if end > 0 && matches(pattern, name) && !found.contains(name) {
                found.insert(name.to_owned());
            }
        }
        found
    }

    pub(super) fn native(&self) -> &BString {
        &self.native
    }

    /// All packages that are there, sorted.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Rc<Package>> {
        self.all.iter()
    }

    /// The packages that a pattern (`NAME`, `NAME:ARCH`) matches, sorted; also those that
    /// only relations name.
    pub(super) fn matching(&self, pattern: &[u8]) -> Vec<Rc<Package>> {
        let (name, arch) = match pattern.split_once_str(":") {
            Some((name, arch)) => (name, Some(arch)),
            None => (pattern, None),
        };
        let fits = |package: &&Rc<Package>| {
            let arch_fits = |arch| matches(arch, &package.arch);
            matches(name, &package.name) && arch.is_none_or(arch_fits)
        };
        let mut found: Vec<Rc<Package>> = self.iter().filter(fits).cloned().collect();
        // A plain name that is there needs no look at the relations.
        let whole = found.iter().any(|package| package.name == name);
        if arch.is_none() && !(whole && name.find_byteset(b"*?[\\").is_none()) {
            let mut named = self.named(name);
            named.retain(|name| self.iter_of(name).next().is_none());
            let unknown = named.into_iter().map(|name| Package {
                name,
                ..Package::default()
            });
            found.extend(unknown.map(Rc::new));
        }
        found.sort_by(|a, b| a.key().cmp(&b.key()));
        found
    }

    fn iter_of(&self, name: &[u8]) -> impl Iterator<Item = &Rc<Package>> {
        let first = self.all.partition_point(|one| one.name < name);
        self.all[first..].iter().take_while(move |p| p.name == name)
    }

    /// The package `NAME` or `NAME:ARCH`.
    pub(super) fn get(&self, name: &[u8]) -> Option<&Rc<Package>> {
        let (name, arch) = match name.split_once_str(":") {
            Some((name, arch)) => (name, Some(arch)),
            None => (name, None),
        };
        let fits = |package: &&Rc<Package>| match arch {
            None => true,
            Some(arch) => package.arch == arch,
        };
        self.iter_of(name).find(fits)
    }

    /// The file in `info` of a package, without `.SUFFIX`.
    pub(super) fn info(
        &self,
        process: &Process<'_, '_>,
        place: &Place,
        package: &Package,
    ) -> BString {
        let named = |name: &[u8]| place.file([b"info/", name].concat());
        let title = named(&package.title(&self.native));
        let list = |stem: &BString| {
            let path = [stem.as_slice(), b".list"].concat();
            process.machine.files.exists(&path)
        };
        if list(&title) {
            return title;
        }
        let full = named(&[package.name.as_slice(), b":", &package.arch].concat());
        let bare = named(&package.name);
        [full, bare].into_iter().find(list).unwrap_or(title)
    }

    /// The paths of a package, one in a line, in the order of its list.
    pub(super) fn files(
        &self,
        process: &mut Process<'_, '_>,
        place: &Place,
        package: &Package,
    ) -> Result<Rc<Vec<u8>>, Stop> {
        let path = [self.info(process, place, package).as_slice(), b".list"].concat();
        let bytes = process.machine.files.read(&path).unwrap_or_default();
        process.machine.spend(1 + bytes.len() as u64 / 256)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_stanzas() {
        let text = "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\n\
            Multi-Arch: same\nDepends: libgcc-s1, a | b (>= 1)\nConffiles:\n /etc/x 00\n\n\
            Package: tzdata\nStatus: hold ok unpacked\nArchitecture: all\n";
        let packages = Packages::parse(text.as_bytes(), b"amd64", &Packages::default());
        let libc = packages.get(b"libc6").expect("it");
        assert_eq!(libc.title(b"amd64"), "libc6:amd64");
        assert_eq!(libc.field(b"conffiles").expect("it"), b"/etc/x 00");
        assert!(packages.get(b"libc6:i386").is_none());
        assert!(packages.get(b"tzdata:all").is_some());
        let names: Vec<BString> = packages
            .matching(b"*")
            .into_iter()
            .map(|p| p.name.clone())
            .collect();
        assert_eq!(names, ["a", "b", "libc6", "libgcc-s1", "tzdata"]);
        let package = &packages.matching(b"tzdata")[0];
        assert_eq!(
            (package.want(), package.state()),
            (&b"hold"[..], &b"unpacked"[..])
        );
    }

    #[test]
    fn what_is_the_same_is_not_read_again() {
        let stanza = |name: &str, state: &str| {
            format!("Package: {name}\nStatus: install ok {state}\nArchitecture: all\n\n")
        };
        let read = |all: &[(&str, &str)], before: &Packages| {
            let text: String = all
                .iter()
                .map(|(name, state)| stanza(name, state))
                .collect();
            let packages = Packages::parse(text.as_bytes(), b"amd64", before);
            let afresh = Packages::parse(text.as_bytes(), b"amd64", &Packages::default());
            assert_eq!(packages.all, afresh.all);
            packages
        };
        let one = read(
            &[("a", "installed"), ("c", "unpacked")],
            &Packages::default(),
        );
        let all = [("a", "installed"), ("b", "unpacked"), ("c", "unpacked")];
        let two = read(&all, &one);
        assert!(Rc::ptr_eq(&one.all[0], &two.all[0]) && Rc::ptr_eq(&one.all[1], &two.all[2]));
        let three = read(&[("c", "unpacked"), ("b", "x"), ("c", "installed")], &two);
        assert_eq!(three.get(b"c").expect("it").state(), b"installed");
        assert_eq!(three.all.len(), 2);
    }
}
