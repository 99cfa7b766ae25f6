//! Which probe is meant. Everything here is about a list; nothing is opened.

/// A probe that is plugged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// What it calls itself.
    pub(crate) name: String,
    /// VID:PID, or VID:PID:serial.
    pub(crate) selector: String,
    /// The operating system lets us use it.
    pub(crate) accessible: bool,
}

/// The index of the probe that is meant; `wanted` as in `boards.yaml`, `found` what fits it.
///
/// # Errors
/// There is none, there are several, or it may not be used: one line with what to do.
pub(crate) fn choose(found: &[Found], wanted: Option<&str>) -> Result<usize, String> {
    match (found, wanted) {
        ([only], _) if !only.accessible => Err(not_allowed(only)),
        ([_], _) => Ok(0),
        ([], None) => Err("there is no debug probe: plug one in, with a cable that carries data".into()),
        ([], Some(wanted)) => Err(format!(
            "there is no probe {wanted}: `cargo xtask boards scan` lists those that are plugged in"
        )),
        (several, _) => {
            let known: Vec<&str> = several.iter().map(|probe| probe.selector.as_str()).collect();
            Err(format!(
                "there are {} probes ({}): say which with `probe: {{ selector: ... }}` of the board in boards.yaml",
                known.len(),
                known.join(", ")
            ))
        }
    }
}

/// What to say to a person whose system does not let them use the probe.
pub(crate) fn not_allowed(probe: &Found) -> String {
    let mut ids = probe.selector.split(':');
    let (vendor, product) = (ids.next().unwrap_or_default(), ids.next().unwrap_or_default());
    format!(
        "you may not use the probe {}: echo 'SUBSYSTEM==\"usb\", ATTR{{idVendor}}==\"{vendor}\", \
         ATTR{{idProduct}}==\"{product}\", TAG+=\"uaccess\"' | sudo tee /etc/udev/rules.d/70-probe-{vendor}-{product}.rules; \
         sudo udevadm control --reload; then plug it in again",
        probe.selector
    )
}

#[cfg(test)]
mod tests {
    use super::{Found, choose};

    fn found(selector: &str, accessible: bool) -> Found {
        Found { name: "a probe".into(), selector: selector.into(), accessible }
    }

    #[test]
    fn one_probe_is_the_one() {
        assert_eq!(choose(&[found("0483:374b:066C", true)], None), Ok(0));
        assert_eq!(choose(&[found("0483:374b:066C", true)], Some("0483:374b")), Ok(0));
    }

    #[test]
    fn everything_else_says_what_to_do() {
        let two = [found("0483:374b:066C", true), found("0483:374b:0671", true)];
        let cases: [(&[Found], Option<&str>, &str); 4] = [
            (&[], None, "there is no debug probe: plug one in"),
            (&[], Some("1366:0101"), "there is no probe 1366:0101: `cargo xtask boards scan` lists"),
            (
                &two,
                None,
                "there are 2 probes (0483:374b:066C, 0483:374b:0671): say which with `probe: { selector",
            ),
            (
                &[found("0483:374b:066C", false)],
                None,
                "you may not use the probe 0483:374b:066C: echo 'SUBSYSTEM==\"usb\", ATTR{idVendor}==\"0483\", \
                 ATTR{idProduct}==\"374b\", TAG+=\"uaccess\"' | sudo tee /etc/udev/rules.d/70-probe-0483-374b.rules; ",
            ),
        ];
        for (list, wanted, start) in cases {
            let message = choose(list, wanted).unwrap_err();
            assert!(message.starts_with(start), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }
}
