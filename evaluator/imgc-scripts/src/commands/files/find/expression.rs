//! find's expressions: what they are and how they are read. It must not walk the tree.

use bstr::{BString, ByteSlice as _};
use imgc_tree::Ino;

use super::print::{self, Piece};
use super::regex;
use crate::commands::files::modes::Change;
use crate::commands::files::owners::{group_id, user_id};
use crate::commands::system::clock;
use crate::process::Process;
use crate::stop::Stop;

/// An expression.
#[derive(Debug)]
pub(super) enum Expression {
    All(Vec<Self>),
    Any(Vec<Self>),
    List(Vec<Self>),
    Not(Box<Self>),
    Test(Test),
    Do(Action),
}

/// A number with its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Less(i64),
    Exactly(i64),
    More(i64),
}

impl Number {
    pub(super) fn holds(self, value: i64) -> bool {
        match self {
            Self::Less(than) => value < than,
            Self::Exactly(than) => value == than,
            Self::More(than) => value > than,
        }
    }
}

/// What can be asked of a file.
#[derive(Debug)]
pub(super) enum Test {
    Constant(bool),
    Name(BString, bool),
    Path(BString, bool),
    Regex(::regex::bytes::Regex),
    LinkName(BString, bool),
    Type(Vec<u8>),
    TargetType(Vec<u8>),
    PermExactly(u32),
    PermAll(u32),
    PermAny(u32),
    User(Number),
    Group(Number),
    NoUser,
    NoGroup,
    /// Units, and how many bytes one is.
    Size(Number, u64),
    Empty,
    Links(Number),
    SameFile(Ino),
    Inode(Number),
    /// Changed after that time, which is that of a file.
    Newer(i64, Option<Ino>),
    /// Units of age, and how many seconds one is.
    Age(Number, i64),
    Executable,
}

/// What can be done with a file.
#[derive(Debug)]
pub(super) enum Action {
    Print(u8),
    Printf(Vec<Piece>),
    Prune,
    Quit,
    Delete,
    Exec(Vec<BString>),
    ExecDir(Vec<BString>),
    /// `-exec … +`: which of [`Options::batches`].
    Batch(usize),
}

/// What holds for the whole run.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) min_depth: usize,
    pub(super) max_depth: usize,
    pub(super) depth_first: bool,
    pub(super) follow: bool,
    pub(super) batches: Vec<Vec<BString>>,
    /// Whether something but printing happens, so that nothing is printed by itself.
    acts: bool,
    syntax: regex::Syntax,
}

/// Reads expressions. The inner errors are for standard error, and then find fails.
pub(super) struct Parser<'a, 'p, 'r> {
    process: &'a mut Process<'p, 'r>,
    args: &'a [BString],
    at: usize,
    nested: usize,
    pub(super) options: Options,
}

type Read<T> = Result<Result<T, String>, Stop>;

macro_rules! or_fail {
    ($read:expr) => {
        match $read? {
            Ok(value) => value,
            Err(message) => return Ok(Err(message)),
        }
    };
}

impl<'a, 'p, 'r> Parser<'a, 'p, 'r> {
    pub(super) fn new(process: &'a mut Process<'p, 'r>, args: &'a [BString]) -> Self {
        Self {
            process,
            args,
            at: 0,
            nested: 0,
            options: Options {
                min_depth: 0,
                max_depth: usize::MAX,
                depth_first: false,
                follow: false,
                batches: Vec::new(),
                acts: false,
                syntax: regex::Syntax::Emacs,
            },
        }
    }

    /// The whole expression, with `-print` behind it where nothing else is done.
    pub(super) fn whole(&mut self) -> Read<Expression> {
        let mut expression = if self.args.is_empty() {
            Expression::All(Vec::new())
        } else {
            or_fail!(self.list())
        };
        if let Some(arg) = self.args.get(self.at) {
            return Ok(Err(format!("'{arg}' was not expected")));
        }
        if !self.options.acts {
            let print = Expression::Do(Action::Print(b'\n'));
            expression = Expression::All(vec![expression, print]);
        }
        Ok(Ok(expression))
    }

