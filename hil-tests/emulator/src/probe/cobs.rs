//! Consistent Overhead Byte Stuffing: packets without zero bytes, each ended by one. Source: Cheshire and Baker, 1999.

/// Longest run of bytes that one code byte stands for.
const LONGEST: usize = 254;

/// Appends a packet and its end.
pub fn encode(packet: &[u8], out: &mut Vec<u8>) {
    for mut run in packet.split(|&byte| byte == 0) {
        while let Some((full, rest)) = run.split_at_checked(LONGEST) {
            out.push(LONGEST as u8 + 1);
            out.extend_from_slice(full);
            run = rest;
        }
        out.push(run.len() as u8 + 1);
        out.extend_from_slice(run);
    }
    out.push(0);
}

/// The packet of bytes without their end; `None` if they are none.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut packet, mut rest) = (Vec::new(), bytes);
    while let Some((&code, behind)) = rest.split_first() {
        let run = usize::from(code).checked_sub(1)?;
        packet.extend_from_slice(behind.get(..run)?);
        rest = &behind[run..];
        if run < LONGEST && !rest.is_empty() {
            packet.push(0);
        }
    }
    Some(packet)
}
