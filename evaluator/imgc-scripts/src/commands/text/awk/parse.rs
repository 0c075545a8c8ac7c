//! Reads awk programs. It does not run them.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::lexer::{Lexer, Token};
use super::syntax::{
    Builtin, Comparison, Expr, Function, Operator, Output, Pattern, Place, Program, Rule, Source,
    Statement, Var, special,
};

/// How deep a program may nest.
const DEPTH: usize = 60;

type Parsed<T> = Result<T, &'static str>;

/// Reads a program.
pub(super) fn parse(source: &[u8]) -> Parsed<Program> {
    let mut lexer = Lexer::new(source);
    let token = lexer.next()?;
    let mut parser = Parser {
        lexer,
        token,
        program: Program::default(),
        functions: BTreeMap::new(),
        params: Vec::new(),
        function: None,
        arrays: Vec::new(),
        passes: Vec::new(),
        depth: 0,
        no_in: false,
        no_greater: false,
    };
    for name in special::NAMES {
        parser.global(name.as_bytes());
    }
    parser.arrays.push((None, Var::Global(special::ENVIRON)));
    parser.arrays.push((None, Var::Global(special::ARGV)));
    parser.all()?;
    parser.settle()?;
    Ok(parser.program)
}

/// A variable of a function, or of the program.
type Owned = (Option<usize>, Var);

struct Parser<'s> {
    lexer: Lexer<'s>,
    token: Token,
    program: Program,
    /// The numbers of functions by their names, and whether they were defined.
    functions: BTreeMap<Vec<u8>, (usize, bool)>,
    /// The parameters of the function that is being read.
    params: Vec<Vec<u8>>,
    function: Option<usize>,
    /// What was used as an array.
    arrays: Vec<Owned>,
    /// What was given to a function's parameter.
    passes: Vec<(Owned, usize, usize)>,
    depth: usize,
    /// Whether `in` and `>` belong to the statement around the expression.
    no_in: bool,
    no_greater: bool,
}

fn boxed(expr: Expr) -> Box<Expr> {
    Box::new(expr)
}