    fn peek(&self) -> Option<&'a [u8]> {
        self.args.get(self.at).map(|arg| &arg[..])
    }

    fn list(&mut self) -> Read<Expression> {
        let mut parts = vec![or_fail!(self.any())];
        while self.peek() == Some(b",") {
            self.at += 1;
            parts.push(or_fail!(self.any()));
        }
        Ok(Ok(Expression::List(parts)))
    }

    fn any(&mut self) -> Read<Expression> {
        let mut parts = vec![or_fail!(self.all())];
        while matches!(self.peek(), Some(b"-o" | b"-or")) {
            self.at += 1;
            parts.push(or_fail!(self.all()));
        }
        Ok(Ok(Expression::Any(parts)))
    }

    fn all(&mut self) -> Read<Expression> {
        let mut parts = vec![or_fail!(self.one())];
        loop {
            match self.peek() {
                None | Some(b"-o" | b"-or" | b"," | b")") => break,
                Some(b"-a" | b"-and") => self.at += 1,
                Some(_) => {}
            }
            parts.push(or_fail!(self.one()));
        }
        Ok(Ok(Expression::All(parts)))
    }

    fn one(&mut self) -> Read<Expression> {
        let Some(word) = self.peek() else {
            return Ok(Err("an expression was expected".to_owned()));
        };
        self.at += 1;
        match word {
            b"!" | b"-not" | b"(" => {
                self.nested += 1;
                if self.nested > 200 {
                    return Err(Stop::unsupported("find's expression nests too deep"));
                }
                let inner = if word == b"(" {
                    let inner = or_fail!(self.list());
                    if self.peek() != Some(b")") {
                        return Ok(Err("a ')' was expected".to_owned()));
                    }
                    self.at += 1;
                    inner
                } else {
                    Expression::Not(Box::new(or_fail!(self.one())))
                };
                self.nested -= 1;
                Ok(Ok(inner))
            }
            word => self.primary(word),
        }
    }

    fn value(&mut self, word: &[u8]) -> Result<&'a BString, String> {
        let value = self.args.get(self.at);
        self.at += 1;
        value.ok_or_else(|| format!("missing argument to '{}'", word.as_bstr()))
    }

    fn number(&mut self, word: &[u8]) -> Result<Number, String> {
        let value = self.value(word)?;
        signed(value).ok_or_else(|| format!("invalid argument '{value}' to '{}'", word.as_bstr()))
    }

    fn depth(&mut self, word: &[u8]) -> Result<usize, String> {
        let value = self.value(word)?;
        let number = value.to_str().ok().and_then(|text| text.parse().ok());
        number.ok_or_else(|| format!("invalid argument '{value}' to '{}'", word.as_bstr()))
    }

    fn primary(&mut self, word: &'a [u8]) -> Read<Expression> {
        if let Some(action) = or_fail!(self.action(word)) {
            return Ok(Ok(Expression::Do(action)));
        }
        let test = self.test(word)?;
        Ok(test.map(Expression::Test))
    }

    fn action(&mut self, word: &'a [u8]) -> Read<Option<Action>> {
        let action = match word {
            b"-print" => Action::Print(b'\n'),
            b"-print0" => Action::Print(0),
            b"-prune" => return Ok(Ok(Some(Action::Prune))),
            b"-quit" => return Ok(Ok(Some(Action::Quit))),
            b"-delete" => {
                self.options.depth_first = true;
                Action::Delete
            }
            b"-printf" => match self.value(word) {
                Ok(format) => Action::Printf(print::parse(format)?),
                Err(message) => return Ok(Err(message)),
            },
            b"-exec" | b"-execdir" => {
                let rest = &self.args[self.at..];
                let ends = |at: usize| {
                    let plus = rest[at] == "+" && at > 0 && rest[at - 1] == "{}";
                    rest[at] == ";" || plus
                };
                let Some(end) = (0..rest.len()).find(|&at| ends(at)).filter(|&end| end > 0) else {
                    return Ok(Err("missing argument to '-exec'".to_owned()));
                };
                self.at += end + 1;
                if rest[end] == ";" {
                    let command = rest[..end].to_vec();
                    if word == b"-exec" {
                        Action::Exec(command)
                    } else {
                        Action::ExecDir(command)
                    }
                } else if word == b"-execdir" {
                    return Err(Stop::unsupported("find -execdir … + is not known"));
                } else {
                    self.options.batches.push(rest[..end - 1].to_vec());
                    Action::Batch(self.options.batches.len() - 1)
                }
            }
            _ => return Ok(Ok(None)),
        };
        self.options.acts = true;
        Ok(Ok(Some(action)))
    }

    fn test(&mut self, word: &'a [u8]) -> Read<Test> {
        let fold = word.starts_with(b"-i");
        let read = match word {
            b"-name" | b"-iname" => self.value(word).map(|v| Test::Name(v.clone(), fold)),
            b"-path" | b"-wholename" | b"-ipath" | b"-iwholename" => {
                self.value(word).map(|v| Test::Path(v.clone(), fold))
            }
            b"-lname" | b"-ilname" => self.value(word).map(|v| Test::LinkName(v.clone(), fold)),
            b"-regex" | b"-iregex" => match self.value(word) {
                Ok(pattern) => Ok(Test::Regex(regex::compile(
                    pattern,
                    self.options.syntax,
                    fold,
                )?)),
                Err(message) => Err(message),
            },
            b"-regextype" => match self.value(word) {
                Ok(name) => {
                    self.options.syntax = regex::Syntax::named(name)?;
                    Ok(Test::Constant(true))
                }
                Err(message) => Err(message),
            },
            b"-type" | b"-xtype" => self.value(word).and_then(|value| {
                let kinds: Vec<u8> = value.iter().copied().filter(|&b| b != b',').collect();
                if kinds.is_empty() || !kinds.iter().all(|b| b"fdlcbps".contains(b)) {
                    return Err(format!("unknown argument to -type: {value}"));
                }
                Ok(if word == b"-type" {
                    Test::Type(kinds)
                } else {
                    Test::TargetType(kinds)
                })
            }),
            b"-perm" => self.value(word).and_then(|value| {
                permissions(value).ok_or_else(|| format!("invalid mode '{value}'"))
            }),
            b"-user" | b"-group" => match self.value(word) {
                Ok(name) if word == b"-user" => user_id(self.process, name)
                    .map(|id| Test::User(Number::Exactly(i64::from(id))))
                    .ok_or_else(|| format!("'{name}' is not the name of a known user")),
                Ok(name) => group_id(self.process, name)
                    .map(|id| Test::Group(Number::Exactly(i64::from(id))))
                    .ok_or_else(|| format!("'{name}' is not the name of an existing group")),
                Err(message) => Err(message),
            },
            b"-uid" => self.number(word).map(Test::User),
            b"-gid" => self.number(word).map(Test::Group),
            b"-nouser" => Ok(Test::NoUser),
            b"-nogroup" => Ok(Test::NoGroup),
            b"-size" => self.value(word).and_then(|value| {
                size(value).ok_or_else(|| format!("invalid argument '{value}' to '-size'"))
            }),
            b"-empty" => Ok(Test::Empty),
            b"-links" => self.number(word).map(Test::Links),
            b"-inum" => self.number(word).map(Test::Inode),
            b"-samefile" | b"-newer" | b"-newermm" => self.value(word).and_then(|value| {
                let path = self.process.path(value);
                let stat = self.process.machine.files.stat(&path, word != b"-samefile");
                let stat = stat.map_err(|error| format!("'{value}': {error}"))?;
                Ok(match word {
                    b"-samefile" => Test::SameFile(stat.ino),
                    _ => Test::Newer(stat.mtime, Some(stat.ino)),
                })
            }),
            b"-newermt" => match self.value(word) {
                Ok(text) => {
                    let now = self.process.machine.files.epoch();
                    let time = clock::read(text, now).ok_or_else(|| {
                        Stop::unsupported(format!("the date {text} is not understood"))
                    })?;
                    Ok(Test::Newer(time, None))
                }
                Err(message) => Err(message),
            },
            b"-mtime" => self.number(word).map(|number| Test::Age(number, 86400)),
            b"-mmin" => self.number(word).map(|number| Test::Age(number, 60)),
            b"-readable" | b"-writable" | b"-true" => Ok(Test::Constant(true)),
            b"-executable" => Ok(Test::Executable),
            b"-false" => Ok(Test::Constant(false)),
            b"-maxdepth" => self.depth(word).map(|depth| {
                self.options.max_depth = depth;
                Test::Constant(true)
            }),
            b"-mindepth" => self.depth(word).map(|depth| {
                self.options.min_depth = depth;
                Test::Constant(true)
            }),
            b"-depth" | b"-d" => {
                self.options.depth_first = true;
                Ok(Test::Constant(true))
            }
            b"-follow" => {
                self.options.follow = true;
                Ok(Test::Constant(true))
            }
            // There is one file system, and folders don't change by themselves.
            b"-xdev"
            | b"-mount"
            | b"-noleaf"
            | b"-ignore_readdir_race"
            | b"-warn"
            | b"-nowarn"
            | b"-noignore_readdir_race" => Ok(Test::Constant(true)),
            _ => {
                let word = word.as_bstr();
                return Err(Stop::unsupported(format!("find's {word} is not known")));
            }
        };
        Ok(read)
    }
}

