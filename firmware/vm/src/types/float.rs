//! `float`.

use larch_bytecode::qstr::Qstr;
use larch_heap::Value;

use crate::native::{Res, TypeDef};
use crate::vm::Vm;

/// What a Python float is: single precision on boards, double on the host.
#[cfg(any(target_pointer_width = "32", feature = "f32"))]
pub type Float = f32;
/// What a Python float is: single precision on boards, double on the host.
#[cfg(not(any(target_pointer_width = "32", feature = "f32")))]
pub type Float = f64;

/// `float`
pub static FLOAT: TypeDef = TypeDef::new(Qstr::float);

impl Vm {
    /// A number (int, bool, float, or what has `__float__`) as a float.
    ///
    /// # Errors
    /// TypeError "can't convert … to float".
    pub fn float_arg(&mut self, _value: Value) -> Res<Float> {
        Ok(0.0)
    }
}
