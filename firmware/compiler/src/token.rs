//! The kinds of tokens.

macro_rules! tokens {
    ($( $name:ident $(= $text:literal)? ),* $(,)?) => {
        /// A kind of token.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Token { $($name),* }
    };
}

tokens! {
    // Those without a text of their own.
    End, Newline, Indent, Dedent, DedentMismatch, Invalid, MalformedFString,
    Name, Integer, Float, Imaginary, Str, Bytes,
    // Punctuation.
    ParenOpen, ParenClose, BracketOpen, BracketClose, BraceOpen, BraceClose,
    Comma, Semicolon, Colon, Walrus, Arrow, Period, Ellipsis, Assign,
    Tilde, Plus, Minus, Star, At, Slash, Percent, DoubleSlash, DoubleStar, And, Or, Xor, Shl, Shr,
    // In the order of the binary operators above, from `Plus`.
    PlusAssign, MinusAssign, StarAssign, AtAssign, SlashAssign, PercentAssign, DoubleSlashAssign, DoubleStarAssign,
    AndAssign, OrAssign, XorAssign, ShlAssign, ShrAssign,
    Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual,
    // Keywords.
    KwFalse, KwNone, KwTrue, KwDebug, KwAnd, KwAs, KwAssert, KwAsync, KwAwait, KwBreak, KwClass, KwContinue, KwDef,
    KwDel, KwElif, KwElse, KwExcept, KwFinally, KwFor, KwFrom, KwGlobal, KwIf, KwImport, KwIn, KwIs, KwLambda,
    KwNonlocal, KwNot, KwOr, KwPass, KwRaise, KwReturn, KwTry, KwWhile, KwWith, KwYield,
}

/// Keywords, sorted by their bytes.
const KEYWORDS: [(&[u8], Token); 36] = [
    (b"False", Token::KwFalse),
    (b"None", Token::KwNone),
    (b"True", Token::KwTrue),
    (b"__debug__", Token::KwDebug),
    (b"and", Token::KwAnd),
    (b"as", Token::KwAs),
    (b"assert", Token::KwAssert),
    (b"async", Token::KwAsync),
    (b"await", Token::KwAwait),
    (b"break", Token::KwBreak),
    (b"class", Token::KwClass),
    (b"continue", Token::KwContinue),
    (b"def", Token::KwDef),
    (b"del", Token::KwDel),
    (b"elif", Token::KwElif),
    (b"else", Token::KwElse),
    (b"except", Token::KwExcept),
    (b"finally", Token::KwFinally),
    (b"for", Token::KwFor),
    (b"from", Token::KwFrom),
    (b"global", Token::KwGlobal),
    (b"if", Token::KwIf),
    (b"import", Token::KwImport),
    (b"in", Token::KwIn),
    (b"is", Token::KwIs),
    (b"lambda", Token::KwLambda),
    (b"nonlocal", Token::KwNonlocal),
    (b"not", Token::KwNot),
    (b"or", Token::KwOr),
    (b"pass", Token::KwPass),
    (b"raise", Token::KwRaise),
    (b"return", Token::KwReturn),
    (b"try", Token::KwTry),
    (b"while", Token::KwWhile),
    (b"with", Token::KwWith),
    (b"yield", Token::KwYield),
];

impl Token {
    /// The keyword with this text.
    pub(crate) fn keyword(text: &[u8]) -> Option<Token> {
        let found = KEYWORDS.binary_search_by(|(keyword, _)| (*keyword).cmp(text));
        found.ok().map(|index| KEYWORDS[index].1)
    }
}
