//! Operators, conditional expressions, lambdas, and lists of expressions.

use super::{Parsed, Parser, cost};
use crate::ast::{Comparison, Kind, Made, Operator, ParameterKind, Ref};
use crate::error::Failure;
use crate::token::Token;

/// Binding strengths of operators, weakest first.
pub(super) mod level {
    pub(crate) const OR: u8 = 0;
    pub(crate) const AND: u8 = 1;
    pub(crate) const NOT: u8 = 2;
    pub(crate) const COMPARE: u8 = 3;
    /// The grammar's `expr`: targets of `for`, operands of comparisons and `*`.
    pub(crate) const BIT_OR: u8 = 4;
    pub(crate) const BIT_XOR: u8 = 5;
    pub(crate) const BIT_AND: u8 = 6;
    pub(crate) const SHIFT: u8 = 7;
    pub(crate) const SUM: u8 = 8;
    pub(crate) const TERM: u8 = 9;
    pub(crate) const FACTOR: u8 = 10;
}

fn infix_level(token: Token) -> Option<u8> {
    Some(match token {
        Token::KwOr => level::OR,
        Token::KwAnd => level::AND,
        Token::Equal
        | Token::NotEqual
        | Token::Less
        | Token::LessEqual
        | Token::Greater
        | Token::GreaterEqual
        | Token::KwIn
        | Token::KwNot
        | Token::KwIs => level::COMPARE,
        Token::Or => level::BIT_OR,
        Token::Xor => level::BIT_XOR,
        Token::And => level::BIT_AND,
        Token::Shl | Token::Shr => level::SHIFT,
        Token::Plus | Token::Minus => level::SUM,
        Token::Star | Token::At | Token::Slash | Token::Percent | Token::DoubleSlash => level::TERM,
        _ => return None,
    })
}

impl Parser<'_, '_> {
    /// `test`: an expression without a comma, walrus or star.
    pub(super) fn test(&mut self) -> Parsed {
        if self.token() == Token::KwLambda {
            return self.lambda(true);
        }
        let line = self.token_line();
        let value = self.expression(level::OR)?;
        if !self.accept(Token::KwIf)? {
            return Ok(value);
        }
        self.enter(cost::EXPRESSION)?;
        let condition = self.expression(level::OR)?;
        self.expect(Token::KwElse)?;
        let other = self.test()?;
        self.exit(cost::EXPRESSION);
        self.ast.add(Kind::IfExp, 0, line, &[condition.0, value.0, other.0])
    }

    /// `test` or `test := test`.
    pub(super) fn named_test(&mut self) -> Parsed {
        let line = self.token_line();
        let target = self.test()?;
        if !self.accept(Token::Walrus)? {
            return Ok(target);
        }
        let value = self.test()?;
        self.ast.add(Kind::Named, 0, line, &[target.0, value.0])
    }

    /// An expression of operators that bind at least as strongly as `least`.
    pub(super) fn expression(&mut self, least: u8) -> Parsed {
        self.enter(cost::EXPRESSION)?;
        let line = self.token_line();
        let mut left = self.prefix(least)?;
        while let Some(level) = infix_level(self.token())
            && level >= least
        {
            left = self.infix(left, level, line)?;
        }
        self.exit(cost::EXPRESSION);
        Ok(left)
    }

    fn prefix(&mut self, least: u8) -> Parsed {
        let line = self.token_line();
        let operator = match self.token() {
            Token::KwNot if least <= level::NOT => {
                self.lexer.advance()?;
                let operand = self.expression(level::NOT)?;
                return self.fold_not(operand, line);
            }
            Token::Plus => Operator::Add,
            Token::Minus => Operator::Sub,
            Token::Tilde => Operator::Invert,
            _ => return self.power(),
        };
        self.lexer.advance()?;
        let operand = self.expression(level::FACTOR)?;
        self.fold_unary(operator, operand, line)
    }

    /// `atom trailers [** factor]`
    fn power(&mut self) -> Parsed {
        let line = self.token_line();
        let base = self.postfix()?;
        if !self.accept(Token::DoubleStar)? {
            return Ok(base);
        }
        let exponent = self.expression(level::FACTOR)?;
        let start = self.scratch.len();
        self.scratch.extend(&[base.0, Operator::Pow as u32, exponent.0])?;
        self.fold_binary(line, start)
    }

