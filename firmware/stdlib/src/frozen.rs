//! Modules written in Python that are part of the program: found through `.frozen` in `sys.path`.

/// A module's full name, whether it is a package, and its text.
pub type Frozen = (&'static str, bool, &'static str);

/// All of them.
pub static MODULES: &[Frozen] = &[
    #[cfg(feature = "asyncio")]
    ("asyncio", true, include_str!("../frozen/asyncio/__init__.py")),
    #[cfg(feature = "asyncio")]
    ("asyncio.core", false, include_str!("../frozen/asyncio/core.py")),
    #[cfg(feature = "asyncio")]
    ("asyncio.event", false, include_str!("../frozen/asyncio/event.py")),
    #[cfg(feature = "asyncio")]
    ("asyncio.funcs", false, include_str!("../frozen/asyncio/funcs.py")),
    #[cfg(feature = "asyncio")]
    ("asyncio.lock", false, include_str!("../frozen/asyncio/lock.py")),
    #[cfg(feature = "asyncio")]
    ("asyncio.stream", false, include_str!("../frozen/asyncio/stream.py")),
    ("platform", false, include_str!("../frozen/platform.py")),
    ("select", false, include_str!("../frozen/select.py")),
    #[cfg(feature = "asyncio")]
    ("uasyncio", false, "from asyncio import *\nfrom asyncio import __getattr__\n"),
    ("unittest", false, include_str!("../frozen/unittest.py")),
];

/// The entry of `sys.path` that stands for them.
pub const FOLDER: &str = ".frozen";

/// The module of this full name.
pub fn find(name: &str) -> Option<&'static Frozen> {
    MODULES.iter().find(|module| module.0 == name)
}
