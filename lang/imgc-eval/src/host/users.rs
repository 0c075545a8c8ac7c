//! Users and groups: what an image says of them, and the accounts that this makes.

use std::collections::BTreeMap;

use imgc_diag::{codes, did_you_mean};
use imgc_plan::{Group, IdRange, ImagePath, User};

use crate::origins::Place;
use crate::problem::Problem;
use crate::site::Site;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::Value;

use super::{Said, field, field_site, id, image_path_of, items, keep, text, texts};

/// What a user or group is counted as: its fields are read, checked and written down.
const ACCOUNT: usize = 40;

/// What a range of numbers is counted as: it is compared with those beside it.
const RANGE: usize = 20;

/// The users and groups of an image.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Accounts {
    /// What is said, in the order of the source.
    said: Asked,
    /// The groups that this makes.
    groups: Vec<Said<Group>>,
    /// The users that this makes.
    users: Vec<Said<User>>,
}

/// The fields `groups` and `users` as they are written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Asked {
    groups: Vec<AskedGroup>,
    users: Vec<AskedUser>,
    has_groups: bool,
    has_users: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct AskedGroup {
    name: Said<String>,
    gid: Said<u32>,
}

#[derive(Debug, Clone, PartialEq)]
struct AskedUser {
    name: Said<String>,
    uid: Said<u32>,
    group: Option<Said<String>>,
    gid: Option<Said<u32>>,
    groups: Vec<String>,
    comment: String,
    system: bool,
    home: Option<ImagePath>,
    create_home: bool,
    shell: Option<ImagePath>,
    subuids: Vec<Said<IdRange>>,
    subgids: Vec<Said<IdRange>>,
}

/// Groups while they are made.
#[derive(Debug, Default)]
struct Groups {
    all: Vec<Said<Group>>,
    ids: BTreeMap<u32, usize>,
    names: BTreeMap<String, usize>,
}

/// Whether `name` is `[a-z_][a-z0-9_-]*` and at most 32 bytes.
pub(super) fn is_user_name(name: &str) -> bool {
    let first = name.bytes().next();
    name.len() <= 32
        && first.is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
        })
}

/// The report of a name that no user may have.
pub(super) fn bad_user_name(site: Site, name: &str) -> Problem<Site> {
    let message = format!("`{name}` can't be the name of a user or group");
    Problem::new(codes::BAD_USER_NAME, site, message)
        .note("small letters, digits, `_` and `-`, at most 32, not beginning with a digit or `-`")
}

impl Asked {
    /// Reads the fields `groups` and `users` of `image`. What is wrong is left out and
    /// remembered in `failed`.
    pub(super) fn read(call: &mut Call<'_>, image: &Value, failed: &mut bool) -> Self {
        let mut asked = Self::default();
        if let Some(groups) = field(image, "groups", failed) {
            asked.has_groups = true;
            let list = items(call, groups);
            for (index, item) in keep(failed, list).into_iter().flatten().enumerate() {
                let group = group(call, index, item);
                asked.groups.extend(keep(failed, group));
            }
        }
        if let Some(users) = field(image, "users", failed) {
            asked.has_users = true;
            let list = items(call, users);
            for (index, item) in keep(failed, list).into_iter().flatten().enumerate() {
                let user = user(call, index, item, failed);
                asked.users.extend(keep(failed, user));
            }
        }
        asked
    }

    /// Whether nothing is said of users and groups.
    pub(super) fn is_empty(&self) -> bool {
        !self.has_groups && !self.has_users
    }

    fn count(&self, call: &mut Call<'_>) -> Eval<()> {
        call.step((self.groups.len() + self.users.len()) * ACCOUNT)?;
        let groups = self.groups.len() * (size_of::<AskedGroup>() + size_of::<Group>());
        let users = self.users.len() * (size_of::<AskedUser>() + size_of::<User>() + 64);
        let ranges = self.users.iter();
        let ranges = ranges.map(|user| user.subuids.len() + user.subgids.len());
        let ranges = ranges.sum::<usize>();
        call.step(ranges * RANGE)?;
        call.allocate(groups + users + ranges * size_of::<Said<IdRange>>() * 2)
    }
}

