//! Reads awk's expressions, from those that bind least.

use super::lexer::Token;
use super::parse::{DEPTH, Parsed, Parser};
use super::syntax::{Builtin, Comparison, Expr, Operator, Place, Source};

fn boxed(expr: Expr) -> Box<Expr> {
    Box::new(expr)
}

/// The most links of a chain that nests.
const LINKS: usize = 20;

/// Counts a link.
fn link(links: &mut usize) -> Parsed<()> {
    *links += 1;
    match *links > LINKS {
        true => Err("it nests too deep"),
        false => Ok(()),
    }
}

/// The only part, or what `make` makes of several.
fn single(mut parts: Vec<Expr>, make: impl Fn(Vec<Expr>) -> Expr) -> Expr {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            make(parts)
        }
    }
}

impl Parser<'_> {
    /// An expression in parentheses, in which everything is allowed.
    pub(super) fn free(&mut self) -> Parsed<Expr> {
        let (inside, greater) = (self.no_in, self.no_greater);
        (self.no_in, self.no_greater) = (false, false);
        let made = self.expr();
        (self.no_in, self.no_greater) = (inside, greater);
        made
    }

    pub(super) fn list(&mut self, close: &str) -> Parsed<Vec<Expr>> {
        let mut all = Vec::new();
        self.newlines()?;
        while !self.is(close) {
            all.push(self.free()?);
            self.newlines()?;
            if !self.take(",")? {
                break;
            }
            self.newlines()?;
        }
        self.want(close)?;
        Ok(all)
    }

    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("it nests too deep");
        }
        let made = self.ternary()?;
        self.depth -= 1;
        Ok(made)
    }

    pub(super) fn ternary(&mut self) -> Parsed<Expr> {
        let condition = self.or()?;
        if self.take("?")? {
            self.newlines()?;
            let then = self.expr()?;
            self.newlines()?;
            self.want(":")?;
            self.newlines()?;
            let other = self.expr()?;
            return Ok(Expr::If(boxed(condition), boxed(then), boxed(other)));
        }
        let Token::Mark(mark) = self.token else {
            return Ok(condition);
        };
        let operator = match mark {
            "=" => None,
            "+=" => Some(Operator::Add),
            "-=" => Some(Operator::Subtract),
            "*=" => Some(Operator::Multiply),
            "/=" => Some(Operator::Divide),
            "%=" => Some(Operator::Remainder),
            "^=" => Some(Operator::Power),
            _ => return Ok(condition),
        };
        self.assignment(condition, operator)
    }

    /// What is left of `=` may be the last part of an operation, which the assignment
    /// binds stronger than: `1 + a = 2`, `!x = y`, `$1 ~ b = c`.
    pub(super) fn assignment(&mut self, left: Expr, operator: Option<Operator>) -> Parsed<Expr> {
        match left {
            Expr::Place(place) => {
                self.advance()?;
                self.newlines()?;
                let right = self.expr()?;
                Ok(Expr::Assign(place, operator, boxed(right)))
            }
            Expr::Not(inner) => Ok(Expr::Not(boxed(self.assignment(*inner, operator)?))),
            Expr::Logic(any, mut parts) => {
                let last = parts.pop().ok_or("what is assigned to is no variable")?;
                parts.push(self.assignment(last, operator)?);
                Ok(Expr::Logic(any, parts))
            }
            _ => Err("what is assigned to is no variable"),
        }
    }

    pub(super) fn or(&mut self) -> Parsed<Expr> {
        let mut parts = vec![self.and()?];
        while self.take("||")? {
            self.newlines()?;
            parts.push(self.and()?);
        }
        Ok(single(parts, |parts| Expr::Logic(true, parts)))
    }

    pub(super) fn and(&mut self) -> Parsed<Expr> {
        let mut parts = vec![self.member()?];
        while self.take("&&")? {
            self.newlines()?;
            parts.push(self.member()?);
        }
        Ok(single(parts, |parts| Expr::Logic(false, parts)))
    }

    pub(super) fn member(&mut self) -> Parsed<Expr> {
        let mut left = self.matching()?;
        let mut links = 0;
        while self.is_word("in") && !self.no_in {
            link(&mut links)?;
            self.advance()?;
            let Token::Name(name) = self.advance()? else {
                return Err("in has no array");
            };
            let array = self.array(&name);
            let keys = match left {
                Expr::Group(keys) => keys,
                other => vec![other],
            };
            left = Expr::In(keys, array);
        }
        Ok(left)
    }

    pub(super) fn matching(&mut self) -> Parsed<Expr> {
        let mut left = self.comparison()?;
        let mut links = 0;
        while self.is("~") || self.is("!~") {
            link(&mut links)?;
            let negated = self.is("!~");
            self.advance()?;
            let right = self.comparison()?;
            left = Expr::Match(negated, boxed(left), boxed(right));
        }
        Ok(left)
    }

    pub(super) fn comparison(&mut self) -> Parsed<Expr> {
        let left = self.concat()?;
        let Token::Mark(mark) = self.token else {
            return Ok(left);
        };
        let comparison = match mark {
            "<" => Comparison::Less,
            "<=" => Comparison::LessEqual,
            "==" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            ">" if !self.no_greater => Comparison::Greater,
            ">=" => Comparison::GreaterEqual,
            _ => return Ok(left),
        };
        self.advance()?;
        let right = self.concat()?;
        Ok(Expr::Compare(comparison, boxed(left), boxed(right)))
    }

    /// Strings joined; and `COMMAND | getline`, which binds as they do.
    pub(super) fn concat(&mut self) -> Parsed<Expr> {
        let mut parts = vec![self.sum()?];
        let mut links = 0;
        loop {
            if self.is("|") && !self.pipe_is_output() {
                self.advance()?;
                if !self.is_word("getline") {
                    return Err("a pipe leads nowhere");
                }
                self.advance()?;
                link(&mut links)?;
                let place = self.optional_place()?;
                let command = single(parts, Expr::Concat);
                parts = vec![Expr::Getline(Source::Command(boxed(command)), place)];
                continue;
            }
            if !self.starts_operand() {
                return Ok(single(parts, Expr::Concat));
            }
            parts.push(self.sum()?);
        }
    }

    /// Whether a `|` belongs to a print, and no getline comes.
    pub(super) fn pipe_is_output(&mut self) -> bool {
        if !self.no_greater {
            return false;
        }
        let mut ahead = self.lexer.clone();
        !matches!(ahead.next(), Ok(Token::Word("getline")))
    }

    pub(super) fn starts_operand(&self) -> bool {
        match &self.token {
            Token::Number(_) | Token::Text(_) | Token::Name(_) | Token::Call(_) => true,
            // A `/` would be division, and a sign an operation.
            Token::Mark(mark) => matches!(*mark, "$" | "!" | "(" | "-" | "+" | "++" | "--"),
            // `in` is an operator.
            Token::Word(word) => *word == "getline",
            _ => false,
        }
    }

    pub(super) fn sum(&mut self) -> Parsed<Expr> {
        let first = self.product()?;
        let mut parts = Vec::new();
        loop {
            let operator = match &self.token {
                Token::Mark("+") => Operator::Add,
                Token::Mark("-") => Operator::Subtract,
                _ if parts.is_empty() => return Ok(first),
                _ => return Ok(Expr::Chain(boxed(first), parts)),
            };
            self.advance()?;
            parts.push((operator, self.product()?));
        }
    }

    pub(super) fn product(&mut self) -> Parsed<Expr> {
        let first = self.unary()?;
        let mut parts = Vec::new();
        loop {
            let operator = match &self.token {
                Token::Mark("*") => Operator::Multiply,
                Token::Mark("/") => Operator::Divide,
                Token::Mark("%") => Operator::Remainder,
                _ if parts.is_empty() => return Ok(first),
                _ => return Ok(Expr::Chain(boxed(first), parts)),
            };
            self.advance()?;
            parts.push((operator, self.unary()?));
        }
    }

    pub(super) fn unary(&mut self) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("it nests too deep");
        }
        let made = if self.take("!")? {
            Expr::Not(boxed(self.unary()?))
        } else if self.take("-")? {
            Expr::Negative(boxed(self.unary()?))
        } else if self.take("+")? {
            Expr::Positive(boxed(self.unary()?))
        } else {
            self.power()?
        };
        self.depth -= 1;
        Ok(made)
    }

    pub(super) fn power(&mut self) -> Parsed<Expr> {
        let left = self.postfix()?;
        if self.take("^")? {
            // The sign of an exponent binds stronger, and powers group to the right.
            let right = self.unary()?;
            return Ok(Expr::Chain(boxed(left), vec![(Operator::Power, right)]));
        }
        Ok(left)
    }

    pub(super) fn postfix(&mut self) -> Parsed<Expr> {
        let made = self.primary()?;
        let Expr::Place(place) = made else {
            return Ok(made);
        };
        if self.take("++")? {
            return Ok(Expr::Step(place, 1.0, true));
        }
        if self.take("--")? {
            return Ok(Expr::Step(place, -1.0, true));
        }
        Ok(Expr::Place(place))
    }

    pub(super) fn optional_place(&mut self) -> Parsed<Option<Place>> {
        let starts = matches!(self.token, Token::Name(_)) || self.is("$");
        if !starts {
            return Ok(None);
        }
        match self.primary()? {
            Expr::Place(place) => Ok(Some(place)),
            _ => Err("getline has no variable"),
        }
    }

    pub(super) fn primary(&mut self) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("it nests too deep");
        }
        let made = self.operand()?;
        self.depth -= 1;
        Ok(made)
    }

    fn operand(&mut self) -> Parsed<Expr> {
        let is_regex = self.is("/") || self.is("/=");
        if is_regex {
            let equals = self.is("/=");
            let mut source = self.lexer.regex()?.to_vec();
            if equals {
                source.insert(0, b'=');
            }
            self.token = self.lexer.next()?;
            return Ok(Expr::Regex(source.into()));
        }
        match self.advance()? {
            Token::Number(value) => Ok(Expr::Number(value)),
            Token::Text(text) => Ok(Expr::Text(text)),
            Token::Name(name) => self.named(&name),
            Token::Call(name) => self.call(&name),
            Token::Mark("(") => {
                let mut all = self.list(")")?;
                match (all.len(), all.pop()) {
                    (1, Some(only)) => Ok(match only {
                        // What is in parentheses is no place, nor the operand of `=`.
                        Expr::Place(place) if !self.is_step() => Expr::Place(place),
                        Expr::Group(_) => return Err("a list is in parentheses"),
                        other => other,
                    }),
                    (0, _) | (_, None) => Err("parentheses are empty"),
                    (_, Some(last)) => {
                        all.push(last);
                        Ok(Expr::Group(all))
                    }
                }
            }
            Token::Mark("$") => {
                // `$i++` is the field's increment, `$++i` is not.
                let number = match &self.token {
                    Token::Mark("++" | "--") => self.prefix()?,
                    Token::Mark("-" | "+" | "!") => self.unary()?,
                    _ => self.primary()?,
                };
                Ok(Expr::Place(Place::Field(boxed(number))))
            }
            Token::Mark(mark @ ("++" | "--")) => self.step(mark),
            Token::Word("getline") => {
                let place = self.optional_place()?;
                if self.take("<")? {
                    let file = self.postfix()?;
                    return Ok(Expr::Getline(Source::File(boxed(file)), place));
                }
                Ok(Expr::Getline(Source::Input, place))
            }
            _ => Err("an expression is not known"),
        }
    }

    pub(super) fn is_step(&self) -> bool {
        self.is("++") || self.is("--")
    }

    pub(super) fn prefix(&mut self) -> Parsed<Expr> {
        match self.advance()? {
            Token::Mark(mark @ ("++" | "--")) => self.step(mark),
            _ => Err("an expression is not known"),
        }
    }

    pub(super) fn step(&mut self, mark: &str) -> Parsed<Expr> {
        let by = if mark == "++" { 1.0 } else { -1.0 };
        match self.primary()? {
            Expr::Place(place) => Ok(Expr::Step(place, by, false)),
            _ => Err("what is stepped is no variable"),
        }
    }

    pub(super) fn named(&mut self, name: &[u8]) -> Parsed<Expr> {
        if self.is("[") {
            self.advance()?;
            let array = self.array(name);
            let keys = self.list("]")?;
            if keys.is_empty() {
                return Err("an index is empty");
            }
            return Ok(Expr::Place(Place::Element(array, keys)));
        }
        if name == b"length" {
            return Ok(Expr::Builtin(Builtin::Length, Vec::new()));
        }
        if builtin(name).is_some() || UNKNOWN.iter().any(|other| other.as_bytes() == name) {
            return Err("a function has no arguments");
        }
        Ok(Expr::Place(Place::Var(self.var(name))))
    }

    pub(super) fn call(&mut self, name: &[u8]) -> Parsed<Expr> {
        self.want("(")?;
        let args = self.list(")")?;
        if let Some((which, least, most)) = builtin(name) {
            if args.len() < least || args.len() > most {
                return Err("a function has too few or too many arguments");
            }
            if which == Builtin::Split {
                match args.get(1) {
                    Some(Expr::Place(Place::Var(var))) => self.arrays.push((self.function, *var)),
                    _ => return Err("split has no array"),
                }
            }
            if matches!(which, Builtin::Sub | Builtin::Gsub)
                && !matches!(args.get(2), None | Some(Expr::Place(_)))
            {
                return Err("sub has no variable");
            }
            return Ok(Expr::Builtin(which, args));
        }
        if UNKNOWN.iter().any(|other| other.as_bytes() == name) {
            return Err("a function of awk is not known here");
        }
        let number = self.function(name);
        for (at, arg) in args.iter().enumerate() {
            if let Expr::Place(Place::Var(var)) = arg {
                self.passes.push(((self.function, *var), number, at));
            }
        }
        Ok(Expr::Call(number, args))
    }
}

