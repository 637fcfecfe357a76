//! Whoever looks at pages without a browser: keeps cookies, asks for pages, sends forms.

use std::collections::BTreeMap;

use super::{Client, Daemon, Reply};

/// Somebody who looks at the pages of one daemon.
pub struct Visitor {
    client: Client,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    /// One that has not signed in.
    pub fn new(daemon: &Daemon) -> Self {
        Self {
            client: daemon.api.anonymous(),
            cookies: BTreeMap::new(),
        }
    }

    /// One that has signed in with a fresh token of a role, and perhaps of a person.
    pub fn signed_in(daemon: &Daemon, role: &str, user: Option<&str>) -> Self {
        let token = daemon.client(role, user).token.unwrap();
        let mut browser = Self::new(daemon);
        let reply = browser.post("/sign-in", &[("token", &token)]);
        assert_eq!(reply.status, 303, "{}", reply.body);
        browser
    }

    pub fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[])
    }

    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send("POST", path, fields)
    }

    /// The page of a GET form with these fields.
    pub fn filled(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(fields).finish();
        self.get(&format!("{path}?{query}"))
    }

    /// Sends a form that goes well, and loads the page that it leads to.
    #[track_caller]
    pub fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let reply = self.post(path, fields);
        assert_eq!(reply.status, 303, "{}", main_of(&reply.body));
        self.page(reply.header("location").unwrap())
    }

    /// The content of a page that is there.
    #[track_caller]
    pub fn page(&mut self, path: &str) -> String {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", main_of(&reply.body));
        main_of(&reply.body)
    }

    /// The content of the page that a form which is refused is shown on again.
    #[track_caller]
    pub fn refused(&mut self, path: &str, fields: &[(&str, &str)], status: u16) -> String {
        let reply = self.post(path, fields);
        assert_eq!(reply.status, status, "{}", main_of(&reply.body));
        main_of(&reply.body)
    }

    fn send(&mut self, method: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
        let cookies = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let headers = [
            ("Accept", "text/html"),
            ("Cookie", cookies.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Sec-Fetch-Site", "same-origin"),
        ];
        let mut body = form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(fields).finish();
        // In full: by its path alone the client takes it for one of the API.
        let url = format!("http://{}{path}", self.client.address);
        let reply = self.client.send(method, &url, &headers, body.as_bytes());
        let set = reply
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie");
        for (_, cookie) in set {
            let (pair, rules) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if rules.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }
}

/// The content of a page: what is not the same on each.
pub fn main_of(html: &str) -> String {
    let start = html.find("<main").unwrap_or_default();
    let end = html.find("</main>").unwrap_or(html.len());
    html[start..end].to_owned()
}

/// What stands between two texts.
#[track_caller]
pub fn between<'h>(html: &'h str, start: &str, end: &str) -> &'h str {
    let from = html
        .find(start)
        .unwrap_or_else(|| panic!("no `{start}`: {html}"));
    let rest = &html[from + start.len()..];
    let to = rest
        .find(end)
        .unwrap_or_else(|| panic!("no `{end}` after `{start}`: {html}"));
    &rest[..to]
}

/// What the page says of the last action, without the way to take it back.
#[track_caller]
pub fn said(html: &str) -> &str {
    between(between(html, "data-flash>", "</div>"), "<span>", "</span>")
}

/// The fields of the form that takes the last action back, and where it goes.
#[track_caller]
pub fn undo(html: &str) -> (String, Vec<(String, String)>) {
    let form = between(between(html, "data-flash>", "</div>"), "<form", "</form>");
    let action = between(form, "action=\"", "\"").to_owned();
    let inputs = form.split("<input").skip(1);
    let field = |input: &str| {
        let part = |name: &str| between(input, &format!("{name}=\""), "\"").to_owned();
        (part("name"), part("value"))
    };
    (action, inputs.map(field).collect())
}

/// What is wrong with a field, by the page that shows its form again.
#[track_caller]
pub fn error_of<'h>(html: &'h str, field: &str) -> &'h str {
    between(html, &format!("id=\"{field}-error\">"), "</span>")
}

/// The text of the element with an id, without its markup, blanks drawn together.
#[track_caller]
pub fn text_of(html: &str, id: &str) -> String {
    let at = html.find(&format!("id=\"{id}\""));
    let start = at.unwrap_or_else(|| panic!("nothing has the id {id}: {html}"));
    let open = html[..start].rfind('<').unwrap();
    let name: String = html[open + 1..]
        .chars()
        .take_while(|c| c.is_alphanumeric())
        .collect();
    let (mut depth, mut end) = (0, html.len());
    let mut rest = open;
    while let Some(next) = html[rest..].find('<') {
        let tag = &html[rest + next..];
        if tag.starts_with(&format!("</{name}>")) {
            depth -= 1;
        } else if tag[1..]
            .strip_prefix(&*name)
            .is_some_and(|it| it.starts_with([' ', '>']))
        {
            depth += 1;
        }
        if depth == 0 {
            end = rest + next;
            break;
        }
        rest += next + 1;
    }
    text(&html[start..end])
}

/// Text without markup.
pub fn text(html: &str) -> String {
    let html = html.split_once('>').map_or(html, |(_, rest)| rest);
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text = text + before + " ";
        rest = tag.split_once('>').map_or("", |(_, rest)| rest);
    }
    text += rest;
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
