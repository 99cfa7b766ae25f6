//! The tests of a folder, and which of them apply to a target.

use std::path::{Path, PathBuf};

use super::{Answer, Target};

/// A test program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// `directory/name.py`
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The file that says what it prints, if there is one.
    pub output: PathBuf,
}

impl Test {
    /// A test of the suite at `folder`.
    #[must_use]
    pub fn new(folder: &Path, name: &str) -> Test {
        let path = folder.join(name);
        Test { name: name.to_owned(), output: path.with_extension("py.exp"), path }
    }

    /// Its name without directory and suffix.
    #[must_use]
    pub fn stem(&self) -> &str {
        self.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
    }

    /// The directory it is in.
    #[must_use]
    pub fn directory(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }

    /// Its text.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn source(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.path).map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

/// The directories that are run when none is named.
pub const DIRECTORIES: &[&str] =
    &["basics", "float", "micropython", "misc", "io", "import", "stress", "unicode", "cmdline", "extmod"];
/// Those of our language suite; `net` needs a network.
const LANGUAGE_DIRECTORIES: &[&str] = &["containers", "core", "numbers", "syntax", "text"];
/// Of our language suite: what it prints last is printed after the raw REPL's answer, when the interpreter ends.
const NOT_IN_RAW_REPL: &[&str] = &["core/sys_atexit.py"];
/// The same for boards.
pub const BOARD_DIRECTORIES: &[&str] = &["basics", "float", "micropython", "misc", "unicode", "stress"];

/// The tests of some directories whose name has one of `filters` in it (all, if there is none).
///
/// # Errors
/// The folder is no checkout of the suite.
pub fn tests(folder: &Path, directories: &[&str], filters: &[String]) -> Result<Vec<Test>, String> {
    if !folder.join("feature_check").is_dir() {
        return Err(format!(
            "{} is not MicroPython's tests folder: it has no feature_check (git clone \
             https://github.com/micropython/micropython, then name its `tests`)",
            folder.display()
        ));
    }
    let mut found = Vec::new();
    for directory in directories {
        let path = folder.join(directory);
        let entries = std::fs::read_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        for entry in entries.flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            if file.ends_with(".py") {
                found.push(Test::new(folder, &format!("{directory}/{file}")));
            }
        }
    }
    found.retain(|test| {
        filters.is_empty() || filters.iter().any(|filter| test.name.contains(filter.as_str()))
    });
    found.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(found)
}

/// Our own language suite, which the desktop program passes, as boards must: what a program prints is in the `.out` file beside
/// it, or in an `.f32.out` file if floats of 32 bits make a difference.
///
/// # Errors
/// The folder cannot be read.
pub fn language(folder: &Path, filters: &[String]) -> Result<Vec<Test>, String> {
    let wrong = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let mut found = Vec::new();
    for directory in LANGUAGE_DIRECTORIES {
        let path = folder.join(directory);
        for entry in std::fs::read_dir(&path).map_err(|error| wrong(&path, error))?.flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            if file.ends_with(".py") {
                let mut test = Test::new(folder, &format!("{directory}/{file}"));
                let single = test.path.with_extension("f32.out");
                test.output = if single.exists() { single } else { test.path.with_extension("out") };
                found.push(test);
            }
        }
    }
    found.retain(|test| {
        let fits = filters.is_empty() || filters.iter().any(|filter| test.name.contains(filter.as_str()));
        fits && !NOT_IN_RAW_REPL.contains(&test.name.as_str())
    });
    found.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(found)
}

/// A group of tests that applies only if a program of `feature_check` prints this.
struct Feature {
    program: &'static str,
    prints: &'static str,
    is_in: fn(&str) -> bool,
}

