//! A real browser: Debian's Chromium, by its driver. Each test has one of its own.
//!
//! The driver is spoken to directly (<https://www.w3.org/TR/webdriver2/>): its libraries switch on
//! features of `serde_json`, which cargo would then build into the daemon under test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Daemon;

/// Longer than any page takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the protocol calls the id of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser, and the daemon whose pages it shows.
pub struct Browser {
    /// Where the pages are: `http://127.0.0.1:…`.
    pub base: String,
    client: reqwest::Client,
    /// Where the driver takes commands of this session.
    session: String,
    chromedriver: Child,
    _profile: TempDir,
}

impl Browser {
    pub async fn start(daemon: &Daemon) -> Self {
        Self::start_with(daemon, true).await
    }

    pub async fn without_javascript(daemon: &Daemon) -> Self {
        Self::start_with(daemon, false).await
    }

    async fn start_with(daemon: &Daemon, javascript: bool) -> Self {
        let mut chromedriver = Command::new("chromedriver")
            .args(["--port=0", "--silent"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is there: scripts/setup installs it");
        let lines = BufReader::new(chromedriver.stdout.take().unwrap()).lines();
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| {
                let port = line.split("on port ").nth(1)?;
                Some(port.trim_end_matches('.').to_owned()).filter(|port| port != "0")
            })
            .expect("chromedriver says on which port it listens");
        let profile = tempfile::tempdir().unwrap();
        let mut options = json!({"args": [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--lang=en-GB",
            format!("--user-data-dir={}", profile.path().display()),
        ]});
        if !javascript {
            options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
        }
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let client = reqwest::Client::builder()
            .timeout(4 * PATIENCE)
            .build()
            .unwrap();
        let driver = format!("http://127.0.0.1:{port}/session");
        let answer = client.post(&driver).json(&wanted).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let id = answer["value"]["sessionId"].as_str();
        let id = id.unwrap_or_else(|| panic!("no browser: {answer}"));
        Self {
            base: format!("http://{}", daemon.api.address),
            session: format!("{driver}/{id}"),
            client,
            chromedriver,
            _profile: profile,
        }
    }

    pub async fn go(&self, path: &str) {
        let url = json!({"url": format!("{}{path}", self.base)});
        self.command("url", &url).await.unwrap();
    }

    /// Path and query of the page that is shown.
    pub async fn path(&self) -> String {
        let url = self
            .run("return location.pathname + location.search;")
            .await;
        url.as_str().unwrap_or_default().to_owned()
    }

    /// The first element of a selector that can be seen, once there is one.
    pub async fn find(&self, css: &str) -> Element<'_> {
        self.first("css selector", css).await
    }

    pub async fn click(&self, css: &str) {
        self.find(css).await.click().await;
    }

    /// Clicks the link or button that reads so; of an open dialog, if there is one.
    pub async fn press(&self, text: &str) {
        let what =
            format!("*[self::a or self::button or self::summary][normalize-space()='{text}']");
        let path = format!("//dialog[@open]//{what} | //{what}[not(//dialog[@open])]");
        self.first("xpath", &path).await.click().await;
    }

