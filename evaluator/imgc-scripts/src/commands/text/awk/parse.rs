//! Reads awk programs. It does not run them.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::lexer::{Lexer, Token};
use super::syntax::{Expr, Function, Output, Pattern, Program, Rule, Statement, Var, special};

/// How deep a program may nest.
pub(super) const DEPTH: usize = 60;

pub(super) type Parsed<T> = Result<T, &'static str>;

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
pub(super) type Owned = (Option<usize>, Var);

pub(super) struct Parser<'s> {
    pub(super) lexer: Lexer<'s>,
    pub(super) token: Token,
    pub(super) program: Program,
    /// The numbers of functions by their names, and whether they were defined.
    pub(super) functions: BTreeMap<Vec<u8>, (usize, bool)>,
    /// The parameters of the function that is being read.
    pub(super) params: Vec<Vec<u8>>,
    pub(super) function: Option<usize>,
    /// What was used as an array.
    pub(super) arrays: Vec<Owned>,
    /// What was given to a function's parameter.
    pub(super) passes: Vec<(Owned, usize, usize)>,
    pub(super) depth: usize,
    /// Whether `in` and `>` belong to the statement around the expression.
    pub(super) no_in: bool,
    pub(super) no_greater: bool,
}

impl Parser<'_> {
    // Words.

    pub(super) fn advance(&mut self) -> Parsed<Token> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    pub(super) fn is(&self, mark: &str) -> bool {
        matches!(&self.token, Token::Mark(other) if *other == mark)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(&self.token, Token::Word(other) if *other == word)
    }

    pub(super) fn take(&mut self, mark: &str) -> Parsed<bool> {
        let found = self.is(mark);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub(super) fn want(&mut self, mark: &str) -> Parsed<()> {
        match self.take(mark)? {
            true => Ok(()),
            false => Err("a mark is missing"),
        }
    }

    pub(super) fn newlines(&mut self) -> Parsed<()> {
        while self.token == Token::Newline {
            self.advance()?;
        }
        Ok(())
    }

    pub(super) fn ends(&mut self) -> Parsed<()> {
        while self.token == Token::Newline || self.is(";") {
            self.advance()?;
        }
        Ok(())
    }

    // Names.

    pub(super) fn global(&mut self, name: &[u8]) -> usize {
        let count = self.program.globals.len();
        *self.program.globals.entry(name.to_vec()).or_insert(count)
    }

    pub(super) fn var(&mut self, name: &[u8]) -> Var {
        match self.params.iter().position(|param| param == name) {
            Some(at) => Var::Local(at),
            None => Var::Global(self.global(name)),
        }
    }

    pub(super) fn array(&mut self, name: &[u8]) -> Var {
        let var = self.var(name);
        self.arrays.push((self.function, var));
        var
    }

    pub(super) fn function(&mut self, name: &[u8]) -> usize {
        if let Some((number, _)) = self.functions.get(name) {
            return *number;
        }
        let number = self.program.functions.len();
        self.program.functions.push(Function::default());
        self.functions.insert(name.to_vec(), (number, false));
        number
    }

    /// Settles what is an array, through all calls.
    pub(super) fn settle(&mut self) -> Parsed<()> {
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

    pub(super) fn all(&mut self) -> Parsed<()> {
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

    pub(super) fn definition(&mut self) -> Parsed<()> {
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

    pub(super) fn block(&mut self) -> Parsed<Vec<Statement>> {
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
    pub(super) fn body(&mut self) -> Parsed<Vec<Statement>> {
        self.newlines()?;
        let mut body = Vec::new();
        if self.take(";")? {
            return Ok(body);
        }
        self.statement(&mut body)?;
        Ok(body)
    }

    /// The end of a simple statement.
    pub(super) fn end(&mut self) -> Parsed<()> {
        match self.token {
            Token::Newline => self.advance().map(drop),
            _ if self.is(";") => self.advance().map(drop),
            _ if self.is("}") || self.token == Token::End => Ok(()),
            _ => Err("there is more after a statement"),
        }
    }

    pub(super) fn statement(&mut self, body: &mut Vec<Statement>) -> Parsed<()> {
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

    pub(super) fn compound(&mut self) -> Parsed<Statement> {
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

    pub(super) fn repeat(&mut self) -> Parsed<Statement> {
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

    pub(super) fn simple(&mut self) -> Parsed<Statement> {
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
    pub(super) fn target(&mut self) -> Parsed<Expr> {
        let before = std::mem::replace(&mut self.no_greater, true);
        let made = self.concat();
        self.no_greater = before;
        made
    }
}

/// The text of a pattern that is written out.
pub(super) fn source(expr: &Expr) -> Option<&Rc<[u8]>> {
    match expr {
        Expr::Regex(source) => Some(source),
        _ => None,
    }
}