const FEATURES: &[Feature] = &[
    Feature {
        program: "native_check.py",
        prints: "native\n",
        is_in: |stem| stem.starts_with("native_") || stem.starts_with("viper_"),
    },
    Feature {
        program: "int_big.py",
        prints: "1000000000000000000000000000000000000000000000\n",
        is_in: |stem| stem.starts_with("int_big") || stem.ends_with("_intbig") || stem.starts_with("ffi_int"),
    },
    Feature {
        program: "int_64.py",
        prints: "4611686018427387904\n",
        is_in: |stem| stem.starts_with("int_64") || stem.ends_with("_int64"),
    },
    Feature {
        program: "bytearray.py",
        prints: "bytearray\n",
        is_in: |stem| stem.starts_with("bytearray") || stem.ends_with("_bytearray"),
    },
    Feature {
        program: "set_check.py",
        prints: "{1}\n",
        is_in: |stem| stem.starts_with("set_") || stem.starts_with("frozenset") || stem.ends_with("_set"),
    },
    Feature { program: "slice.py", prints: "slice\n", is_in: |stem| stem.contains("slice") },
    Feature {
        program: "async_check.py",
        prints: "async\n",
        is_in: |stem| stem.starts_with("async_") || stem.starts_with("asyncio_") || stem.ends_with("_async"),
    },
    Feature { program: "const.py", prints: "1\n", is_in: |stem| stem.starts_with("const") },
    Feature {
        program: "fstring.py",
        prints: "a=1\n",
        is_in: |stem| stem.starts_with("string_fstring") || stem.ends_with("_fstring"),
    },
    Feature {
        program: "tstring.py",
        prints: "tstring\n",
        is_in: |stem| stem.starts_with("string_tstring") || stem.ends_with("_tstring"),
    },
    Feature { program: "coverage.py", prints: "coverage\n", is_in: |stem| COVERAGE.contains(&stem) },
];

/// Tests of the desktop program's variant for measuring coverage.
const COVERAGE: &[&str] = &["cmd_parsetree", "repl_sys_ps1_ps2", "ssl_poll"];
/// Tests that need floats of 64 bits, and the precision check's name for them.
const DOUBLE_ONLY: &[&str] = &[
    "float_divmod",
    "float2int_doubleprec_intbig",
    "float_struct_e_doubleprec",
    "float_format_ints_doubleprec",
    "float_parse_doubleprec",
];
/// Tests that read local files or compare what only the desktop program prints.
const NOT_ON_BOARDS: &[&str] = &["exception_chain", "meminfo", "file1", "file2", "file_invalid"];

/// Which tests apply to a target.
#[derive(Debug, Default)]
pub struct Applicable {
    missing: Vec<usize>,
    single_floats: bool,
    is_board: bool,
}

impl Applicable {
    /// Asks a target, by the suite's feature checks.
    ///
    /// # Errors
    /// As [`Target::run`]; the target's description cannot be understood.
    pub fn ask(target: &mut dyn Target, folder: &Path, is_board: bool) -> Result<Applicable, String> {
        let mut check = |program: &str| -> Result<Answer, String> {
            target.run(&Test::new(folder, &format!("feature_check/{program}")))
        };
        let info = check("target_info.py")?.text;
        let precision = info.split_whitespace().nth(5).and_then(|bits| bits.parse::<u32>().ok());
        let Some(precision) = precision else {
            return Err(format!("the target does not describe itself; target_info.py printed {info:?}"));
        };
        let mut missing = Vec::new();
        for (index, feature) in FEATURES.iter().enumerate() {
            if check(feature.program)?.text != feature.prints {
                missing.push(index);
            }
        }
        Ok(Applicable { missing, single_floats: precision < 64, is_board })
    }

    /// Why a test does not apply, if so.
    #[must_use]
    pub fn reason_against(&self, test: &Test) -> Option<String> {
        let stem = test.stem();
        if let Some(index) = self.missing.iter().find(|index| (FEATURES[**index].is_in)(stem)) {
            return Some(format!("feature check {}", FEATURES[*index].program));
        }
        if self.single_floats && DOUBLE_ONLY.contains(&stem) {
            return Some("needs floats of 64 bits".into());
        }
        (self.is_board && NOT_ON_BOARDS.contains(&stem)).then(|| "not for boards".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_follow_their_feature() {
        let folder = Path::new("/suite");
        let index = FEATURES.iter().position(|feature| feature.program == "slice.py").expect("in the table");
        let rules = Applicable { missing: vec![index], single_floats: true, is_board: true };
        for (name, applies) in [
            ("basics/list_slice.py", false),
            ("basics/list1.py", true),
            ("float/float_divmod.py", false),
            ("float/float_divmod_relaxed.py", true),
            ("micropython/meminfo.py", false),
        ] {
            assert_eq!(rules.reason_against(&Test::new(folder, name)).is_none(), applies, "{name}");
        }
    }

    #[test]
    fn a_folder_that_is_no_suite_is_refused() {
        let error = tests(Path::new("/nowhere"), DIRECTORIES, &[]).expect_err("refused");
        assert!(error.contains("feature_check"), "{error}");
    }
}
