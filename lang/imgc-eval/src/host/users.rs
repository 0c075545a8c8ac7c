//! Users and groups.

use std::collections::BTreeMap;

use imgc_diag::{codes, did_you_mean};
use imgc_plan::{Group, ImagePath, User};

use crate::eval::{Eval, Evaluator, Failed};
use crate::origins::Place;
use crate::problem::Problem;
use crate::span::Span;
use crate::value::{Record, Value};

use super::keep;

/// Where a thing was said, and whether a user said it for its own group.
#[derive(Debug, Default)]
struct Seen {
    groups: Vec<(Group, Span)>,
    group_ids: BTreeMap<u32, usize>,
    group_names: BTreeMap<String, usize>,
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

impl Evaluator<'_> {
    /// The fields `groups` and `users` of an image.
    pub(super) fn host_users(
        &mut self,
        image: &Record,
        origins: &mut Vec<(Place, Span)>,
    ) -> Eval<(Vec<Group>, Vec<User>)> {
        let mut failed = false;
        let mut seen = Seen::default();
        if let Some(field) = image.get("groups") {
            let list = self.host_list("`groups`", &field.value);
            let list = keep(&mut failed, list);
            for (index, item) in list.iter().flat_map(|list| &list.items).enumerate() {
                let group = self.host_group(index, item, &mut seen);
                keep(&mut failed, group);
            }
        }
        let mut users: Vec<User> = Vec::new();
        let mut ids: BTreeMap<u32, Span> = BTreeMap::new();
        let mut names: BTreeMap<String, Span> = BTreeMap::new();
        if let Some(field) = image.get("users") {
            let list = self.host_list("`users`", &field.value);
            let list = keep(&mut failed, list);
            for (index, item) in list.iter().flat_map(|list| &list.items).enumerate() {
                let user = self.host_user(index, item, &mut seen);
                let Some((user, name_span, id_span)) = keep(&mut failed, user) else {
                    continue;
                };
                let twice = [
                    (
                        names.insert(user.name.clone(), name_span),
                        name_span,
                        "the same name",
                    ),
                    (ids.insert(user.uid, id_span), id_span, "the same number"),
                ];
                for (earlier, span, what) in twice {
                    let Some(earlier) = earlier else { continue };
                    failed = true;
                    let message = format!("two users have {what}");
                    self.report(
                        Problem::new(codes::DUPLICATE_USER, span, message)
                            .label(earlier, "it is here first"),
                    );
                    break;
                }
                origins.push((Place::User(user.name.clone()), name_span));
                users.push(user);
            }
        }
        if failed {
            return Err(Failed);
        }
        let mut groups = Vec::new();
        for (group, span) in seen.groups {
            origins.push((Place::Group(group.name.clone()), span));
            groups.push(group);
        }
        Ok((groups, users))
    }

    fn host_group(&mut self, index: usize, value: &Value, seen: &mut Seen) -> Eval<()> {
        let what = format!("`groups[{index}]`");
        let known = ["gid", "name"];
        let mut failed = false;
        let record = self.host_record(&what, value, &known, &known, &mut failed)?;
        let (Some(name), Some(gid)) = (record.get("name"), record.get("gid")) else {
            return Err(Failed);
        };
        let given = self.host_user_name(&what, &name.value);
        let id = self.host_new_id(&format!("`groups[{index}].gid`"), &gid.value);
        let group = Group {
            name: given?,
            gid: id?,
        };
        if failed {
            return Err(Failed);
        }
        self.add_group(seen, group, name.value.span, gid.value.span)
    }

    fn add_group(
        &mut self,
        seen: &mut Seen,
        group: Group,
        name_span: Span,
        id_span: Span,
    ) -> Eval<()> {
        let twice = [
            (
                seen.group_names.get(&group.name),
                name_span,
                "the same name",
            ),
            (seen.group_ids.get(&group.gid), id_span, "the same number"),
        ];
        for (earlier, span, what) in twice {
            let Some(&earlier) = earlier else { continue };
            let message = format!("two groups have {what}");
            let earlier = seen.groups[earlier].1;
            return Err(self.report(
                Problem::new(codes::DUPLICATE_GROUP, span, message)
                    .label(earlier, "it is here first"),
            ));
        }
        seen.group_names
            .insert(group.name.clone(), seen.groups.len());
        seen.group_ids.insert(group.gid, seen.groups.len());
        seen.groups.push((group, name_span));
        Ok(())
    }

