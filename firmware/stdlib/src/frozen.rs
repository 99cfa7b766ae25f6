//! Modules written in Python that are part of the program: found through `.frozen` in `sys.path`.

use larch_vm::native::Frozen;

#[cfg(feature = "asyncio")]
const fn package(name: &'static str, text: &'static str) -> Frozen {
    Frozen { name, is_package: true, text }
}

const fn module(name: &'static str, text: &'static str) -> Frozen {
    Frozen { name, is_package: false, text }
}

/// All of them.
pub static MODULES: &[Frozen] = &[
    #[cfg(feature = "asyncio")]
    package("asyncio", include_str!("../frozen/asyncio/__init__.py")),
    #[cfg(feature = "asyncio")]
    module("asyncio.core", include_str!("../frozen/asyncio/core.py")),
    #[cfg(feature = "asyncio")]
    module("asyncio.event", include_str!("../frozen/asyncio/event.py")),
    #[cfg(feature = "asyncio")]
    module("asyncio.funcs", include_str!("../frozen/asyncio/funcs.py")),
    #[cfg(feature = "asyncio")]
    module("asyncio.lock", include_str!("../frozen/asyncio/lock.py")),
    #[cfg(feature = "asyncio")]
    module("asyncio.stream", include_str!("../frozen/asyncio/stream.py")),
    #[cfg(feature = "espnow")]
    module("aioespnow", include_str!("../frozen/aioespnow.py")),
    #[cfg(feature = "network")]
    module("_webrepl", include_str!("../frozen/_webrepl.py")),
    #[cfg(feature = "network")]
    module("mip", include_str!("../frozen/mip.py")),
    #[cfg(feature = "network")]
    module("ntptime", include_str!("../frozen/ntptime.py")),
    module("platform", include_str!("../frozen/platform.py")),
    #[cfg(feature = "network")]
    module("requests", include_str!("../frozen/requests.py")),
    module("select", include_str!("../frozen/select.py")),
    #[cfg(feature = "tls")]
    module("ssl", include_str!("../frozen/ssl.py")),
    #[cfg(feature = "asyncio")]
    module("uasyncio", "from asyncio import *\nfrom asyncio import __getattr__\n"),
    module("unittest", include_str!("../frozen/unittest.py")),
    #[cfg(feature = "network")]
    module("urequests", "from requests import *\n"),
    #[cfg(feature = "network")]
    module("webrepl", include_str!("../frozen/webrepl.py")),
    #[cfg(feature = "network")]
    module("webrepl_setup", include_str!("../frozen/webrepl_setup.py")),
    #[cfg(feature = "network")]
    module("websocket", include_str!("../frozen/websocket.py")),
];

/// The entry of `sys.path` that stands for them.
pub const FOLDER: &str = ".frozen";