impl Accounts {
    /// The accounts that are asked for.
    pub(super) fn new(call: &mut Call<'_>, said: Asked, failed: &mut bool) -> Self {
        if keep(failed, said.count(call)).is_none() {
            return Self::default();
        }
        let mut groups = Groups::default();
        for AskedGroup { name, gid } in &said.groups {
            let group = groups.add(call, name, gid);
            keep(failed, group);
        }
        let mut users = Vec::new();
        let mut ids: BTreeMap<u32, Site> = BTreeMap::new();
        let mut names: BTreeMap<&str, Site> = BTreeMap::new();
        for user in &said.users {
            let same_name = names.insert(&user.name.value, user.name.site);
            let same_id = ids.insert(user.uid.value, user.uid.site);
            let twice = [
                (same_name, user.name.site, "the same name"),
                (same_id, user.uid.site, "the same number"),
            ];
            let earlier = twice
                .into_iter()
                .find_map(|(earlier, site, what)| Some((earlier?, site, what)));
            if let Some((earlier, site, what)) = earlier {
                *failed = true;
                let message = format!("two users have {what}");
                let problem = Problem::new(codes::DUPLICATE_USER, site, message);
                call.report(problem.label(earlier, "it is here first"));
                continue;
            }
            let gid = groups.primary(call, user);
            if let Some(gid) = keep(failed, gid) {
                users.push(Said::new(user.made(gid), user.name.site));
            }
        }
        let subuids = said.users.iter().map(|user| &user.subuids[..]);
        let subgids = said.users.iter().map(|user| &user.subgids[..]);
        overlapping(call, "subuids", subuids, failed);
        overlapping(call, "subgids", subgids, failed);
        Self {
            users,
            groups: groups.all,
            said,
        }
    }

    /// These and those that are asked for beside. What is asked for by both in the same
    /// words is there once.
    pub(super) fn join(&self, call: &mut Call<'_>, other: &Asked, failed: &mut bool) -> Self {
        let counted = self.said.count(call).and_then(|()| other.count(call));
        if keep(failed, counted).is_none() {
            return Self::default();
        }
        let mut said = self.said.clone();
        let groups: BTreeMap<&str, u32> = self
            .said
            .groups
            .iter()
            .map(|group| (group.name.value.as_str(), group.gid.value))
            .collect();
        let new =
            |group: &&AskedGroup| groups.get(group.name.value.as_str()) != Some(&group.gid.value);
        said.groups.extend(other.groups.iter().filter(new).cloned());
        let users: BTreeMap<&str, &AskedUser> = self
            .said
            .users
            .iter()
            .map(|user| (user.name.value.as_str(), user))
            .collect();
        let new = |user: &&AskedUser| {
            let same = users.get(user.name.value.as_str());
            same.is_none_or(|same| !same.says_the_same(user))
        };
        said.users.extend(other.users.iter().filter(new).cloned());
        Self::new(call, said, failed)
    }

    /// These with the lists of `other` in the place of those here.
    pub(super) fn replace(&self, call: &mut Call<'_>, other: Asked, failed: &mut bool) -> Self {
        let mut said = other;
        if !said.has_groups {
            said.groups.clone_from(&self.said.groups);
        }
        if !said.has_users {
            said.users.clone_from(&self.said.users);
        }
        Self::new(call, said, failed)
    }

    /// What is said of them.
    pub(super) fn said(&self) -> &Asked {
        &self.said
    }

