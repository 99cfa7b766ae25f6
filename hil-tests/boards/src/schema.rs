//! A JSON Schema of `boards.yaml`, for editors. Generated from the same word lists as the reader; a test compares the
//! committed file, and the keys with those that the reader names.

use serde_json::{Value, json};

use crate::board::{BootStrap, Chip, FlashMethod, Reset};

/// Where the schema is kept, from the root of the repository.
pub const FILE: &str = "hil-tests/boards/boards.schema.json";

/// The schema as text.
#[must_use]
pub fn text() -> String {
    let mut text = format!("{:#}", schema());
    text.push('\n');
    text
}

fn schema() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Boards of Larch",
        "type": "object",
        "additionalProperties": false,
        "required": ["default", "boards"],
        "properties": {
            "default": { "type": "string", "description": "The board that is used when none is named" },
            "boards": {
                "type": "object",
                "propertyNames": { "pattern": "^[a-z0-9][a-z0-9-]{0,39}$" },
                "additionalProperties": board()
            }
        }
    })
}

fn text_of(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

fn board() -> Value {
    let list = |description: &str| json!({ "type": "array", "items": { "type": "string" }, "description": description });
    object(
        &["chip", "port"],
        json!({
            "chip": { "enum": Chip::WORDS, "description": "The chip on the board" },
            "port": port(),
            "reset": { "enum": Reset::WORDS, "description": "How the board is reset" },
            "boot-strap": { "enum": BootStrap::WORDS, "description": "What selects download mode" },
            "flash": { "enum": FlashMethod::WORDS, "description": "How firmware gets onto the board" },
            "flash-baud": { "type": "integer", "minimum": 300, "description": "Line speed while flashing" },
            "capabilities": list("What the board can do; scenarios ask with `# requires:`"),
            "tags": list("Words to select boards by"),
            "owner": text_of("Who answers for it"),
            "notes": text_of("Anything a person should know"),
            "image": image(),
            "probe": object(&["chip"], json!({
                "chip": text_of("The chip in probe-rs's words, such as STM32F405RGTx"),
                "selector": text_of("VID:PID or VID:PID:serial of the probe, or emulator"),
                "speed-khz": { "type": "integer", "minimum": 1, "description": "Speed of the debug wires" },
                "connect-under-reset": { "type": "boolean", "description": "Hold the chip in reset while connecting" },
                "chip-erase": { "type": "boolean", "description": "Erase the whole flash, files included" }
            })),
            "power": power(),
            "access-points": { "type": "array", "items": access_point() },
            "pins": {
                "type": "array",
                "items": { "type": "string", "pattern": "^[0-9]+-([a-z0-9-]+\\.)?[0-9]+$" },
                "description": "Wires between pins: 4-5, or 4-second.5 to a peer"
            },
            "peers": {
                "type": "object", "additionalProperties": { "type": "string" },
                "description": "Other boards beside this one, by the name that scenarios call them"
            },
            "quarantine": { "type": "array", "items": quarantine() }
        }),
    )
}

fn port() -> Value {
    let one = |key: &str, description: &str| {
        let mut properties = serde_json::Map::new();
        properties.insert(key.into(), text_of(description));
        object(&[key], Value::Object(properties))
    };
    json!({
        "description": "Where the serial port is",
        "oneOf": [
            { "type": "string", "pattern": "^(emulator|rtt|/.+|COM[0-9]+|rfc2217://.+:[0-9]+|socket://.+:[0-9]+)$" },
            one("serial-number", "USB serial number of the adapter"),
            one("by-id", "Name of a link in /dev/serial/by-id"),
            one("vid-pid", "USB vendor and product, such as 0403:6001"),
            object(&["labgrid"], json!({
                "labgrid": text_of("A place of labgrid's coordinator; reserved while it is used"),
                "coordinator": text_of("host:port of the coordinator, unless LG_COORDINATOR says it")
            })),
            one("command", "A program of this machine that speaks a REPL"),
            one("qemu", "QEMU and its arguments; {firmware} and {storage} stand for files"),
            one("external", "Another emulator; {flash}, {firmware}, {storage} and {tcp-port} are filled in")
        ]
    })
}

fn image() -> Value {
    let map = object(
        &["file"],
        json!({ "file": text_of("Path from boards.yaml"), "offset": { "type": "integer", "minimum": 0 } }),
    );
    json!({ "description": "What is flashed instead of our firmware", "oneOf": [{ "type": "string" }, map] })
}

fn power() -> Value {
    let hub = object(
        &["uhubctl", "port"],
        json!({ "uhubctl": text_of("Location of the hub, such as 1-1"), "port": { "type": "integer", "minimum": 1 } }),
    );
    json!({
        "description": "How its power is switched",
        "oneOf": [{ "const": "manual" }, { "type": "string", "pattern": "\\{action\\}" }, hub]
    })
}

fn access_point() -> Value {
    object(
        &["ssid"],
        json!({
            "ssid": text_of("Its name, or ${VARIABLE}"),
            "password": text_of("Its password, or ${VARIABLE}; without it the network is open"),
            "bssid": { "type": "string", "pattern": "^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$", "description": "Its MAC address" },
            "channel": { "type": "integer", "minimum": 1, "maximum": 13, "description": "Its channel" },
            "rssi": { "type": "integer", "minimum": -100, "maximum": 0, "description": "How strong it is, in dBm" },
            "hidden": { "type": "boolean", "description": "Its name is not in its beacons" },
            "subnet": text_of("Its network, such as 192.168.0.0/24"),
            "lease": text_of("The first address that it gives to boards"),
            "gateway": text_of("Its own address"),
            "dns": text_of("The name server that it tells"),
            "names": {
                "type": "object", "additionalProperties": { "type": "string" },
                "description": "What the name server knows: names and their addresses"
            },
            "forwards": {
                "type": "object", "additionalProperties": { "type": "integer" },
                "description": "Ports of this machine's loopback that lead to ports of the board"
            },
            "files": text_of("Directory of the files that its web server gives"),
            "outside": { "type": "boolean", "description": "The board may reach what is beyond this machine's loopback" }
        }),
    )
}

fn quarantine() -> Value {
    object(
        &["scenario", "reason", "owner", "until"],
        json!({
            "scenario": text_of("A scenario, with * for any text"),
            "reason": text_of("Why it fails"),
            "owner": text_of("Who takes care"),
            "until": { "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::{schema, text};
    use crate::Boards;

    #[test]
    fn the_committed_schema_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/boards.schema.json");
        if std::env::var_os("LARCH_UPDATE_SCHEMA").is_some() {
            std::fs::write(path, text()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == text(),
            "{path} is old; LARCH_UPDATE_SCHEMA=1 cargo test -p larch-boards schema"
        );
    }

    /// The reader lists its keys when it meets one that it does not know.
    fn keys_of_reader(text: &str) -> Vec<String> {
        let error = Boards::parse("b", text).unwrap_err().to_string();
        let (_, list) = error.rsplit_once("(one of: ").unwrap();
        list.trim_end_matches(')').split(", ").map(String::from).collect()
    }

    #[test]
    fn reader_and_schema_know_the_same_keys() {
        let keys = |value: &serde_json::Value| {
            let mut keys: Vec<String> = value["properties"].as_object().unwrap().keys().cloned().collect();
            keys.sort();
            keys
        };
        let sorted = |mut keys: Vec<String>| {
            keys.sort();
            keys
        };
        let schema = schema();
        let board = &schema["properties"]["boards"]["additionalProperties"];
        let entry = |more: &str| {
            format!("default: a\nboards:\n  a:\n    chip: esp32c3\n    port: emulator\n    {more}\n")
        };
        assert_eq!(sorted(keys_of_reader(&entry("xyzzy: 1"))), keys(board));
        let parts = [
            ("quarantine: [{ xyzzy: 1 }]", &board["properties"]["quarantine"]["items"]),
            ("access-points: [{ xyzzy: 1 }]", &board["properties"]["access-points"]["items"]),
            ("probe: { xyzzy: 1 }", &board["properties"]["probe"]),
            ("power: { xyzzy: 1 }", &board["properties"]["power"]["oneOf"][2]),
            ("image: { xyzzy: 1 }", &board["properties"]["image"]["oneOf"][1]),
        ];
        for (text, schema) in parts {
            assert_eq!(sorted(keys_of_reader(&entry(text))), keys(schema), "{text}");
        }
    }
}
