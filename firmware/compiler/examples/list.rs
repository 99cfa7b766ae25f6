//! Prints what a file compiles to: `cargo run -p larch-compiler --example list FILE`.

#[path = "../tests/support/mod.rs"]
mod support;

fn main() {
    let path = std::env::args().nth(1).expect("usage: list FILE");
    let source = std::fs::read_to_string(&path).expect("a readable file");
    println!("{}", support::listing(&source, larch_compiler::Mode::File));
}