    /// All operands that operators of one level join: `left` and what follows.
    fn infix(&mut self, left: Ref, level: u8, line: u32) -> Parsed {
        let start = self.scratch.len();
        self.scratch.push(left.0)?;
        while infix_level(self.token()) == Some(level) {
            match level {
                level::OR | level::AND => self.lexer.advance()?,
                level::COMPARE => {
                    let comparison = self.comparison()?;
                    self.scratch.push(comparison as u32)?;
                }
                _ => {
                    self.scratch.push(self.token() as u32 - Token::Plus as u32)?;
                    self.lexer.advance()?;
                }
            }
            let right = self.expression(level + 1)?;
            self.scratch.push(right.0)?;
        }
        match level {
            level::OR => self.fold_logical(Kind::Or, line, start),
            level::AND => self.fold_logical(Kind::And, line, start),
            level::COMPARE => self.list(Kind::Compare, line, start),
            _ => self.fold_binary(line, start),
        }
    }

    fn comparison(&mut self) -> Result<Comparison, Failure> {
        let token = self.token();
        self.lexer.advance()?;
        Ok(match token {
            Token::Equal => Comparison::Eq,
            Token::NotEqual => Comparison::Ne,
            Token::Less => Comparison::Lt,
            Token::LessEqual => Comparison::Le,
            Token::Greater => Comparison::Gt,
            Token::GreaterEqual => Comparison::Ge,
            Token::KwIn => Comparison::In,
            Token::KwNot => {
                self.expect(Token::KwIn)?;
                Comparison::NotIn
            }
            _ if self.accept(Token::KwNot)? => Comparison::IsNot,
            _ => Comparison::Is,
        })
    }

    /// `lambda parameters: body`; without `conditional`, the body is no conditional expression.
    fn lambda(&mut self, conditional: bool) -> Parsed {
        self.enter(cost::EXPRESSION)?;
        let line = self.token_line();
        self.lexer.advance()?;
        let parameters = self.parameters(Token::Colon, false)?;
        self.expect(Token::Colon)?;
        let body = if conditional { self.test()? } else { self.test_without_condition()? };
        self.exit(cost::EXPRESSION);
        self.ast.add(Kind::Lambda, 0, line, &[parameters.0, body.0, 0])
    }

    /// `test_nocond`: the condition of a comprehension.
    fn test_without_condition(&mut self) -> Parsed {
        if self.token() == Token::KwLambda { self.lambda(false) } else { self.expression(level::OR) }
    }

    /// The parameters of a function or lambda up to `end`, which is not consumed.
    pub(super) fn parameters(&mut self, end: Token, annotated: bool) -> Parsed {
        let line = self.token_line();
        let start = self.scratch.len();
        while self.token() != end {
            let parameter = self.parameter(end, annotated)?;
            self.scratch.push(parameter.0)?;
            if !self.accept(Token::Comma)? {
                break;
            }
        }
        self.list(Kind::Parameters, line, start)
    }

    fn parameter(&mut self, end: Token, annotated: bool) -> Parsed {
        let line = self.token_line();
        let kind = match self.token() {
            Token::Star => ParameterKind::Star,
            Token::DoubleStar => ParameterKind::DoubleStar,
            _ => ParameterKind::Plain,
        };
        if kind != ParameterKind::Plain {
            self.lexer.advance()?;
        }
        if kind == ParameterKind::Star && (self.token() == Token::Comma || self.token() == end) {
            return self.ast.add(Kind::Parameter, ParameterKind::BareStar as u8, line, &[0, !0, !0]);
        }
        let name = self.name()?;
        let mut annotation = Ref::NOTHING;
        if annotated && self.accept(Token::Colon)? {
            annotation = self.test()?;
        }
        let mut default = Ref::NOTHING;
        if kind == ParameterKind::Plain && self.accept(Token::Assign)? {
            default = self.test()?;
        }
        self.ast.add(Kind::Parameter, kind as u8, line, &[name.0.into(), default.0, annotation.0])
    }

    // ---- lists ----

    /// `testlist`: one expression, or a tuple of several.
    pub(super) fn test_list(&mut self) -> Parsed {
        self.sequence(Self::test)
    }

    /// `testlist_star_expr`: as [`Parser::test_list`] with starred items.
    pub(super) fn star_test_list(&mut self) -> Parsed {
        self.sequence(|parser| parser.star_or(Self::test))
    }