/// Functions of awks that would give something else at every run, or that only others
/// have.
const UNKNOWN: [&str; 9] = [
    "rand", "srand", "systime", "mktime", "strftime", "gensub", "asort", "asorti", "tolower_",
];

/// A function of awk, with how many arguments it takes at least and at most.
fn builtin(name: &[u8]) -> Option<(Builtin, usize, usize)> {
    Some(match name {
        b"atan2" => (Builtin::Atan2, 2, 2),
        b"close" => (Builtin::Close, 1, 1),
        b"cos" => (Builtin::Cos, 1, 1),
        b"exp" => (Builtin::Exp, 1, 1),
        b"fflush" => (Builtin::Fflush, 0, 1),
        b"gsub" => (Builtin::Gsub, 2, 3),
        b"index" => (Builtin::Index, 2, 2),
        b"int" => (Builtin::Int, 1, 1),
        b"length" => (Builtin::Length, 0, 1),
        b"log" => (Builtin::Log, 1, 1),
        b"match" => (Builtin::Match, 2, 2),
        b"sin" => (Builtin::Sin, 1, 1),
        b"split" => (Builtin::Split, 2, 3),
        b"sprintf" => (Builtin::Sprintf, 1, usize::MAX),
        b"sqrt" => (Builtin::Sqrt, 1, 1),
        b"sub" => (Builtin::Sub, 2, 3),
        b"substr" => (Builtin::Substr, 2, 3),
        b"system" => (Builtin::System, 1, 1),
        b"tolower" => (Builtin::Tolower, 1, 1),
        b"toupper" => (Builtin::Toupper, 1, 1),
        _ => return None,
    })
}
