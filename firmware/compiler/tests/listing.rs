//! What each `tests/listing/*.py` compiles to.

mod support;

use larch_compiler::Mode;

#[test]
fn listings() {
    support::each_input("listing", |source| support::listing(source, Mode::File));
}