    /// The groups, in the order of the source.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().map(|said| &said.value)
    }

    /// The users, in the order of the source.
    pub(super) fn users(&self) -> impl Iterator<Item = &User> {
        self.users.iter().map(|said| &said.value)
    }

    /// Where they are written.
    pub(super) fn places(&self) -> impl Iterator<Item = (Place, Site)> {
        let groups = self.groups.iter();
        let groups = groups.map(|said| (Place::Group(said.value.name.clone()), said.site));
        let users = self.users.iter();
        groups.chain(users.map(|said| (Place::User(said.value.name.clone()), said.site)))
    }
}

impl AskedUser {
    fn made(&self, gid: u32) -> User {
        let mut groups = self.groups.clone();
        groups.sort_unstable();
        groups.dedup();
        User {
            name: self.name.value.clone(),
            uid: self.uid.value,
            gid,
            comment: self.comment.clone(),
            system: self.system,
            home: self.home.clone(),
            create_home: self.create_home,
            shell: self.shell.clone(),
            groups,
            subuids: self.subuids.iter().map(|range| range.value).collect(),
            subgids: self.subgids.iter().map(|range| range.value).collect(),
        }
    }

    fn says_the_same(&self, other: &Self) -> bool {
        let value = |gid: &Option<Said<u32>>| gid.as_ref().map(|gid| gid.value);
        let group = |user: &Self| user.group.as_ref().map(|group| group.value.clone());
        value(&self.gid) == value(&other.gid)
            && group(self) == group(other)
            && self.made(0) == other.made(0)
    }
}

impl Groups {
    fn add(&mut self, call: &mut Call<'_>, name: &Said<String>, gid: &Said<u32>) -> Eval<()> {
        let twice = [
            (self.names.get(&name.value), name.site, "the same name"),
            (self.ids.get(&gid.value), gid.site, "the same number"),
        ];
        for (earlier, site, what) in twice {
            let Some(&earlier) = earlier else { continue };
            let message = format!("two groups have {what}");
            let problem = Problem::new(codes::DUPLICATE_GROUP, site, message);
            let problem = problem.label(self.all[earlier].site, "it is here first");
            return Err(call.report(problem));
        }
        self.names.insert(name.value.clone(), self.all.len());
        self.ids.insert(gid.value, self.all.len());
        let group = Group {
            name: name.value.clone(),
            gid: gid.value,
        };
        self.all.push(Said::new(group, name.site));
        Ok(())
    }

    /// The number of a user's primary group. Without `group` and `gid` it is made:
    /// a group of the user's name and number. `gid` alone is a group that is there
    /// already; `group` alone is one of the image's groups; both make one.
    fn primary(&mut self, call: &mut Call<'_>, user: &AskedUser) -> Eval<u32> {
        let (name, gid) = match (&user.group, &user.gid) {
            (None, Some(gid)) => return Ok(gid.value),
            (Some(group), None) => {
                let name = group.value.as_str();
                if let Some(&at) = self.names.get(name) {
                    return Ok(self.all[at].value.gid);
                }
                let message = format!("the image has no group `{name}`");
                let problem = Problem::new(codes::UNKNOWN_USER, group.site, message);
                let names = self.names.keys().map(String::as_str);
                let problem = match did_you_mean(name, names) {
                    Some(similar) => problem.did_you_mean(group.site, name, similar),
                    None => problem.help("add it to `groups`, or say its number with `gid` too"),
                };
                return Err(call.report(problem));
            }
            (Some(name), Some(gid)) => (name.clone(), *gid),
            (None, None) => (user.name.clone(), Said::new(user.uid.value, user.name.site)),
        };
        let Some(&at) = self.names.get(&name.value) else {
            self.add(call, &name, &gid)?;
            return Ok(gid.value);
        };
        let declared = &self.all[at];
        if declared.value.gid == gid.value {
            return Ok(gid.value);
        }
        let (name, site) = (&name.value, name.site);
        let message = format!(
            "the group `{name}` of this user would have the number {}, and it has {}",
            gid.value, declared.value.gid
        );
        let problem = Problem::new(codes::DUPLICATE_GROUP, site, message)
            .label(declared.site, "the group is here")
            .help(format!("write `group = \"{name}\";` to use that group"));
        Err(call.report(problem))
    }
}