    fn host_user(
        &mut self,
        index: usize,
        value: &Value,
        seen: &mut Seen,
    ) -> Eval<(User, Span, Span)> {
        let what = format!("`users[{index}]`");
        let part = |field: &str| format!("`users[{index}].{field}`");
        let known = [
            "comment", "gid", "group", "groups", "home", "name", "shell", "uid",
        ];
        let mut failed = false;
        let record = self.host_record(&what, value, &known, &["name", "uid"], &mut failed)?;
        let (Some(name_field), Some(uid_field)) = (record.get("name"), record.get("uid")) else {
            return Err(Failed);
        };
        let name_span = name_field.value.span;
        let name = self.host_user_name(&what, &name_field.value);
        let name = keep(&mut failed, name).unwrap_or_default();
        let uid = self.host_new_id(&part("uid"), &uid_field.value);
        let uid = keep(&mut failed, uid).unwrap_or_default();

        let mut comment = String::new();
        if let Some(field) = record.get("comment") {
            let text = self.host_string(&part("comment"), &field.value);
            comment = keep(&mut failed, text).unwrap_or_default().to_string();
            if comment.contains(':') || comment.chars().any(char::is_control) {
                failed = true;
                self.report(Problem::new(
                    codes::INVALID_ARGUMENT,
                    field.value.span,
                    "the comment of a user has no `:` and stands on one line",
                ));
            }
        }
        let mut home = ImagePath::new(&format!("/home/{name}")).ok();
        if let Some(field) = record.get("home") {
            let path = self.host_account_path(&part("home"), &field.value);
            home = keep(&mut failed, path);
        }
        let mut shell = ImagePath::new("/usr/sbin/nologin").ok();
        if let Some(field) = record.get("shell") {
            let path = self.host_account_path(&part("shell"), &field.value);
            shell = keep(&mut failed, path);
        }
        let mut groups = Vec::new();
        if let Some(field) = record.get("groups") {
            let list = self.host_strings(&part("groups"), &field.value);
            for (group, span) in keep(&mut failed, list).unwrap_or_default() {
                if !is_user_name(&group) {
                    failed = true;
                    self.report(bad_user_name(span, &group));
                }
                groups.push(group.to_string());
            }
        }
        groups.sort_unstable();
        groups.dedup();
        let gid = self.primary_group(index, &record, &name, uid, name_span, seen);
        let gid = keep(&mut failed, gid).unwrap_or_default();
        let (Some(home), Some(shell), false) = (home, shell, failed) else {
            return Err(Failed);
        };
        let user = User {
            name,
            uid,
            gid,
            comment,
            home,
            shell,
            groups,
        };
        Ok((user, name_span, uid_field.value.span))
    }

    /// The number of a user's primary group. Without `group` and `gid` it is made:
    /// a group of the user's name and number. `gid` alone is a group that is there
    /// already; `group` alone is one of the image's groups; both make one.
    fn primary_group(
        &mut self,
        index: usize,
        user: &Record,
        user_name: &str,
        uid: u32,
        name_span: Span,
        seen: &mut Seen,
    ) -> Eval<u32> {
        let part = |field: &str| format!("`users[{index}].{field}`");
        let gid = match user.get("gid") {
            Some(field) => Some((self.host_id(&part("gid"), &field.value)?, field.value.span)),
            None => None,
        };
        let group = match user.get("group") {
            Some(field) => Some((
                self.host_user_name(&part("group"), &field.value)?,
                field.value.span,
            )),
            None => None,
        };
        let (name, name_span, gid, gid_span) = match (group, gid) {
            (None, Some((gid, _))) => return Ok(gid),
            (Some((name, span)), None) => {
                if let Some(&at) = seen.group_names.get(&name) {
                    return Ok(seen.groups[at].0.gid);
                }
                let message = format!("the image has no group `{name}`");
                let problem = Problem::new(codes::UNKNOWN_USER, span, message);
                let names = seen.group_names.keys().map(String::as_str);
                return Err(match did_you_mean(&name, names) {
                    Some(similar) => self.report(problem.did_you_mean(span, &name, similar)),
                    None => self.report(
                        problem.help("add it to `groups`, or say its number with `gid` too"),
                    ),
                });
            }
            (Some((name, span)), Some((gid, gid_span))) => (name, span, gid, gid_span),
            (None, None) => {
                if user_name.is_empty() || uid == 0 {
                    return Err(Failed);
                }
                (user_name.to_owned(), name_span, uid, name_span)
            }
        };
        if let Some(&at) = seen.group_names.get(&name) {
            let (declared, earlier) = &seen.groups[at];
            if declared.gid == gid {
                return Ok(gid);
            }
            let message = format!(
                "the group `{name}` of this user would have the number {gid}, and it has {}",
                declared.gid
            );
            let problem = Problem::new(codes::DUPLICATE_GROUP, name_span, message)
                .label(*earlier, "the group is here")
                .help(format!("write `group = \"{name}\";` to use that group"));
            return Err(self.report(problem));
        }
        self.add_group(seen, Group { name, gid }, name_span, gid_span)?;
        Ok(gid)
    }

    fn host_user_name(&mut self, what: &str, value: &Value) -> Eval<String> {
        let text = self.host_string(&format!("the name in {what}"), value)?;
        if !is_user_name(&text) {
            return Err(self.report(bad_user_name(value.span, &text)));
        }
        if &*text == "root" {
            let message = "`root` is there in every image";
            let problem = Problem::new(codes::BAD_USER_NAME, value.span, message);
            return Err(self.report(problem));
        }
        Ok(text.to_string())
    }

    /// The number of a user or group that is added: not root's.
    fn host_new_id(&mut self, what: &str, value: &Value) -> Eval<u32> {
        let id = self.host_id(what, value)?;
        if id == 0 {
            let problem = Problem::new(codes::BAD_ID, value.span, "the number 0 is root's");
            return Err(self.report(problem.help("take a number from 1000 on")));
        }
        Ok(id)
    }

    /// A path that stands in a line of `/etc/passwd`.
    fn host_account_path(&mut self, what: &str, value: &Value) -> Eval<ImagePath> {
        let path = self.host_image_path(what, value)?;
        if path.as_str().contains(':') || path.as_str().chars().any(char::is_control) {
            let message = format!("{what} has no `:` and stands on one line");
            let problem = Problem::new(codes::BAD_IMAGE_PATH, value.span, message);
            return Err(self.report(problem));
        }
        Ok(path)
    }
}

fn bad_user_name(span: Span, name: &str) -> Problem {
    Problem::new(
        codes::BAD_USER_NAME,
        span,
        format!("`{name}` can't be the name of a user or group"),
    )
    .note("small letters, digits, `_` and `-`, at most 32, not beginning with a digit or `-`")
}
