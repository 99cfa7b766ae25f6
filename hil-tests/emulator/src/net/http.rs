//! A web server for tests: files of a directory, and bytes without end. Source: RFC 1945 (HTTP/1.0), `GET` and `HEAD` only.
//!
//! What a station sends is not trusted: a request has a limit, a path leads nowhere but into the directory.

use std::path::{Component, Path, PathBuf};

/// Bytes of a request's head at most.
const HEAD_LIMIT: usize = 8192;
/// Bytes that `/bytes/N` gives at most.
const BYTES_LIMIT: usize = 32 << 20;

/// One connection.
pub struct Http {
    files: Option<PathBuf>,
    request: Vec<u8>,
    answer: Vec<u8>,
    sent: usize,
}

impl Http {
    /// A connection to a server of this directory's files.
    #[must_use]
    pub fn new(files: Option<&Path>) -> Self {
        Self { files: files.map(Into::into), request: Vec::new(), answer: Vec::new(), sent: 0 }
    }

    /// The station sent something; what follows its request is ignored.
    pub fn receive(&mut self, data: &[u8]) {
        if !self.answer.is_empty() {
            return;
        }
        let room = HEAD_LIMIT - self.request.len();
        self.request.extend(&data[..data.len().min(room)]);
        if self.request.windows(4).any(|end| end == b"\r\n\r\n") {
            self.answer = self.respond();
        } else if self.request.len() == HEAD_LIMIT {
            self.answer = head("431 Request Header Fields Too Large", 0);
        }
    }

    /// What is to be sent.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.answer[self.sent..]
    }

    /// That much of it was sent.
    pub fn sent(&mut self, count: usize) {
        self.sent += count;
    }

    /// Everything was sent: the connection is to be closed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        !self.answer.is_empty() && self.sent == self.answer.len()
    }

    fn respond(&self) -> Vec<u8> {
        let line = self.request.split(|&byte| byte == b'\r').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let mut words = line.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if !["GET", "HEAD"].contains(&method) {
            return head("501 Not Implemented", 0);
        }
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let Some(body) = self.find(path) else { return head("404 Not Found", 0) };
        let mut answer = head("200 OK", body.len());
        if method == "GET" {
            answer.extend(body);
        }
        answer
    }

    fn find(&self, path: &str) -> Option<Vec<u8>> {
        if let Some(count) = path.strip_prefix("/bytes/") {
            let count: usize = count.parse().ok().filter(|count| *count <= BYTES_LIMIT)?;
            return Some((0..count).map(byte).collect());
        }
        #[cfg(unix)]
        if let Some(file) = super::tls::file(path) {
            return Some(file);
        }
        if let Some(file) = super::index::file(path) {
            return Some(file);
        }
        let below = Path::new(path.strip_prefix('/')?);
        if !below.components().all(|component| matches!(component, Component::Normal(_))) {
            return None;
        }
        std::fs::read(self.files.as_ref()?.join(below)).ok()
    }
}

/// Byte `n` of `/bytes/N`: no period that a lost or doubled packet could fall into.
fn byte(n: usize) -> u8 {
    (n as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0]
}

fn head(status: &str, length: usize) -> Vec<u8> {
    format!("HTTP/1.0 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(request: &str) -> String {
        let mut http = Http::new(Some(Path::new(env!("CARGO_MANIFEST_DIR"))));
        http.receive(request.as_bytes());
        String::from_utf8_lossy(http.rest()).into_owned()
    }

    #[test]
    fn files_and_bytes_are_given() {
        let manifest = get("GET /Cargo.toml HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(manifest.starts_with("HTTP/1.0 200 OK\r\n") && manifest.contains("larch-emulator"));
        assert!(get("HEAD /bytes/100000 HTTP/1.0\r\n\r\n").contains("Content-Length: 100000\r\n"));
        assert_eq!((0..4).map(byte).collect::<Vec<u8>>(), [0, 0x9E, 0x3C, 0xDA]);
    }

    #[test]
    fn nothing_else_is_given() {
        for path in ["/../Cargo.toml", "/src/../../x", "//etc/passwd", "/none", "", "/bytes/99999999999"] {
            assert!(get(&format!("GET {path} HTTP/1.0\r\n\r\n")).starts_with("HTTP/1.0 404"), "{path}");
        }
        assert!(get("PUT /x HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 501"));
        assert!(get(&"x".repeat(HEAD_LIMIT)).starts_with("HTTP/1.0 431"));
        assert!(get("GET / HTTP/1.0\r\n").is_empty(), "the request goes on");
    }
}