    async fn first(&self, using: &str, value: &str) -> Element<'_> {
        let since = Instant::now();
        let wanted = json!({"using": using, "value": value});
        loop {
            let found = self.command("elements", &wanted).await.unwrap_or_default();
            for element in found.as_array().into_iter().flatten() {
                let id = element[ELEMENT].as_str().unwrap().to_owned();
                let element = Element { browser: self, id };
                if element.is_displayed().await {
                    return element;
                }
            }
            if since.elapsed() > PATIENCE {
                panic!(
                    "no `{value}` on {}: {}",
                    self.path().await,
                    self.text().await
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Puts a text into a field, in place of what stands there, as typing would.
    pub async fn fill(&self, css: &str, text: &str) {
        self.find(css).await.fill(text).await;
    }

    /// Chooses an option of a field by its value.
    pub async fn choose(&self, css: &str, value: &str) {
        self.click(&format!("{css} option[value='{value}']")).await;
    }

    /// Waits until the page says so.
    pub async fn sees(&self, text: &str) {
        let since = Instant::now();
        while !self.text().await.contains(text) {
            if since.elapsed() > PATIENCE {
                panic!(
                    "`{text}` isn't on {}: {}",
                    self.path().await,
                    self.text().await
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What can be read on the page.
    pub async fn text(&self) -> String {
        let text = self
            .run("return document.body ? document.body.innerText : '';")
            .await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Runs a script in the page; what it returns.
    pub async fn run(&self, script: &str) -> Value {
        let body = json!({"script": script, "args": []});
        self.command("execute/sync", &body)
            .await
            .unwrap_or_default()
    }

    /// Presses keys: characters, or the driver's codes for others, such as `TAB`.
    pub async fn keys(&self, keys: &str) {
        let actions = keys.chars().flat_map(|key| {
            ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()}))
        });
        let actions: Vec<_> = actions.collect();
        let body = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.command("actions", &body).await.unwrap();
    }

    pub async fn sign_in(&self, token: &str) {
        self.go("/sign-in").await;
        self.fill("#token", token).await;
        self.click("form[action='/sign-in'] button").await;
        self.find(".account").await;
    }

    /// Light or dark, as a system asks for it.
    pub async fn prefer(&self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        let body = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}});
        self.command("goog/cdp/execute", &body).await.unwrap();
    }

    /// The size of the page's view, as on a phone or a large screen.
    pub async fn resize(&self, width: u32, height: u32) {
        let params =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        let body = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": params});
        self.command("goog/cdp/execute", &body).await.unwrap();
    }

    /// No complaint in the console, no breach of the policy, no request to another host since
    /// the last look.
    pub async fn has_nothing_to_complain(&self) {
        let console = self
            .command("se/log", &json!({"type": "browser"}))
            .await
            .unwrap();
        let bad = console.as_array().unwrap().iter();
        let bad: Vec<_> = bad
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
            // That a form came back with 422 is said by the page.
            .filter(|entry| !entry["message"].as_str().unwrap().contains("status of 4"))
            .collect();
        assert!(bad.is_empty(), "{bad:#?}");
        let network = self
            .command("se/log", &json!({"type": "performance"}))
            .await
            .unwrap();
        for entry in network.as_array().unwrap() {
            let message: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            if message["message"]["method"] == "Network.requestWillBeSent" {
                let url = message["message"]["params"]["request"]["url"]
                    .as_str()
                    .unwrap();
                let is_own = url.starts_with(&self.base) || url.starts_with("data:");
                assert!(is_own || url.starts_with("chrome"), "a request to {url}");
            }
        }
    }

    /// What axe-core finds wrong with the page.
    pub async fn is_accessible(&self, what: &str) {
        static AXE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        let axe = AXE.get_or_init(|| {
            let file = super::judge::tools().join("axe/node_modules/axe-core/axe.min.js");
            std::fs::read_to_string(file).expect("axe-core is there: scripts/setup installs it")
        });
        self.run(axe).await;
        let script = "const done = arguments[arguments.length - 1]; \
            axe.run(document, {resultTypes: ['violations']}).then(found => done(found.violations.map( \
            it => it.id + ': ' + it.nodes.map(n => n.target.join(' ') + ' ' + (n.failureSummary || '').replaceAll('\\n', ' ')).join(' | '))));";
        let body = json!({"script": script, "args": []});
        let found = self.command("execute/async", &body).await.unwrap();
        assert_eq!(found, json!([]), "{what}: {found:#}");
    }

    /// Has the driver do something; what it says of it.
    async fn command(&self, command: &str, body: &Value) -> Result<Value, Value> {
        let url = format!("{}/{command}", self.session);
        let answer = self.client.post(url).json(body).send().await.unwrap();
        let is_done = answer.status().is_success();
        let mut answer: Value = answer.json().await.unwrap();
        let value = answer["value"].take();
        if is_done { Ok(value) } else { Err(value) }
    }
}

/// Something on the page.
pub struct Element<'b> {
    browser: &'b Browser,
    id: String,
}

impl Element<'_> {
    /// Runs a script in which this element is `it`.
    pub async fn run(&self, script: &str, argument: &str) -> Value {
        let script = format!("const it = arguments[0], argument = arguments[1]; {script}");
        let args = json!([{ELEMENT: self.id}, argument]);
        let body = json!({"script": script, "args": args});
        let done = self.browser.command("execute/sync", &body).await;
        done.unwrap_or_default()
    }

    async fn is_displayed(&self) -> bool {
        let seen = "return it.tagName === 'OPTION' || it.checkVisibility({visibilityProperty: true}) \
                    && it.getClientRects().length > 0;";
        self.run(seen, "").await == true
    }

    pub async fn click(&self) {
        let command = format!("element/{}/click", self.id);
        let clicked = self.browser.command(&command, &json!({})).await;
        clicked.unwrap_or_else(|error| panic!("can't be clicked: {error}"));
    }

    pub async fn fill(&self, text: &str) {
        // What the driver types into a date depends on the browser's language, and it has no keys
        // for emoji.
        self.run(
            "it.focus(); it.value = argument; \
             for (const kind of ['input', 'change']) it.dispatchEvent(new Event(kind, {bubbles: true}));",
            text,
        )
        .await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its browser goes with it.
        let _ = Command::new("pkill")
            .args(["-TERM", "-P", &self.chromedriver.id().to_string()])
            .status();
        let _ = self.chromedriver.kill();
        let _ = self.chromedriver.wait();
    }
}
