//! A small HTTP client that can also say what a well-behaved one would not.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// Talks to one daemon with one token, or none. One connection a request.
#[derive(Clone, Debug)]
pub struct Client {
    pub address: String,
    pub token: Option<String>,
}

impl Client {
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    pub fn anonymous(&self) -> Self {
        Self {
            token: None,
            ..self.clone()
        }
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[], body.to_string().as_bytes())
    }

    pub fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send("PATCH", path, &[], body.to_string().as_bytes())
    }

    pub fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, &[], b"")
    }

    /// Sends what it is told; given headers go before those that it would send itself.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        self.try_send(method, path, headers, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Reply> {
        let stream = self.open(method, path, headers, body.len())?;
        Self::finish(stream, body)
    }

    /// Sends the body of a request whose head was sent, and reads the answer.
    pub fn finish(mut stream: TcpStream, body: &[u8]) -> io::Result<Reply> {
        // The daemon may answer and hang up before it has read everything.
        let _ = stream.write_all(body);
        let mut bytes = Vec::new();
        let ended = stream.read_to_end(&mut bytes);
        Reply::parse(&bytes).ok_or_else(|| {
            let why = ended
                .err()
                .map_or("no whole answer".to_owned(), |e| e.to_string());
            io::Error::other(why)
        })
    }

    /// Sends a request's head.
    pub fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        length: usize,
    ) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let path =
            if path.starts_with('/') && path != "/" && !path.starts_with("/api/") && !is_bare(path)
            {
                format!("/api/v1{path}")
            } else {
                path.to_owned()
            };
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        let mut own = vec![("Host", self.address.clone())];
        if let Some(token) = &self.token {
            own.push(("Authorization", format!("Bearer {token}")));
        }
        if length > 0 {
            own.push(("Content-Type", "application/json".to_owned()));
        }
        let chunked = headers.iter().any(|(name, _)| *name == "Transfer-Encoding");
        if length > 0 && !chunked {
            own.push(("Content-Length", length.to_string()));
        }
        own.retain(|(name, _)| headers.iter().all(|(given, _)| given != name));
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        for (name, value) in own {
            head.extend([name, ": ", &value, "\r\n"]);
        }
        stream.write_all((head + "\r\n").as_bytes())?;
        Ok(stream)
    }

    /// Opens the event stream, and returns once its head is there.
    pub fn events(&self) -> BufReader<TcpStream> {
        let stream = self.open("GET", "/events", &[], 0).unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert!(line.contains(" 200 "), "{line}");
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
        }
        reader
    }
}

/// What lies beside the API.
fn is_bare(path: &str) -> bool {
    let slack = ["/slack/commands", "/slack/interactions"];
    ["/healthz", "/readyz", "/metrics", "/bare"]
        .iter()
        .chain(&slack)
        .any(|bare| path.starts_with(bare))
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let split = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let body = String::from_utf8_lossy(&bytes[split + 4..]).into_owned();
        Some(Self {
            status,
            headers,
            body,
        })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.body))
    }

    /// The body of an answer of this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    #[track_caller]
    pub fn ok(&self) -> Value {
        self.expect(200)
    }

    #[track_caller]
    pub fn created(&self) -> Value {
        assert!(
            self.header("location").is_some(),
            "no Location: {}",
            self.body
        );
        self.expect(201)
    }

    /// A problem document (RFC 9457) of this status.
    #[track_caller]
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        let kind = self.header("content-type");
        assert_eq!(
            kind,
            Some("application/problem+json"),
            "{status}: {}",
            self.body
        );
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for field in ["title", "detail"] {
            let text = problem[field].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "no {field}: {problem}");
        }
        problem
    }

    /// A 422 that complains about these fields, in any order.
    #[track_caller]
    pub fn invalid(&self, fields: &[&str]) -> Value {
        let problem = self.problem(422);
        let empty = Vec::new();
        let errors = problem["errors"].as_array().unwrap_or(&empty);
        let mut named: Vec<_> = errors.iter().filter_map(|e| e["field"].as_str()).collect();
        named.sort_unstable();
        named.dedup();
        let mut expected = fields.to_vec();
        expected.sort_unstable();
        assert_eq!(named, expected, "{problem}");
        assert!(
            errors
                .iter()
                .all(|e| e["message"].as_str().is_some_and(|m| !m.is_empty()))
        );
        problem
    }
}

/// The field of each item of a list.
#[track_caller]
pub fn column(list: &Value, field: &str) -> Vec<Value> {
    let items = list["items"]
        .as_array()
        .unwrap_or_else(|| panic!("no items: {list}"));
    items.iter().map(|item| item[field].clone()).collect()
}