fn signed(text: &[u8]) -> Option<Number> {
    let (sign, digits) = match text.split_first()? {
        (b'+', rest) => (b'+', rest),
        (b'-', rest) => (b'-', rest),
        _ => (b'=', text),
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.to_str().ok()?.parse().ok()?;
    Some(match sign {
        b'+' => Number::More(value),
        b'-' => Number::Less(value),
        _ => Number::Exactly(value),
    })
}

fn size(text: &[u8]) -> Option<Test> {
    let (digits, unit) = match text.last()? {
        b'c' => (&text[..text.len() - 1], 1),
        b'w' => (&text[..text.len() - 1], 2),
        b'b' => (&text[..text.len() - 1], 512),
        b'k' => (&text[..text.len() - 1], 1 << 10),
        b'M' => (&text[..text.len() - 1], 1 << 20),
        b'G' => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 512),
    };
    Some(Test::Size(signed(digits)?, unit))
}

fn permissions(text: &[u8]) -> Option<Test> {
    let mode = |text: &[u8]| Some(Change::parse(text)?.apply(0, false, 0));
    match text.split_first()? {
        (b'-', rest) => Some(Test::PermAll(mode(rest)?)),
        (b'/', rest) => Some(Test::PermAny(mode(rest)?)),
        _ => Some(Test::PermExactly(mode(text)?)),
    }
}