fn group(call: &mut Call<'_>, index: usize, value: &Value) -> Eval<AskedGroup> {
    let record = value.as_record().ok_or(Failed)?;
    let (name, gid) = (
        record.get("name").ok_or(Failed)?,
        record.get("gid").ok_or(Failed)?,
    );
    let name = new_name(call, &format!("`groups[{index}].name`"), name);
    let gid = new_id(call, &format!("`groups[{index}].gid`"), gid);
    Ok(AskedGroup {
        name: name?,
        gid: gid?,
    })
}

/// The user that is asked for, if its name and number are good. What else is wrong is
/// remembered in `failed`.
fn user(call: &mut Call<'_>, index: usize, value: &Value, failed: &mut bool) -> Eval<AskedUser> {
    let part = |field: &str| format!("`users[{index}].{field}`");
    let record = value.as_record().ok_or(Failed)?;
    let name = new_name(call, &part("name"), record.get("name").ok_or(Failed)?);
    let uid = new_id(call, &part("uid"), record.get("uid").ok_or(Failed)?);
    let mut comment = String::new();
    if let Some(given) = field(value, "comment", failed) {
        let text = text(call, &part("comment"), given);
        comment = keep(failed, text).unwrap_or_default().to_owned();
        if comment.contains(':') || comment.chars().any(char::is_control) {
            *failed = true;
            let message = "the comment of a user has no `:` and stands on one line";
            let site = call.site_of_value(given);
            call.report(Problem::new(codes::INVALID_ARGUMENT, site, message));
        }
    }
    let mut home = None;
    if let Some(given) = field(value, "home", failed) {
        let path = account_path(call, &part("home"), given);
        home = keep(failed, path);
    }
    let mut shell = None;
    if let Some(given) = field(value, "shell", failed) {
        let path = account_path(call, &part("shell"), given);
        shell = keep(failed, path);
    }
    let mut groups = Vec::new();
    if let Some(given) = field(value, "groups", failed) {
        let list = texts(call, part("groups").trim_matches('`'), given);
        for group in keep(failed, list).unwrap_or_default() {
            if !is_user_name(&group.value) {
                *failed = true;
                call.report(bad_user_name(group.site, &group.value));
            }
            groups.push(group.value);
        }
    }
    let mut gid = None;
    if let Some(given) = field(value, "gid", failed) {
        let number = id(call, &part("gid"), given);
        let site = call.site_of_value(given);
        gid = keep(failed, number).map(|number| Said::new(number, site));
    }
    let mut group = None;
    if let Some(given) = field(value, "group", failed) {
        let name = new_name(call, &part("group"), given);
        group = keep(failed, name);
    }
    let system = matches!(field(value, "system", failed), Some(Value::Bool(_, true)));
    let mut create_home = false;
    if let Some(Value::Bool(_, true)) = field(value, "createHome", failed) {
        create_home = true;
        let site = field_site(call, value, "createHome");
        let checked = check_home(call, home.as_ref(), system, site);
        keep(failed, checked);
    }
    let subuids = ranges(call, index, value, "subuids", failed);
    let subgids = ranges(call, index, value, "subgids", failed);
    let (name, uid) = (name?, uid?);
    Ok(AskedUser {
        system,
        home,
        create_home,
        shell,
        subuids,
        subgids,
        name,
        uid,
        group,
        gid,
        groups,
        comment,
    })
}

fn new_name(call: &mut Call<'_>, what: &str, value: &Value) -> Eval<Said<String>> {
    let text = text(call, what, value)?;
    let site = call.site_of_value(value);
    if !is_user_name(text) {
        return Err(call.report(bad_user_name(site, text)));
    }
    if text == "root" {
        let message = "`root` is there in every image";
        return Err(call.report(Problem::new(codes::BAD_USER_NAME, site, message)));
    }
    Ok(Said::new(text.to_owned(), site))
}

