//! The grammar of commands.

use bstr::{BString, ByteSlice as _};

use super::parse::{Parsed, Parser};
use super::syntax::{
    Arm, ArmEnd, Assignment, Command, Compound, Function, Item, Kind, Link, List, Part, Pipeline,
    Redirect, RedirectKind, Script, Simple, Value, Word,
};
use super::words::{At, delimits, name_length};
use std::rc::Rc;

/// Builtins of bash whose arguments can be array assignments.
const DECLARING: [&[u8]; 5] = [b"declare", b"typeset", b"local", b"export", b"readonly"];

/// Reserved words that no command begins with.
const MISPLACED: [&str; 8] = ["then", "else", "elif", "fi", "do", "done", "esac", "}"];

impl Parser<'_> {
    /// The whole text. What comes before a mistake, on earlier lines, is kept.
    pub(super) fn program(&mut self) -> Script {
        let mut script = Script::default();
        // Commands up to the end of the last whole line.
        let mut whole = 0;
        let error = loop {
            let line = self.line;
            if let Err(mistake) = self.breaks() {
                break Some(mistake);
            }
            if self.line > line {
                whole = script.items.len();
            }
            if self.peek().is_none() {
                break self.finish_documents().err();
            }
            let item = self.item();
            match item {
                Ok((item, true)) => script.items.push(item),
                Ok((item, false)) => {
                    script.items.push(item);
                    if self.peek().is_some() {
                        break self.unexpected::<()>().err();
                    }
                }
                Err(mistake) => break Some(mistake),
            }
        };
        if error.is_some() {
            script.items.truncate(whole);
        }
        script.error = error;
        script
    }

    /// Commands up to one of the reserved words `ends`, or what can't go on a list. The
    /// end is not taken.
    pub(super) fn list(&mut self, ends: &[&str]) -> Parsed<List> {
        let mut items = List::new();
        loop {
            self.breaks()?;
            if self.ends_list(ends) {
                return Ok(items);
            }
            let (item, more) = self.item()?;
            items.push(item);
            if !more {
                self.blanks();
                if self.ends_list(ends) {
                    return Ok(items);
                }
                return self.unexpected();
            }
        }
    }

    /// As `list`, with at least one command.
    fn some_list(&mut self, ends: &[&str]) -> Parsed<List> {
        let list = self.list(ends)?;
        if list.is_empty() {
            return self.unexpected();
        }
        Ok(list)
    }

    fn ends_list(&mut self, ends: &[&str]) -> bool {
        match self.peek() {
            None | Some(b')') => true,
            Some(b';') => self.ends_arm(),
            _ => !ends.is_empty() && ends.iter().any(|&end| self.at_keyword(end)),
        }
    }

    /// Whether the end of an arm of a `case` stands here.
    fn ends_arm(&mut self) -> bool {
        self.follows(b";;") || (self.bash && self.follows(b";&"))
    }

    /// A command with what separates it from the next; whether anything did.
    fn item(&mut self) -> Parsed<(Item, bool)> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.blanks();
            let link = if self.eat_all(b"&&") {
                Link::And
            } else if self.eat_all(b"||") {
                Link::Or
            } else {
                break;
            };
            self.breaks()?;
            rest.push((link, self.pipeline()?));
        }
        let mut background = false;
        let more = match self.peek() {
            Some(b'&') => {
                self.bump();
                background = true;
                true
            }
            Some(b';') if !self.ends_arm() => {
                self.bump();
                true
            }
            Some(b'\n') => true,
            _ => false,
        };
        let item = Item {
            first,
            rest,
            background,
        };
        Ok((item, more))
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        let mut negated = false;
        self.blanks();
        while self.keyword("!") {
            negated = !negated;
            self.blanks();
        }
        if self.bash && self.at_keyword("time") {
            return self.refuse("the keyword time is not interpreted");
        }
        let mut commands = vec![self.nested(Self::command)?];
        loop {
            self.blanks();
            if self.peek() != Some(b'|') || self.follows(b"||") {
                break;
            }
            self.bump();
            if self.bash && self.eat(b'&') {
                self.with_errors(&mut commands)?;
            }
            self.breaks()?;
            commands.push(self.nested(Self::command)?);
        }
        Ok(Pipeline { negated, commands })
    }

    /// `|&`: the errors of the last of `commands` go to the pipe too.
    fn with_errors(&mut self, commands: &mut [Command]) -> Parsed<()> {
        let word = vec![Part::Literal("1".into())];
        let output = true;
        let kind = RedirectKind::Duplicate { word, output };
        let redirect = Redirect { fd: Some(2), kind };
        match commands.last_mut() {
            Some(Command::Simple(simple)) => simple.redirects.push(redirect),
            Some(Command::Compound(compound)) => compound.redirects.push(redirect),
            _ => return self.unexpected(),
        }
        Ok(())
    }

    /// Whether the reserved word `keyword` stands here.
    pub(super) fn at_keyword(&mut self, keyword: &str) -> bool {
        self.keyword_end(keyword).is_some()
    }

    /// Takes the reserved word `keyword` if it stands here.
    pub(super) fn keyword(&mut self, keyword: &str) -> bool {
        let end = self.keyword_end(keyword);
        if let Some(at) = end {
            self.line += self.text[self.at..at]
                .iter()
                .filter(|&&b| b == b'\n')
                .count();
            self.at = at;
        }
        end.is_some()
    }

    fn keyword_end(&mut self, keyword: &str) -> Option<usize> {
        self.peek();
        let mut at = self.at;
        let skip = |at: &mut usize| {
            while self.text[*at..].starts_with(b"\\\n") {
                *at += 2;
            }
        };
        for byte in keyword.bytes() {
            skip(&mut at);
            if self.text.get(at) != Some(&byte) {
                return None;
            }
            at += 1;
        }
        skip(&mut at);
        match self.text.get(at) {
            Some(&b) if !delimits(b) => None,
            _ => Some(at),
        }
    }

    fn expect(&mut self, keyword: &str) -> Parsed<()> {
        self.blanks();
        if self.keyword(keyword) {
            return Ok(());
        }
        match self.peek() {
            None => self.mistake(format!("unexpected end of file (expecting \"{keyword}\")")),
            Some(_) => self.mistake(format!("\"{keyword}\" expected")),
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        self.blanks();
        let line = self.line;
        let parse = match self.peek() {
            Some(b'(') => Self::parenthesised,
            Some(b'{' | b'i' | b'w' | b'u' | b'f' | b'c' | b's' | b'[') => match self.reserved() {
                Some(parse) => parse,
                None => return self.simple(),
            },
            _ => return self.simple(),
        };
        let kind = parse(self)?;
        self.compound(line, kind)
    }

    fn compound(&mut self, line: usize, kind: Kind) -> Parsed<Command> {
        let mut redirects = Vec::new();
        loop {
            self.blanks();
            let Some(redirect) = self.redirect()? else {
                break;
            };
            redirects.push(redirect);
        }
        Ok(Command::Compound(Box::new(Compound {
            line,
            kind,
            redirects,
        })))
    }

    fn parenthesised(&mut self) -> Parsed<Kind> {
        if self.bash && self.follows(b"((") {
            let inner = self.attempt(|parser| {
                parser.eat_all(b"((");
                let inner = parser.parts(At::Arithmetic)?;
                Ok(parser.eat_all(b"))").then_some(inner))
            })?;
            if let Some(inner) = inner {
                return Ok(Kind::Arithmetic(inner));
            }
        }
        self.bump();
        let list = self.some_list(&[])?;
        if !self.eat(b')') {
            return self.unexpected();
        }
        Ok(Kind::Subshell(list))
    }

    /// Takes the reserved word that begins a command, if one stands here. Gives what
    /// parses the rest.
    fn reserved(&mut self) -> Option<fn(&mut Self) -> Parsed<Kind>> {
        if self.keyword("{") {
            Some(Self::braces)
        } else if self.keyword("if") {
            Some(Self::branches)
        } else if self.keyword("while") {
            Some(|parser| parser.repeat(false))
        } else if self.keyword("until") {
            Some(|parser| parser.repeat(true))
        } else if self.keyword("for") {
            Some(Self::each)
        } else if self.keyword("case") {
            Some(Self::choice)
        } else if self.bash && self.keyword("[[") {
            Some(Self::brackets)
        } else if self.bash && (self.at_keyword("select") || self.at_keyword("coproc")) {
            Some(|parser| parser.refuse("select and coproc are not interpreted"))
        } else {
            None
        }
    }

    fn braces(&mut self) -> Parsed<Kind> {
        let list = self.some_list(&["}"])?;
        self.expect("}")?;
        Ok(Kind::Group(list))
    }

    fn brackets(&mut self) -> Parsed<Kind> {
        let test = self.test()?;
        self.breaks()?;
        self.expect("]]")?;
        Ok(Kind::Test(Box::new(test)))
    }

    fn branches(&mut self) -> Parsed<Kind> {
        let mut arms = Vec::new();
        loop {
            let condition = self.some_list(&["then"])?;
            self.expect("then")?;
            let body = self.some_list(&["elif", "else", "fi"])?;
            arms.push((condition, body));
            if !self.keyword("elif") {
                break;
            }
        }
        let mut otherwise = List::new();
        if self.keyword("else") {
            otherwise = self.some_list(&["fi"])?;
        }
        self.expect("fi")?;
        Ok(Kind::If { arms, otherwise })
    }

    fn repeat(&mut self, until: bool) -> Parsed<Kind> {
        let condition = self.some_list(&["do"])?;
        let body = self.body()?;
        Ok(Kind::While {
            until,
            condition,
            body,
        })
    }

    fn body(&mut self) -> Parsed<List> {
        self.expect("do")?;
        let body = self.some_list(&["done"])?;
        self.expect("done")?;
        Ok(body)
    }

    fn each(&mut self) -> Parsed<Kind> {
        self.blanks();
        if self.bash && self.eat_all(b"((") {
            return self.count();
        }
        let name = self.name();
        if name.is_empty() || !self.peek().is_none_or(delimits) {
            return self.mistake("Bad for loop variable");
        }
        self.breaks()?;
        let mut words = None;
        if self.keyword("in") {
            let mut list = Vec::new();
            loop {
                self.blanks();
                match self.peek() {
                    Some(b'\n') => break,
                    Some(b';') => {
                        self.bump();
                        break;
                    }
                    Some(b) if !delimits(b) => list.push(self.word()?),
                    Some(b'<') if self.bash => list.push(self.word()?),
                    _ => return self.unexpected(),
                }
            }
            words = Some(list);
        } else {
            self.eat(b';');
        }
        self.breaks()?;
        let body = self.loop_body()?;
        Ok(Kind::For { name, words, body })
    }

    /// `do … done`, or in bash `{ … }`.
    fn loop_body(&mut self) -> Parsed<List> {
        if self.bash && self.keyword("{") {
            let list = self.some_list(&["}"])?;
            self.expect("}")?;
            return Ok(list);
        }
        self.body()
    }

    /// `for ((…))`, from behind the parentheses on.
    fn count(&mut self) -> Parsed<Kind> {
        let first = self.parts(At::Count)?;
        let semicolon = self.eat(b';');
        let second = self.parts(At::Count)?;
        if !semicolon || !self.eat(b';') {
            return self.unexpected();
        }
        let third = self.parts(At::Count)?;
        if !self.eat_all(b"))") {
            return self.unexpected();
        }
        self.blanks();
        self.eat(b';');
        self.breaks()?;
        let body = self.loop_body()?;
        let parts = [first, second, third];
        Ok(Kind::Count { parts, body })
    }

    fn choice(&mut self) -> Parsed<Kind> {
        self.blanks();
        let word = self.word()?;
        self.breaks()?;
        self.expect("in")?;
        let mut arms = Vec::new();
        loop {
            self.breaks()?;
            if self.keyword("esac") {
                return Ok(Kind::Case { word, arms });
            }
            arms.push(self.arm()?);
        }
    }

    fn arm(&mut self) -> Parsed<Arm> {
        self.eat(b'(');
        let mut patterns = Vec::new();
        loop {
            self.blanks();
            match self.peek() {
                Some(b) if !delimits(b) => patterns.push(self.word()?),
                _ => return self.unexpected(),
            }
            self.blanks();
            match self.peek() {
                Some(b'|') => {
                    self.bump();
                }
                Some(b')') => {
                    self.bump();
                    break;
                }
                _ => return self.unexpected(),
            }
        }
        let body = self.list(&["esac"])?;
        let end = if self.bash && self.eat_all(b";;&") {
            ArmEnd::Look
        } else if self.eat_all(b";;") {
            ArmEnd::Leave
        } else if self.bash && self.eat_all(b";&") {
            ArmEnd::Fall
        } else if self.at_keyword("esac") {
            ArmEnd::Leave
        } else {
            return self.unexpected();
        };
        Ok(Arm {
            patterns,
            body,
            end,
        })
    }

    // Simple commands.

    fn simple(&mut self) -> Parsed<Command> {
        let mut simple = Box::new(Simple {
            line: self.line,
            ..Simple::default()
        });
        if self.bash && self.keyword("function") {
            return self.function_keyword();
        }
        if MISPLACED.iter().any(|word| self.at_keyword(word)) {
            return self.unexpected();
        }
        let mut declares = false;
        loop {
            self.blanks();
            if let Some(redirect) = self.redirect()? {
                simple.redirects.push(redirect);
                continue;
            }
            match self.peek() {
                None => break,
                Some(b'(') if simple.words.len() == 1 && simple.redirects.is_empty() => {
                    return self.function(&simple);
                }
                Some(b'<' | b'>') if self.bash => {}
                Some(b) if delimits(b) => break,
                Some(_) => {}
            }
            if (simple.words.is_empty() || declares)
                && let Some(assignment) = self.assignment(declares)?
            {
                if declares {
                    let part = Part::Assignment(Box::new(assignment));
                    simple.words.push(vec![part]);
                } else {
                    simple.assignments.push(assignment);
                }
                continue;
            }
            let word = self.word()?;
            if simple.words.is_empty() && self.bash {
                declares = literal(&word).is_some_and(|name| DECLARING.contains(&name));
            }
            simple.words.push(word);
        }
        if simple.words.is_empty() && simple.assignments.is_empty() && simple.redirects.is_empty() {
            return self.unexpected();
        }
        Ok(Command::Simple(simple))
    }

    fn function(&mut self, simple: &Simple) -> Parsed<Command> {
        let name = simple.words.first().and_then(|word| literal(word));
        let Some(name) = name.filter(|_| simple.assignments.is_empty()) else {
            return self.unexpected();
        };
        let name = BString::from(name);
        if !self.bash && name_length(&name) != name.len() {
            return self.mistake("Bad function name");
        }
        self.bump();
        self.blanks();
        if !self.eat(b')') {
            return self.unexpected();
        }
        self.function_body(name)
    }

    fn function_keyword(&mut self) -> Parsed<Command> {
        self.blanks();
        let word = self.word()?;
        let Some(name) = literal(&word).map(BString::from) else {
            return self.unexpected();
        };
        self.blanks();
        if self.eat(b'(') {
            self.blanks();
            if !self.eat(b')') {
                return self.unexpected();
            }
        }
        self.function_body(name)
    }

    fn function_body(&mut self, name: BString) -> Parsed<Command> {
        self.breaks()?;
        let body = self.nested(Self::command)?;
        Ok(Command::Function(Rc::new(Function { name, body })))
    }

    /// An assignment, if one stands here; with `declares` only one of an array.
    fn assignment(&mut self, declares: bool) -> Parsed<Option<Assignment>> {
        let head = self.attempt(|parser| {
            let name = parser.name();
            let mut index = None;
            if !name.is_empty() && parser.bash && parser.peek() == Some(b'[') {
                index = Some(parser.index()?);
            }
            let append = parser.bash && parser.eat_all(b"+=");
            let is = !name.is_empty() && (append || parser.eat(b'='));
            let array = is && parser.bash && parser.peek() == Some(b'(');
            Ok((is && (array || !declares)).then_some((name, index, append, array)))
        })?;
        let Some((name, index, append, array)) = head else {
            return Ok(None);
        };
        let value = match array {
            true => self.array()?,
            // What follows the name is a word of its own, whose tildes count.
            false => Value::Word(self.word()?),
        };
        Ok(Some(Assignment {
            name,
            index,
            append,
            value,
        }))
    }

    fn array(&mut self) -> Parsed<Value> {
        self.bump();
        let mut values = Vec::new();
        loop {
            self.breaks()?;
            if self.eat(b')') {
                return Ok(Value::Array(values));
            }
            let mut index = None;
            if self.peek() == Some(b'[') {
                index = self.attempt(|parser| {
                    let index = parser.index()?;
                    Ok(parser.eat(b'=').then_some(index))
                })?;
            }
            match self.peek() {
                Some(b) if !delimits(b) || b == b'<' => values.push((index, self.word()?)),
                _ if index.is_some() => values.push((index, Word::new())),
                _ => return self.unexpected(),
            }
        }
    }

    // Redirections.

    /// A redirection, if one stands here.
    fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        self.peek();
        let rest = &self.text[self.at..];
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let fd = match rest.get(digits) {
            Some(b'<' | b'>') => rest[..digits].to_str().ok().and_then(|n| n.parse().ok()),
            Some(b'&') if self.bash && digits == 0 && rest.get(1) == Some(&b'>') => {
                self.at += 2;
                let append = self.eat(b'>');
                let word = self.target()?;
                let kind = RedirectKind::Both { word, append };
                return Ok(Some(Redirect { fd: None, kind }));
            }
            _ => return Ok(None),
        };
        if digits > 0 && fd.is_none() {
            return self.mistake("bad fd number");
        }
        // `<(` and `>(` of bash are words.
        if self.bash && digits == 0 && rest.get(1) == Some(&b'(') {
            return Ok(None);
        }
        self.at += digits;
        let kind = if self.eat(b'<') {
            if self.bash && self.eat_all(b"<<") {
                RedirectKind::HereString(self.target()?)
            } else if self.eat(b'<') {
                self.here()?
            } else if self.eat(b'&') {
                let word = self.target()?;
                let output = false;
                RedirectKind::Duplicate { word, output }
            } else if self.eat(b'>') {
                RedirectKind::ReadWrite(self.target()?)
            } else {
                RedirectKind::Read(self.target()?)
            }
        } else {
            self.eat(b'>');
            if self.eat(b'>') {
                RedirectKind::Append(self.target()?)
            } else if self.eat(b'&') {
                let word = self.target()?;
                let output = true;
                RedirectKind::Duplicate { word, output }
            } else if self.eat(b'|') {
                RedirectKind::Clobber(self.target()?)
            } else {
                RedirectKind::Write(self.target()?)
            }
        };
        Ok(Some(Redirect { fd, kind }))
    }

    fn target(&mut self) -> Parsed<Word> {
        self.blanks();
        match self.peek() {
            Some(b'<') if self.bash && self.follows(b"<(") => self.word(),
            Some(b'>') if self.bash && self.follows(b">(") => self.word(),
            Some(b) if !delimits(b) => self.word(),
            _ => self.unexpected(),
        }
    }

    fn here(&mut self) -> Parsed<RedirectKind> {
        let strip = self.eat(b'-');
        self.blanks();
        let mut end = BString::default();
        let mut quoted = false;
        loop {
            match self.peek() {
                Some(b'\'') => {
                    self.bump();
                    quoted = true;
                    while let Some(b) = self.bump().filter(|&b| b != b'\'') {
                        end.push(b);
                    }
                }
                Some(b'"') => {
                    self.bump();
                    quoted = true;
                    while let Some(b) = self.bump().filter(|&b| b != b'"') {
                        end.push(b);
                    }
                }
                Some(b'\\') => {
                    self.bump();
                    quoted = true;
                    end.extend(self.bump());
                }
                Some(b) if !delimits(b) => {
                    self.bump();
                    end.push(b);
                }
                _ => break,
            }
        }
        if end.is_empty() && !quoted {
            return self.unexpected();
        }
        Ok(RedirectKind::Here(self.await_document(end, quoted, strip)))
    }
}

/// The text of a word without quotes and expansions.
pub(super) fn literal(word: &[Part]) -> Option<&[u8]> {
    match word {
        [Part::Literal(text)] => Some(text),
        _ => None,
    }
}
