//! The grammar of bash's `[[ … ]]`.

use bstr::BString;

use super::grammar::literal;
use super::parse::{Parsed, Parser};
use super::syntax::{Test, Word};
use super::words::{At, delimits};

impl Parser<'_> {
    /// The expression, from behind `[[` on.
    pub(super) fn test(&mut self) -> Parsed<Test> {
        self.nested(Self::either)
    }

    fn either(&mut self) -> Parsed<Test> {
        let mut left = self.both()?;
        loop {
            self.breaks()?;
            if !self.eat_all(b"||") {
                return Ok(left);
            }
            left = Test::Or(Box::new(left), Box::new(self.both()?));
        }
    }

    fn both(&mut self) -> Parsed<Test> {
        let mut left = self.single_test()?;
        loop {
            self.breaks()?;
            if !self.eat_all(b"&&") {
                return Ok(left);
            }
            left = Test::And(Box::new(left), Box::new(self.single_test()?));
        }
    }

    fn single_test(&mut self) -> Parsed<Test> {
        self.breaks()?;
        if self.keyword("!") {
            let inner = self.nested(Self::single_test)?;
            return Ok(Test::Not(Box::new(inner)));
        }
        if self.eat(b'(') {
            let inner = self.test()?;
            self.breaks()?;
            if !self.eat(b')') {
                return self.unexpected();
            }
            return Ok(inner);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed<Test> {
        let left = self.operand()?;
        self.breaks()?;
        if let Some(op @ [b'-', letter]) = literal(&left)
            && letter.is_ascii_alphabetic()
            && !self.at_keyword("]]")
            && self.peek().is_some_and(|b| !b"&|)".contains(&b))
            && !self.at_operator()
        {
            let op = BString::from(op);
            return Ok(Test::Unary(op, self.operand()?));
        }
        if self.eat(b'<') {
            let right = self.operand()?;
            return Ok(Test::Binary(left, "<".into(), right));
        }
        if self.eat(b'>') {
            let right = self.operand()?;
            return Ok(Test::Binary(left, ">".into(), right));
        }
        if !self.at_operator() {
            return Ok(Test::Unary("-n".into(), left));
        }
        let mut op = BString::default();
        while let Some(byte) = self.peek().filter(|&b| !delimits(b)) {
            op.push(byte);
            self.bump();
        }
        self.blanks();
        let right = match op.as_slice() {
            b"=~" => self.parts(At::Regex)?,
            _ => self.operand()?,
        };
        Ok(Test::Binary(left, op, right))
    }

    fn at_operator(&mut self) -> bool {
        [
            "==", "=", "!=", "=~", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef",
        ]
        .iter()
        .any(|op| self.at_keyword(op))
    }

    fn operand(&mut self) -> Parsed<Word> {
        self.blanks();
        match self.peek() {
            Some(b) if !delimits(b) => self.word(),
            _ => self.unexpected(),
        }
    }
}