/// The number of a user or group that is added: not root's.
fn new_id(call: &mut Call<'_>, what: &str, value: &Value) -> Eval<Said<u32>> {
    let id = id(call, what, value)?;
    let site = call.site_of_value(value);
    if id == 0 {
        let problem = Problem::new(codes::BAD_ID, site, "the number 0 is root's");
        return Err(call.report(problem.help("take a number from 1000 on")));
    }
    Ok(Said::new(id, site))
}

/// A path that stands in a line of `/etc/passwd`.
fn account_path(call: &mut Call<'_>, what: &str, value: &Value) -> Eval<ImagePath> {
    let path = image_path_of(call, what, value)?;
    if path.as_str().contains(':') || path.as_str().chars().any(char::is_control) {
        let message = format!("{what} has no `:` and stands on one line");
        let site = call.site_of_value(value);
        return Err(call.report(Problem::new(codes::BAD_IMAGE_PATH, site, message)));
    }
    Ok(path)
}

/// Checks that there is a folder that can be made.
fn check_home(call: &mut Call<'_>, home: Option<&ImagePath>, system: bool, site: Site) -> Eval<()> {
    let message = match home.map(ImagePath::as_str) {
        None if system => "a system user has no home to make: it is `/nonexistent`",
        Some("/nonexistent") => "`/nonexistent` is the home of users that have none",
        Some("/") => "`/` is the root of the image, and there already",
        _ => return Ok(()),
    };
    let problem = Problem::new(codes::INVALID_ARGUMENT, site, message);
    Err(call.report(problem.help("say where with `home`, or leave `createHome` out")))
}

/// The ranges of numbers in a field of a user, if they are good.
fn ranges(
    call: &mut Call<'_>,
    index: usize,
    user: &Value,
    name: &str,
    failed: &mut bool,
) -> Vec<Said<IdRange>> {
    let mut all = Vec::new();
    let Some(given) = field(user, name, failed) else {
        return all;
    };
    let list = items(call, given);
    for (at, item) in keep(failed, list).into_iter().flatten().enumerate() {
        let part = |field: &str| format!("`users[{index}].{name}[{at}].{field}`");
        let (Some(start), Some(count)) =
            (field(item, "start", failed), field(item, "count", failed))
        else {
            continue;
        };
        let start = id(call, &part("start"), start);
        let counted = id(call, &part("count"), count);
        let (Some(start), Some(number)) = (keep(failed, start), keep(failed, counted)) else {
            continue;
        };
        // The last number that there is means "no id".
        if number == 0 || start.checked_add(number).is_none() {
            *failed = true;
            let message = match number {
                0 => format!("{} is at least 1", part("count")),
                _ => format!("{number} numbers from {start} on go beyond 4294967294"),
            };
            let site = call.site_of_value(count);
            call.report(Problem::new(codes::BAD_ID, site, message));
            continue;
        }
        let range = IdRange {
            start,
            count: number,
        };
        all.push(Said::new(range, call.site_of_value(item)));
    }
    all
}

/// Reports ranges that have a number in common: whoever has it would act in the name of
/// the other.
fn overlapping<'a>(
    call: &mut Call<'_>,
    name: &str,
    users: impl Iterator<Item = &'a [Said<IdRange>]>,
    failed: &mut bool,
) {
    let mut all: Vec<&Said<IdRange>> = users.flatten().collect();
    all.sort_by_key(|range| range.value);
    for pair in all.windows(2) {
        if let [one, other] = pair
            && one.value.overlaps(other.value)
        {
            *failed = true;
            let message = format!(
                "two ranges of `{name}` have {} in common",
                other.value.start
            );
            let problem = Problem::new(codes::BAD_ID, other.site, message);
            call.report(problem.label(one.site, "the other one is here"));
        }
    }
}
