//! Programs made from bytes: every sequence of bytes is a well-typed program.
//!
//! An expression is made for a type that is wanted, from the names in scope and the forms
//! that can have that type. Property tests and the fuzzer share it. It knows the language
//! only as text.

#[path = "pieces.rs"]
mod pieces;

use pieces::{Kind, LINKS, POLYMORPHIC, has_function};

/// A type that a program is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    /// `Int`
    Int,
    /// `Bool`
    Bool,
    /// `String`
    String,
    /// `[T]`
    List(Box<Type>),
    /// `{ a : T, b : T }`
    Record(Vec<(&'static str, Type)>),
    /// `Some T | None`
    Option(Box<Type>),
    /// `Map T`
    Map(Box<Type>),
    /// `A -> B`
    Function(Box<Type>, Box<Type>),
    /// Several tags: see [`CHOICE`].
    Choice,
    /// `Mode`, `Port`, `Package` or `File`
    Host(&'static str),
}

/// A union with a tag alone, one that carries a number, and one that carries a record.
const CHOICE: &str = "(Low Int | Named { level : Int, name : String } | Off)";

/// Makes programs.
#[derive(Debug)]
pub(crate) struct Maker<'a> {
    bytes: &'a [u8],
    names: Vec<(String, Type)>,
    count: usize,
    /// How many expressions may still be made: it ends however many bytes there are.
    room: usize,
}

impl<'a> Maker<'a> {
    /// A maker that is led by these bytes. Where they end, it takes the simplest form.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            names: Vec::new(),
            count: 0,
            room: 400,
        }
    }

    /// A file: some bindings, and a value of some type of data.
    pub(crate) fn file(&mut self) -> String {
        let bindings = 1 + self.pick(6);
        let mut text = "let\n".to_owned();
        for _ in 0..bindings {
            let ty = self.ty(2);
            let value = self.expr(&ty, 4);
            let name = self.fresh("v");
            let annotation = match self.pick(3) {
                0 => format!(" : {}", show(&ty)),
                _ => String::new(),
            };
            text.push_str(&format!("  {name}{annotation} = {value};\n"));
            self.names.push((name, ty));
        }
        let ty = self.data(2);
        let body = self.expr(&ty, 4);
        text.push_str(&format!("in\n{body}\n"));
        text
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else {
            return 0;
        };
        self.bytes = rest;
        *first
    }

    /// A number below `of`; 0 where the bytes are used up.
    fn pick(&mut self, of: usize) -> usize {
        usize::from(self.byte()) % of
    }

    fn fresh(&mut self, stem: &str) -> String {
        self.count += 1;
        format!("{stem}{}", self.count)
    }

    fn ty(&mut self, depth: usize) -> Type {
        match self.pick(10) {
            8 | 9 if depth > 0 => {
                let from = self.data(depth - 1);
                Type::Function(Box::new(from), Box::new(self.data(depth - 1)))
            }
            _ => self.data(depth),
        }
    }

    fn data(&mut self, depth: usize) -> Type {
        let scalar = |n| match n {
            0 => Type::Int,
            1 => Type::String,
            2 => Type::Bool,
            _ => Type::Choice,
        };
        if depth == 0 {
            let n = self.pick(4);
            return scalar(n);
        }
        match self.pick(10) {
            n @ 0..=2 => scalar(n),
            9 => scalar(3),
            3 | 4 => Type::List(Box::new(self.data(depth - 1))),
            5 => Type::Option(Box::new(self.data(depth - 1))),
            6 => Type::Map(Box::new(self.data(depth - 1))),
            _ => {
                let mut fields = vec![("alpha", self.data(depth - 1))];
                if self.pick(2) == 1 {
                    fields.push(("beta", self.data(depth - 1)));
                }
                if self.pick(2) == 1 {
                    fields.push(("gamma", self.data(depth - 1)));
                }
                Type::Record(fields)
            }
        }
    }

    /// An expression of that type, in brackets where it needs some.
    fn expr(&mut self, ty: &Type, depth: usize) -> String {
        self.room = self.room.saturating_sub(1);
        if depth == 0 || self.room == 0 {
            return self.simple(ty);
        }
        match self.pick(16) {
            12 => self.polymorphic(ty, depth),
            13 => self.chosen(ty, depth),
            14 => self.optional(ty, depth),
            15 => self.chain(ty, depth),
            0 | 1 => self.simple(ty),
            2 => self.variable(ty).unwrap_or_else(|| self.simple(ty)),
            3 => {
                let condition = self.expr(&Type::Bool, depth - 1);
                let (a, b) = (self.expr(ty, depth - 1), self.expr(ty, depth - 1));
                format!("(if {condition} then {a} else {b})")
            }
            4 => self.inner_let(ty, depth),
            5 => self.call(ty, depth),
            6 => self.matched(ty, depth),
            7 => {
                let fields = vec![("alpha", ty.clone()), ("zeta", self.data(1))];
                let record = self.expr(&Type::Record(fields), depth - 1);
                format!("({record}).alpha")
            }
            8 => {
                let message = self.expr(&Type::String, (depth - 1).min(1));
                let body = self.expr(ty, depth - 1);
                format!("(assert true else {message} then {body})")
            }
            _ => self.form(ty, depth),
        }
    }

    /// Something in scope of that type, that no other name hides.
    fn variable(&mut self, ty: &Type) -> Option<String> {
        let is_hidden = |at: usize, name: &str| {
            let later = &self.names[at + 1..];
            later.iter().any(|(other, _)| other == name)
        };
        let names = self.names.iter().enumerate();
        let fitting: Vec<String> = names
            .filter(|(at, (name, found))| found == ty && !is_hidden(*at, name))
            .map(|(_, (name, _))| name.clone())
            .collect();
        if fitting.is_empty() {
            return None;
        }
        let at = self.pick(fitting.len());
        Some(fitting[at].clone())
    }

    /// Names for an inner `let`: often one that is in scope, which it then hides.
    fn inner_name(&mut self) -> String {
        let inner: Vec<String> = self
            .names
            .iter()
            .filter(|(name, _)| !name.starts_with('v'))
            .map(|(name, _)| name.clone())
            .collect();
        match self.pick(2) {
            1 if !inner.is_empty() => {
                let at = self.pick(inner.len());
                inner[at].clone()
            }
            _ => self.fresh("l"),
        }
    }

    fn inner_let(&mut self, ty: &Type, depth: usize) -> String {
        let (one, two) = (self.ty(1), self.ty(1));
        let name = self.inner_name();
        // A binding sees those beside it, itself too: what it hides is out of its sight.
        let hidden: Vec<(String, Type)> = self.names.clone();
        self.names.retain(|(other, _)| *other != name);
        let value = self.expr(&one, depth - 1);
        self.names.push((name.clone(), one));
        let other = self.fresh("l");
        let more = self.expr(&two, depth - 2.min(depth));
        self.names.push((other.clone(), two));
        let body = self.expr(ty, depth - 1);
        self.names = hidden;
        match self.pick(2) {
            0 => format!("(let {name} = {value}; {other} = {more}; in {body})"),
            _ => format!("(let {other} = {more}; {name} = {value}; in {body})"),
        }
    }

    /// A function of an inner `let` that takes anything, used with two types.
    fn polymorphic(&mut self, ty: &Type, depth: usize) -> String {
        let second = self.data(1);
        let (a, b) = (self.expr(ty, depth - 1), self.expr(&second, depth - 1));
        let at = self.pick(POLYMORPHIC.len());
        let (function, uses) = POLYMORPHIC[at];
        let name = self.fresh("g");
        let mut text = format!("(let {name} = {function}; in ");
        for character in uses.chars() {
            match character {
                '@' => text.push_str(&name),
                'A' => text.push_str(&a),
                'B' => text.push_str(&b),
                other => text.push(other),
            }
        }
        text.push(')');
        text
    }

    /// A `match` on several tags, some of which it may leave to the last arm.
    fn chosen(&mut self, ty: &Type, depth: usize) -> String {
        let scrutinee = self.expr(&Type::Choice, depth - 1);
        let off = self.expr(ty, depth - 1);
        let name = self.fresh("c");
        self.names.push((name.clone(), Type::Int));
        let number = self.expr(ty, depth - 1);
        self.names.pop();
        let last = match self.pick(4) {
            0 => format!("_ => {off};"),
            1 => format!("Named {{ name, ... }} => (let s = name + \"\"; in {off}); Off => {off};"),
            2 => format!("Off => {off}; Named r => (if r.level > 3 then {off} else {off});"),
            _ => {
                format!(
                    "Named {{ name, level }} => {off}; rest => (let k = [rest, Off]; in {off});"
                )
            }
        };
        format!("(match {scrutinee} {{ Low {name} => {number}; {last} }})")
    }

    /// A function with parameters that may be left out, called with them and without.
    fn optional(&mut self, ty: &Type, depth: usize) -> String {
        let given = self.data(1);
        let (value, default) = (
            self.expr(&given, depth - 1),
            self.expr(&given, (depth - 1).min(1)),
        );
        let (function, name) = (self.fresh("f"), self.fresh("o"));
        let annotation = match self.pick(2) {
            0 => String::new(),
            _ => format!(" : {}", show(&given)),
        };
        self.names.push((name.clone(), given));
        self.names.push(("other".to_owned(), Type::Int));
        let body = self.expr(ty, depth - 1);
        self.names.truncate(self.names.len() - 2);
        let head = format!("{{ {name}{annotation} ? {default}, other ? 1 }} => {body}");
        let uses = match self.pick(3) {
            0 => format!("{function} {{}}"),
            1 => format!(
                "if {function} {{ {name} = {value}; }} == {function} {{}} then {function} {{ other = 2; }} else {function} {{ }}"
            ),
            _ => format!(
                "let k = map {function} [{{ other = 2; }}, {{ {name} = {value}; }}]; in withDefault ({function} {{}}) (head k)"
            ),
        };
        if has_function(ty) {
            return format!("(let {function} = {head}; in {function} {{}})");
        }
        format!("(let {function} = {head}; in {uses})")
    }

    /// A value that goes through some functions of the host.
    fn chain(&mut self, ty: &Type, depth: usize) -> String {
        let Some(mut kind) = Kind::ALL.into_iter().find(|kind| kind.ty() == *ty) else {
            return self.form(ty, depth);
        };
        let mut links = Vec::new();
        for _ in 0..1 + self.pick(4) {
            let fitting: Vec<_> = LINKS.iter().filter(|link| link.2 == kind).collect();
            let at = self.pick(fitting.len());
            links.push(fitting[at].1);
            kind = fitting[at].0;
        }
        let mut text = self.expr(&kind.ty(), depth - 1);
        for link in links.iter().rev() {
            text.push_str(" |> ");
            text.push_str(link);
        }
        format!("({text})")
    }

    fn call(&mut self, ty: &Type, depth: usize) -> String {
        let from = self.data(1);
        let function = Type::Function(Box::new(from.clone()), Box::new(ty.clone()));
        if self.pick(2) == 0 {
            let function = self.expr(&function, depth - 1);
            let argument = self.expr(&from, depth - 1);
            return match self.pick(2) {
                0 => format!("({function} {argument})"),
                _ => format!("({argument} |> {function})"),
            };
        }
        let (given, name) = (self.expr(&from, depth - 1), self.fresh("p"));
        let default = self.expr(&from, (depth - 1).min(1));
        self.names.push((name.clone(), from));
        let body = self.expr(ty, depth - 1);
        self.names.pop();
        match self.pick(3) {
            0 => format!("(({{ {name} }} => {body}) {{ {name} = {given}; }})"),
            1 => format!("(({{ {name} ? {default}, ... }} => {body}) {{ other = {given}; }})"),
            _ => format!("(({{ {name} ? {default} }} => {body}) {{ {name} = {given}; }})"),
        }
    }

    fn matched(&mut self, ty: &Type, depth: usize) -> String {
        let inner = self.data(1);
        let scrutinee = self.expr(&Type::Option(Box::new(inner.clone())), depth - 1);
        let name = self.fresh("m");
        self.names.push((name.clone(), inner));
        let some = self.expr(ty, depth - 1);
        self.names.pop();
        let none = self.expr(ty, depth - 1);
        format!("(match {scrutinee} {{ Some {name} => {some}; None => {none}; }})")
    }

    /// The shortest expression of that type.
    fn simple(&mut self, ty: &Type) -> String {
        match ty {
            Type::Int => (self.pick(200)).to_string(),
            Type::Bool => ["true", "false"][self.pick(2)].to_owned(),
            Type::String => {
                ["\"\"", "\"abc\"", "\"x y\\n\"", "\"\\u{e9}\""][self.pick(4)].to_owned()
            }
            Type::Choice => {
                let n = self.pick(200);
                match self.pick(3) {
                    0 => "Off".to_owned(),
                    1 => format!("(Low {n})"),
                    _ => format!("(Named {{ name = \"n\"; level = {n}; }})"),
                }
            }
            Type::Host("Mode") => ["0o644", "0", "0o777"][self.pick(3)].to_owned(),
            Type::Host("Port") => {
                ["80", "(\"53/udp\" : Port)", "65535", "(\"443\" : Port)"][self.pick(4)].to_owned()
            }
            Type::Host("Package") => ["\"curl\"", "\"libstdc++6\""][self.pick(2)].to_owned(),
            Type::Host(_) => [
                "\"text\"",
                "(./main.img : File)",
                "(file { text = \"a\"; mode = 0o600; })",
            ][self.pick(3)]
            .to_owned(),
            Type::List(_) => "[]".to_owned(),
            Type::Option(_) => "None".to_owned(),
            Type::Map(_) => "(toMap [])".to_owned(),
            Type::Record(fields) => {
                let fields = fields.clone();
                let fields = fields
                    .iter()
                    .map(|(name, ty)| format!("{name} = {};", self.simple(ty)));
                format!("{{ {} }}", fields.collect::<Vec<_>>().join(" "))
            }
            Type::Function(_, to) => {
                let to = to.clone();
                format!("(_ => {})", self.simple(&to))
            }
        }
    }

    /// A form that only this type has.
    fn form(&mut self, ty: &Type, depth: usize) -> String {
        let mut of = |ty: &Type| self.expr(ty, depth - 1);
        match ty {
            Type::Int => {
                let (a, b) = (of(&Type::Int), of(&Type::Int));
                match self.pick(5) {
                    0 => format!("(min {a} {b} - 1)"),
                    1 => format!("(mod {a} 97 + mod {b} 89)"),
                    2 => format!("(mod {a} 9 * 3)"),
                    3 => {
                        let list = self.expr(&Type::List(Box::new(Type::String)), depth - 1);
                        format!("(length {list})")
                    }
                    _ => {
                        let list = self.expr(&Type::List(Box::new(Type::Int)), depth - 1);
                        format!("(fold (s => n => mod (s + mod n 1000) 1000) {a} {list})")
                    }
                }
            }
            Type::Bool => {
                let ty = self.data(1);
                let (a, b) = (self.expr(&ty, depth - 1), self.expr(&ty, depth - 1));
                match self.pick(4) {
                    0 => format!("({a} == {b})"),
                    1 => format!("({a} != {b})"),
                    2 => {
                        let (a, b) = (
                            self.expr(&Type::Int, (depth - 1).min(1)),
                            self.expr(&Type::Int, (depth - 1).min(1)),
                        );
                        format!("({a} < {b})")
                    }
                    _ => {
                        let (a, b) = (
                            self.expr(&Type::Bool, (depth - 1).min(1)),
                            self.expr(&Type::Bool, (depth - 1).min(1)),
                        );
                        format!("({a} && !{b} || 1 < 2)")
                    }
                }
            }
            Type::String => {
                let (a, b) = (of(&Type::String), of(&Type::Int));
                match self.pick(7) {
                    4 => self.host(depth),
                    5 => self.image(depth),
                    6 => format!("(toJson {{ a = {b}; }})"),
                    0 => format!("({a} + {a})"),
                    1 => format!("(toString {b})"),
                    2 => {
                        let list = self.expr(&Type::List(Box::new(Type::String)), depth - 1);
                        format!("(join {a} {list})")
                    }
                    _ => {
                        let name = self.fresh("s");
                        format!("(let {name} = {a}; in \"<${{{name}}}>\")")
                    }
                }
            }
            Type::List(item) => match self.pick(5) {
                0 => {
                    let count = self.pick(3);
                    let items: Vec<_> = (0..=count).map(|_| self.expr(item, depth - 1)).collect();
                    format!("[{}]", items.join(", "))
                }
                1 => {
                    let (a, b) = (self.expr(ty, depth - 1), self.expr(ty, depth - 1));
                    format!("({a} ++ {b})")
                }
                2 => {
                    let from = self.data(1);
                    let function = Type::Function(Box::new(from.clone()), item.clone());
                    let function = self.expr(&function, depth - 1);
                    let list = self.expr(&Type::List(Box::new(from)), depth - 1);
                    format!("(map {function} {list})")
                }
                3 => {
                    let test = Type::Function(item.clone(), Box::new(Type::Bool));
                    let (test, list) = (self.expr(&test, depth - 1), self.expr(ty, depth - 1));
                    format!("(filter {test} {list})")
                }
                _ => {
                    let map = self.expr(&Type::Map(item.clone()), depth - 1);
                    format!("(values {map})")
                }
            },
            Type::Option(inner) => match self.pick(3) {
                0 => format!("(Some {})", self.expr(inner, depth - 1)),
                1 => {
                    let list = self.expr(&Type::List(inner.clone()), depth - 1);
                    format!("(head {list})")
                }
                _ => {
                    let name = self.expr(&Type::String, (depth - 1).min(1));
                    let map = self.expr(&Type::Map(inner.clone()), depth - 1);
                    format!("(get {name} {map})")
                }
            },
            Type::Map(inner) => {
                let (name, value) = (
                    self.expr(&Type::String, (depth - 1).min(1)),
                    self.expr(inner, depth - 1),
                );
                match self.pick(4) {
                    2 => format!("({{ one = {value}; \"t w\" = {value}; }} : {})", show(ty)),
                    3 => {
                        let from = self.data(1);
                        let function = Type::Function(Box::new(from.clone()), inner.clone());
                        let function = self.expr(&function, depth - 1);
                        let map = self.expr(&Type::Map(Box::new(from)), depth - 1);
                        format!("(mapValues {function} {map})")
                    }
                    0 => format!("(toMap [{{ name = {name}; value = {value}; }}])"),
                    _ => {
                        let (a, b) = (self.expr(ty, depth - 1), self.expr(ty, depth - 1));
                        format!("({a} // {b})")
                    }
                }
            }
            Type::Record(fields) => {
                let fields = fields.clone();
                let whole = fields
                    .iter()
                    .map(|(name, ty)| format!("{name} = {};", self.expr(ty, depth - 1)));
                let whole = whole.collect::<Vec<_>>().join(" ");
                let given = self.simple(&Type::Record(fields.clone()));
                let under = self.expr(&Type::Record(fields), depth - 1);
                match self.pick(4) {
                    0 => format!("{{ {whole} }}"),
                    1 => format!("({under} // {{ {whole} }})"),
                    2 => format!("((r => r // {{ alpha = ({given}).alpha; }}) {under})"),
                    _ => {
                        let (name, shown) = (self.fresh("u"), show(ty));
                        format!(
                            "(let {name} = (s : {shown}) => r => r // s; in {name} {{ {whole} }} {{ alpha = 1; }})"
                        )
                    }
                }
            }
            Type::Choice | Type::Host(_) => self.simple(ty),
            Type::Function(from, to) => {
                let name = self.fresh("x");
                self.names.push((name.clone(), (**from).clone()));
                let body = self.expr(to, depth - 1);
                self.names.pop();
                let annotated = self.pick(3) == 0;
                if annotated {
                    return format!("(({name} : {}) => {body})", show(from));
                }
                format!("({name} => {body})")
            }
        }
    }

    /// A string from a type of the host, which literals become in several ways.
    fn host(&mut self, depth: usize) -> String {
        let host = ["Mode", "Port", "Package"][self.pick(3)];
        let ty = Type::Host(host);
        let (value, name) = (self.expr(&ty, depth - 1), self.fresh("h"));
        match self.pick(5) {
            0 => format!("((({name} : {host}) => toString {name}) {value})"),
            1 => {
                format!("(let {name} = {value}; in (({name} : {host}) => toString {name}) {name})")
            }
            2 => format!(
                "(let {name} = [{value}]; in join \"\" (map (h => toString (h : {host})) {name}))"
            ),
            3 => format!("(let {name} : {host} -> String = toString; in {name} {value})"),
            _ => format!(
                "(let {name} = {{ a ? {value}, b : {host} }} => [a, b]; in toString (length ({name} {{ b = {value}; }})))"
            ),
        }
    }

    /// A string beside an image: its parts are checked, and it is made.
    fn image(&mut self, depth: usize) -> String {
        let (port, file) = (Type::Host("Port"), Type::Host("File"));
        let (port, file) = (self.expr(&port, depth - 1), self.expr(&file, depth - 1));
        let env = self.expr(&Type::Map(Box::new(Type::String)), depth - 1);
        let name = self.fresh("i");
        let function = "{ files, ports ? [80], env } => image { files; config = { env; ports; }; }";
        let fields =
            format!("files = {{ \"/a\" = {file}; }}; env = {{ A = join \"\" (values {env}); }};");
        format!(
            "(let {name} = {function}; in match [{name} {{ {fields} }}, {name} {{ {fields} ports = [{port}]; }}] \
             |> head {{ Some _ => \"made\"; None => \"\"; }})"
        )
    }
}

/// The type as it is written, in brackets where it needs some.
pub(crate) fn show(ty: &Type) -> String {
    match ty {
        Type::Int => "Int".to_owned(),
        Type::Bool => "Bool".to_owned(),
        Type::String => "String".to_owned(),
        Type::Choice => CHOICE.to_owned(),
        Type::Host(name) => (*name).to_owned(),
        Type::List(item) => format!("[{}]", show(item)),
        Type::Option(inner) => format!("(None | Some {})", show(inner)),
        Type::Map(inner) => format!("(Map {})", show(inner)),
        Type::Function(from, to) => format!("({} -> {})", show(from), show(to)),
        Type::Record(fields) => {
            let fields = fields
                .iter()
                .map(|(name, ty)| format!("{name} : {}", show(ty)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
    }
}
