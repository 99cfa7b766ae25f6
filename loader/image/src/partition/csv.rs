//! The comma-separated form: `name, type, subtype, offset, size, flags`, `#` begins a comment, sizes may end in K or M.

use super::{APP_ALIGN, LABEL_LEN, Partition, SECTOR, Subtype, Table, Type, flags};
use crate::ImageError;

/// Offset of the first partition if a table does not say: behind the table at its usual place.
const FIRST_OFFSET: u64 = 0x9000;

pub(super) fn parse(text: &str) -> Result<Table, ImageError> {
    let mut table = Table::default();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if line.is_empty() {
            continue;
        }
        let next = table.partitions.last().map_or(FIRST_OFFSET, Partition::end);
        let partition = parse_line(line, next)
            .map_err(|problem| ImageError::PartitionCsv { line: index + 1, problem })?;
        if table.find(&partition.label).is_some() {
            let problem = format!("the name '{}' is used twice", partition.label);
            return Err(ImageError::PartitionCsv { line: index + 1, problem });
        }
        table.partitions.push(partition);
    }
    if table.partitions.is_empty() {
        return Err(ImageError::PartitionTable("it has no partitions".to_owned()));
    }
    table.check()?;
    Ok(table)
}

fn parse_line(line: &str, next: u64) -> Result<Partition, String> {
    let columns: Vec<&str> = line.split(',').map(str::trim).collect();
    let column = |index: usize| columns.get(index).copied().unwrap_or("");
    if columns.len() < 5 || columns.len() > 6 {
        return Err(
            "a line is: name, type, subtype, offset, size, flags (the last may be left out)".to_owned()
        );
    }
    let label = column(0);
    if label.contains(char::is_control) {
        return Err(format!("the name {label:?} has a character that cannot be in a name"));
    }
    if label.len() > LABEL_LEN {
        return Err(format!("the name '{label}' is longer than {LABEL_LEN} bytes"));
    }
    let kind = Type::by_name(column(1))
        .ok_or_else(|| format!("unknown type '{}' (one of: {}, or a number)", column(1), Type::known()))?;
    let subtype = Subtype::by_name(kind, column(2)).ok_or_else(|| {
        format!("unknown subtype '{}' (one of: {}, or a number)", column(2), Subtype::known(kind))
    })?;
    let align = if kind == Type::APP { APP_ALIGN } else { SECTOR };
    let offset = match column(3) {
        "" => next.next_multiple_of(align.into()),
        text => number(text).ok_or_else(|| format!("'{text}' is no offset (as 0x10000, 64K)"))?.into(),
    };
    let offset = u32::try_from(offset).map_err(|_| "no room is left for it".to_owned())?;
    let size = number(column(4)).filter(|&size| size > 0);
    let size = size.ok_or_else(|| format!("'{}' is no size (as 0x1f0000, 1984K, 2M)", column(4)))?;
    Ok(Partition { label: label.to_owned(), kind, subtype, offset, size, flags: parse_flags(column(5))? })
}

fn parse_flags(text: &str) -> Result<u32, String> {
    let mut value = 0;
    for flag in text.split(':').map(str::trim).filter(|flag| !flag.is_empty()) {
        value |= match flag {
            "encrypted" => flags::ENCRYPTED,
            "readonly" => flags::READ_ONLY,
            other => return Err(format!("unknown flag '{other}' (one of: encrypted, readonly)")),
        };
    }
    Ok(value)
}

/// Decimal or 0x-hexadecimal, with K or M behind it.
pub(super) fn number(text: &str) -> Option<u32> {
    let (digits, unit) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 1024),
        b'm' | b'M' => (&text[..text.len() - 1], 1024 * 1024),
        _ => (text, 1),
    };
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    value.checked_mul(unit)
}

pub(super) fn format(table: &Table) -> String {
    let mut text = "# Name, Type, SubType, Offset, Size, Flags\n".to_owned();
    for partition in &table.partitions {
        let Partition { label, kind, subtype, offset, size, flags: bits } = partition;
        let mut names = Vec::new();
        if bits & flags::ENCRYPTED != 0 {
            names.push("encrypted");
        }
        if bits & flags::READ_ONLY != 0 {
            names.push("readonly");
        }
        let (kind, subtype) = (kind.name(), subtype.name(*kind));
        text += &format!("{label},{kind},{subtype},0x{offset:x},0x{size:x},{}\n", names.join(":"));
    }
    text
}