impl Parser<'_> {
    // Words.

    fn advance(&mut self) -> Parsed<Token> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn is(&self, mark: &str) -> bool {
        matches!(&self.token, Token::Mark(other) if *other == mark)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.token, Token::Word(other) if *other == word)
    }

    fn take(&mut self, mark: &str) -> Parsed<bool> {
        let found = self.is(mark);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn want(&mut self, mark: &str) -> Parsed<()> {
        match self.take(mark)? {
            true => Ok(()),
            false => Err("a mark is missing"),
        }
    }

    fn newlines(&mut self) -> Parsed<()> {
        while self.token == Token::Newline {
            self.advance()?;
        }
        Ok(())
    }

    fn ends(&mut self) -> Parsed<()> {
        while self.token == Token::Newline || self.is(";") {
            self.advance()?;
        }
        Ok(())
    }

    // Names.

    fn global(&mut self, name: &[u8]) -> usize {
        let count = self.program.globals.len();
        *self.program.globals.entry(name.to_vec()).or_insert(count)
    }

    fn var(&mut self, name: &[u8]) -> Var {
        match self.params.iter().position(|param| param == name) {
            Some(at) => Var::Local(at),
            None => Var::Global(self.global(name)),
        }
    }

    fn array(&mut self, name: &[u8]) -> Var {
        let var = self.var(name);
        self.arrays.push((self.function, var));
        var
    }

    fn function(&mut self, name: &[u8]) -> usize {
        if let Some((number, _)) = self.functions.get(name) {
            return *number;
        }
        let number = self.program.functions.len();
        self.program.functions.push(Function::default());
        self.functions.insert(name.to_vec(), (number, false));
        number
    }

    /// Settles what is an array, through all calls.
    fn settle(&mut self) -> Parsed<()> {
        if self.functions.values().any(|(_, defined)| !defined) {
            return Err("a function is not there");
        }
        self.program.arrays = vec![false; self.program.globals.len()];
        let mut todo = std::mem::take(&mut self.arrays);
        while let Some((function, var)) = todo.pop() {
            let known = match (function, var) {
                (_, Var::Global(number)) => {
                    std::mem::replace(&mut self.program.arrays[number], true)
                }
                (Some(function), Var::Local(number)) => {
                    let params = &mut self.program.functions[function].params;
                    let param = params.get_mut(number).ok_or("a parameter is not there")?;
                    param.replace(true) == Some(true)
                }
                (None, Var::Local(_)) => true,
            };
            if known {
                continue;
            }
            for &((owner, passed), callee, number) in &self.passes {
                if passed == var && (matches!(var, Var::Global(_)) || owner == function) {
                    todo.push((Some(callee), Var::Local(number)));
                }
                if function == Some(callee) && var == Var::Local(number) {
                    todo.push((owner, passed));
                }
            }
        }
        Ok(())
    }

    // Rules.

    fn all(&mut self) -> Parsed<()> {
        loop {
            self.ends()?;
            if self.token == Token::End {
                return Ok(());
            }
            if self.is_word("function") {
                self.definition()?;
                continue;
            }
            if self.is_word("BEGIN") || self.is_word("END") {
                let begin = self.is_word("BEGIN");
                self.advance()?;
                let body = self.block()?;
                match begin {
                    true => self.program.begin.push(body),
                    false => self.program.end.push(body),
                }
                continue;
            }
            let pattern = if self.is("{") {
                Pattern::All
            } else {
                let first = self.expr()?;
                if self.take(",")? {
                    self.newlines()?;
                    let last = self.expr()?;
                    self.program.ranges += 1;
                    Pattern::Range(first, last, self.program.ranges - 1)
                } else {
                    Pattern::If(first)
                }
            };
            let action = if self.is("{") {
                Some(self.block()?)
            } else {
                None
            };
            self.program.rules.push(Rule { pattern, action });
        }
    }

    fn definition(&mut self) -> Parsed<()> {
        self.advance()?;
        let (Token::Name(name) | Token::Call(name)) = self.advance()? else {
            return Err("a function has no name");
        };
        let number = self.function(&name);
        self.functions.insert(name, (number, true));
        self.want("(")?;
        let mut params = Vec::new();
        while !self.is(")") {
            let Token::Name(param) = self.advance()? else {
                return Err("a parameter is not known");
            };
            params.push(param);
            if !self.take(",")? {
                break;
            }
            self.newlines()?;
        }
        self.want(")")?;
        self.newlines()?;
        self.program.functions[number].params = vec![None; params.len()];
        self.params = params;
        self.function = Some(number);
        let body = self.block()?;
        self.program.functions[number].body = body;
        self.params.clear();
        self.function = None;
        Ok(())
    }

    // Statements.

    fn block(&mut self) -> Parsed<Vec<Statement>> {
        self.want("{")?;
        let mut body = Vec::new();
        loop {
            self.ends()?;
            if self.take("}")? {
                return Ok(body);
            }
            self.statement(&mut body)?;
        }
    }

    /// The statement that a condition is for.
    fn body(&mut self) -> Parsed<Vec<Statement>> {
        self.newlines()?;
        let mut body = Vec::new();
        if self.take(";")? {
            return Ok(body);
        }
        self.statement(&mut body)?;
        Ok(body)
    }

    /// The end of a simple statement.
    fn end(&mut self) -> Parsed<()> {
        match self.token {
            Token::Newline => self.advance().map(drop),
            _ if self.is(";") => self.advance().map(drop),
            _ if self.is("}") || self.token == Token::End => Ok(()),
            _ => Err("there is more after a statement"),
        }
    }

    fn statement(&mut self, body: &mut Vec<Statement>) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("it nests too deep");
        }
        if self.is("{") {
            let inner = self.block()?;
            body.extend(inner);
        } else {
            let made = self.compound()?;
            body.push(made);
        }
        self.depth -= 1;
        Ok(())
    }

    fn compound(&mut self) -> Parsed<Statement> {
        let Token::Word(word) = self.token else {
            let made = self.simple()?;
            self.end()?;
            return Ok(made);
        };
        match word {
            "if" => {
                self.advance()?;
                self.want("(")?;
                let condition = self.free()?;
                self.want(")")?;
                let then = self.body()?;
                // A `;` and newlines may stand before `else`.
                self.ends()?;
                let mut other = Vec::new();
                if self.is_word("else") {
                    self.advance()?;
                    other = self.body()?;
                }
                Ok(Statement::If(condition, then, other))
            }
            "while" => {
                self.advance()?;
                self.want("(")?;
                let condition = self.free()?;
                self.want(")")?;
                if self.take(";")? {
                    return Ok(Statement::While(condition, Vec::new()));
                }
                Ok(Statement::While(condition, self.body()?))
            }
            "do" => {
                self.advance()?;
                let body = self.body()?;
                self.ends()?;
                if !self.is_word("while") {
                    return Err("do has no while");
                }
                self.advance()?;
                self.want("(")?;
                let condition = self.free()?;
                self.want(")")?;
                self.end()?;
                Ok(Statement::Do(body, condition))
            }
            "for" => self.repeat(),
            "next" | "nextfile" | "break" | "continue" => {
                self.advance()?;
                self.end()?;
                Ok(match word {
                    "next" => Statement::Next,
                    "nextfile" => Statement::NextFile,
                    "break" => Statement::Break,
                    _ => Statement::Continue,
                })
            }
            "exit" | "return" => {
                self.advance()?;
                let none = self.token == Token::Newline
                    || self.token == Token::End
                    || self.is(";")
                    || self.is("}");
                let value = if none { None } else { Some(self.expr()?) };
                self.end()?;
                Ok(match word {
                    "exit" => Statement::Exit(value),
                    _ => Statement::Return(value),
                })
            }
            _ => {
                let made = self.simple()?;
                self.end()?;
                Ok(made)
            }
        }
    }

    fn repeat(&mut self) -> Parsed<Statement> {
        self.advance()?;
        self.want("(")?;
        let mut first = None;
        if !self.is(";") {
            self.no_in = true;
            let made = self.simple();
            self.no_in = false;
            let made = made?;
            if self.is_word("in") {
                self.advance()?;
                let Token::Name(name) = self.advance()? else {
                    return Err("for has no array");
                };
                let array = self.array(&name);
                self.want(")")?;
                let Statement::Expr(Expr::Place(place)) = made else {
                    return Err("for has no variable");
                };
                return Ok(Statement::ForIn(place, array, self.body()?));
            }
            first = Some(Box::new(made));
        }
        self.want(";")?;
        self.newlines()?;
        let condition = if self.is(";") {
            None
        } else {
            Some(self.free()?)
        };
        self.want(";")?;
        self.newlines()?;
        let last = match self.is(")") {
            true => None,
            false => Some(Box::new(self.simple()?)),
        };
        self.want(")")?;
        if self.take(";")? {
            return Ok(Statement::For(first, condition, last, Vec::new()));
        }
        Ok(Statement::For(first, condition, last, self.body()?))
    }

    fn simple(&mut self) -> Parsed<Statement> {
        if self.is_word("delete") {
            self.advance()?;
            let Token::Name(name) = self.advance()? else {
                return Err("delete has no array");
            };
            let array = self.array(&name);
            if !self.take("[")? {
                return Ok(Statement::Delete(array, None));
            }
            let keys = self.list("]")?;
            return Ok(Statement::Delete(array, Some(keys)));
        }
        let printf = match &self.token {
            Token::Name(name) | Token::Call(name) if name == b"print" => false,
            Token::Name(name) | Token::Call(name) if name == b"printf" => true,
            _ => return Ok(Statement::Expr(self.expr()?)),
        };
        self.advance()?;
        let mut args = Vec::new();
        let none = matches!(self.token, Token::Newline | Token::End)
            || [";", "}", ">", ">>", "|"].iter().any(|mark| self.is(mark));
        if !none {
            let before = std::mem::replace(&mut self.no_greater, true);
            let first = self.expr();
            match first? {
                Expr::Group(all) => args = all,
                first => {
                    args.push(first);
                    while self.take(",")? {
                        self.newlines()?;
                        args.push(self.expr()?);
                    }
                }
            }
            self.no_greater = before;
        }
        let output = if self.take(">")? {
            Some(Output::File(self.target()?))
        } else if self.take(">>")? {
            Some(Output::Append(self.target()?))
        } else if self.take("|")? {
            Some(Output::Pipe(self.target()?))
        } else {
            None
        };
        Ok(match printf {
            true if args.is_empty() => return Err("printf has no format"),
            true => Statement::Printf(args, output),
            false => Statement::Print(args, output),
        })
    }

    /// Where print writes: strings joined, without `>`.
    fn target(&mut self) -> Parsed<Expr> {
        let before = std::mem::replace(&mut self.no_greater, true);
        let made = self.concat();
        self.no_greater = before;
        made
    }

    // Expressions, from those that bind least.

    /// An expression in parentheses, in which everything is allowed.
    fn free(&mut self) -> Parsed<Expr> {
        let (inside, greater) = (self.no_in, self.no_greater);
        (self.no_in, self.no_greater) = (false, false);
        let made = self.expr();
        (self.no_in, self.no_greater) = (inside, greater);
        made
    }

    fn list(&mut self, close: &str) -> Parsed<Vec<Expr>> {
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

    fn expr(&mut self) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("it nests too deep");
        }
        let made = self.ternary()?;
        self.depth -= 1;
        Ok(made)
    }

    fn ternary(&mut self) -> Parsed<Expr> {
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
    fn assignment(&mut self, left: Expr, operator: Option<Operator>) -> Parsed<Expr> {
        match left {
            Expr::Place(place) => {
                self.advance()?;
                self.newlines()?;
                let right = self.expr()?;
                Ok(Expr::Assign(place, operator, boxed(right)))
            }
            Expr::Not(inner) => Ok(Expr::Not(boxed(self.assignment(*inner, operator)?))),
            Expr::And(left, right) => {
                Ok(Expr::And(left, boxed(self.assignment(*right, operator)?)))
            }
            Expr::Or(left, right) => Ok(Expr::Or(left, boxed(self.assignment(*right, operator)?))),
            _ => Err("what is assigned to is no variable"),
        }
    }

    fn or(&mut self) -> Parsed<Expr> {
        let mut left = self.and()?;
        while self.take("||")? {
            self.newlines()?;
            let right = self.and()?;
            left = Expr::Or(boxed(left), boxed(right));
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expr> {
        let mut left = self.member()?;
        while self.take("&&")? {
            self.newlines()?;
            let right = self.member()?;
            left = Expr::And(boxed(left), boxed(right));
        }
        Ok(left)
    }

    fn member(&mut self) -> Parsed<Expr> {
        let mut left = self.matching()?;
        while self.is_word("in") && !self.no_in {
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

    fn matching(&mut self) -> Parsed<Expr> {
        let mut left = self.comparison()?;
        while self.is("~") || self.is("!~") {
            let negated = self.is("!~");
            self.advance()?;
            let right = self.comparison()?;
            left = Expr::Match(negated, boxed(left), boxed(right));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Parsed<Expr> {
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
    fn concat(&mut self) -> Parsed<Expr> {
        let mut left = self.sum()?;
        loop {
            if self.is("|") && !self.pipe_is_output() {
                self.advance()?;
                if !self.is_word("getline") {
                    return Err("a pipe leads nowhere");
                }
                self.advance()?;
                let place = self.optional_place()?;
                left = Expr::Getline(Source::Command(boxed(left)), place);
                continue;
            }
            if !self.starts_operand() {
                return Ok(left);
            }
            let right = self.sum()?;
            left = Expr::Concat(boxed(left), boxed(right));
        }
    }

    /// Whether a `|` belongs to a print, and no getline comes.
    fn pipe_is_output(&mut self) -> bool {
        if !self.no_greater {
            return false;
        }
        let mut ahead = self.lexer.clone();
        !matches!(ahead.next(), Ok(Token::Word("getline")))
    }

    fn starts_operand(&self) -> bool {
        match &self.token {
            Token::Number(_) | Token::Text(_) | Token::Name(_) | Token::Call(_) => true,
            // A `/` would be division, and a sign an operation.
            Token::Mark(mark) => matches!(*mark, "$" | "!" | "(" | "-" | "+" | "++" | "--"),
            // `in` is an operator.
            Token::Word(word) => *word == "getline",
            _ => false,
        }
    }

    fn sum(&mut self) -> Parsed<Expr> {
        let mut left = self.product()?;
        loop {
            let operator = match &self.token {
                Token::Mark("+") => Operator::Add,
                Token::Mark("-") => Operator::Subtract,
                _ => return Ok(left),
            };
            self.advance()?;
            let right = self.product()?;
            left = Expr::Binary(operator, boxed(left), boxed(right));
        }
    }

    fn product(&mut self) -> Parsed<Expr> {
        let mut left = self.unary()?;
        loop {
            let operator = match &self.token {
                Token::Mark("*") => Operator::Multiply,
                Token::Mark("/") => Operator::Divide,
                Token::Mark("%") => Operator::Remainder,
                _ => return Ok(left),
            };
            self.advance()?;
            let right = self.unary()?;
            left = Expr::Binary(operator, boxed(left), boxed(right));
        }
    }

    fn unary(&mut self) -> Parsed<Expr> {
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

    fn power(&mut self) -> Parsed<Expr> {
        let left = self.postfix()?;
        if self.take("^")? {
            // The sign of an exponent binds stronger, and powers group to the right.
            let right = self.unary()?;
            return Ok(Expr::Binary(Operator::Power, boxed(left), boxed(right)));
        }
        Ok(left)
    }

    fn postfix(&mut self) -> Parsed<Expr> {
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

    fn optional_place(&mut self) -> Parsed<Option<Place>> {
        let starts = matches!(self.token, Token::Name(_)) || self.is("$");
        if !starts {
            return Ok(None);
        }
        match self.primary()? {
            Expr::Place(place) => Ok(Some(place)),
            _ => Err("getline has no variable"),
        }
    }

    fn primary(&mut self) -> Parsed<Expr> {
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

    fn is_step(&self) -> bool {
        self.is("++") || self.is("--")
    }

    fn prefix(&mut self) -> Parsed<Expr> {
        match self.advance()? {
            Token::Mark(mark @ ("++" | "--")) => self.step(mark),
            _ => Err("an expression is not known"),
        }
    }

    fn step(&mut self, mark: &str) -> Parsed<Expr> {
        let by = if mark == "++" { 1.0 } else { -1.0 };
        match self.primary()? {
            Expr::Place(place) => Ok(Expr::Step(place, by, false)),
            _ => Err("what is stepped is no variable"),
        }
    }

    fn named(&mut self, name: &[u8]) -> Parsed<Expr> {
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

    fn call(&mut self, name: &[u8]) -> Parsed<Expr> {
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

/// The text of a pattern that is written out.
pub(super) fn source(expr: &Expr) -> Option<&Rc<[u8]>> {
    match expr {
        Expr::Regex(source) => Some(source),
        _ => None,
    }
}