    /// `exprlist`: the targets of `for` and `del`.
    pub(super) fn target_list(&mut self) -> Parsed {
        self.sequence(|parser| parser.star_or(|parser| parser.expression(level::BIT_OR)))
    }

    fn star_or(&mut self, item: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        let line = self.token_line();
        if !self.accept(Token::Star)? {
            return item(self);
        }
        let value = self.expression(level::BIT_OR)?;
        self.ast.add(Kind::Star, 0, line, &[value.0])
    }

    /// Items separated by commas; a tuple unless there is one without a comma.
    fn sequence(&mut self, item: impl Fn(&mut Self) -> Parsed) -> Parsed {
        let line = self.token_line();
        let first = item(self)?;
        if self.token() != Token::Comma {
            return Ok(first);
        }
        let start = self.scratch.len();
        self.scratch.push(first.0)?;
        while self.accept(Token::Comma)? && starts_expression(self.token()) {
            let next = item(self)?;
            self.scratch.push(next.0)?;
        }
        self.fold_tuple(line, start)
    }

    /// What stands in brackets up to `end`: items for a `kind` node, or a comprehension.
    pub(super) fn bracketed(&mut self, kind: Kind, made: Made, end: Token, line: u32) -> Parsed {
        let start = self.scratch.len();
        if self.accept(end)? {
            return self.list(kind, line, start);
        }
        let inner_line = self.token_line();
        let first = self.star_or(Self::named_test)?;
        if self.token() == Token::KwFor {
            let result = self.comprehension(made, first, Ref::NOTHING, inner_line)?;
            self.expect(end)?;
            return Ok(result);
        }
        if kind == Kind::Tuple && self.token() != Token::Comma {
            self.expect(end)?;
            return Ok(first);
        }
        self.scratch.push(first.0)?;
        while self.accept(Token::Comma)? && self.token() != end {
            let next = self.star_or(Self::named_test)?;
            self.scratch.push(next.0)?;
        }
        self.expect(end)?;
        if kind == Kind::Tuple { self.fold_tuple(line, start) } else { self.list(kind, line, start) }
    }

    /// The clauses of a comprehension after its item.
    pub(super) fn comprehension(&mut self, made: Made, item: Ref, value: Ref, line: u32) -> Parsed {
        let start = self.scratch.len();
        self.scratch.extend(&[0, item.0, value.0])?;
        loop {
            let clause_line = self.token_line();
            let clause = if self.accept(Token::KwFor)? {
                let target = self.target_list()?;
                self.expect(Token::KwIn)?;
                let source = self.expression(level::OR)?;
                self.ast.add(Kind::ForClause, 0, clause_line, &[target.0, source.0])?
            } else if self.accept(Token::KwIf)? {
                let condition = self.test_without_condition()?;
                self.ast.add(Kind::IfClause, 0, clause_line, &[condition.0])?
            } else {
                break;
            };
            self.scratch.push(clause.0)?;
        }
        self.ast.add_list(Kind::Comprehension, made as u8, line, &mut self.scratch, start)
    }

    /// `yield`, `yield values`, `yield from value`.
    pub(super) fn yield_expression(&mut self) -> Parsed {
        let line = self.token_line();
        self.lexer.advance()?;
        if self.accept(Token::KwFrom)? {
            let value = self.test()?;
            return self.ast.add(Kind::YieldFrom, 0, line, &[value.0]);
        }
        let value = if starts_expression(self.token()) { self.test_list()? } else { Ref::NOTHING };
        self.ast.add(Kind::Yield, 0, line, &[value.0])
    }
}

/// Whether an expression (or a starred one) can begin with the token.
pub(super) fn starts_expression(token: Token) -> bool {
    let is_assignment = (Token::PlusAssign as u8..=Token::ShrAssign as u8).contains(&(token as u8));
    let ends = matches!(
        token,
        Token::End
            | Token::Newline
            | Token::Indent
            | Token::Dedent
            | Token::ParenClose
            | Token::BracketClose
            | Token::BraceClose
            | Token::Comma
            | Token::Semicolon
            | Token::Colon
            | Token::Walrus
            | Token::Arrow
            | Token::Period
            | Token::Assign
            | Token::KwIn
            | Token::KwFor
            | Token::KwIf
            | Token::KwElse
            | Token::KwAs
            | Token::KwFrom
    );
    !ends && !is_assignment
}
