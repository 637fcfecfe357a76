//! A real browser: Debian's Chromium, by its driver. Each test has one of its own.
//!
//! The driver is spoken to directly (<https://www.w3.org/TR/webdriver2/>): its libraries switch on
//! features of `serde_json`, which cargo would then build into the daemon under test.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Daemon;

/// Longer than any page takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the protocol calls the id of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The tabulator, in the driver's code.
pub const TAB: &str = "\u{E004}";

/// A browser, and the daemon whose pages it shows.
pub struct Browser {
    /// Where the pages are: `http://127.0.0.1:…`.
    pub base: String,
    client: reqwest::Client,
    /// Where the driver takes commands of this session.
    session: String,
    chromedriver: Child,
    /// Kept open: a driver that can't write ends.
    _output: BufReader<ChildStdout>,
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
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is there: scripts/setup installs it");
        let mut output = BufReader::new(chromedriver.stdout.take().unwrap());
        let port = output
            .by_ref()
            .lines()
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
            "--lang=en-US",
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
        oncalld::tls::use_ring();
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
            _output: output,
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
        self.click_first("css selector", css).await;
    }

    /// Clicks the link or button that reads so; of an open dialog, if there is one.
    pub async fn press(&self, text: &str) {
        let what =
            format!("*[self::a or self::button or self::summary][normalize-space()='{text}']");
        let path = format!("//dialog[@open]//{what} | //{what}[not(//dialog[@open])]");
        self.click_first("xpath", &path).await;
    }

    /// Clicks the first element of a selector. A page that follows the event stream may put another in
    /// its place between the look and the click: then that one is meant.
    async fn click_first(&self, using: &str, value: &str) {
        loop {
            match self.first(using, value).await.try_click().await {
                Err(error) if error.contains("stale element") => {}
                clicked => {
                    return clicked.unwrap_or_else(|error| panic!("can't be clicked: {error}"));
                }
            }
        }
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
            let (path, text) = (self.path().await, self.text().await);
            assert!(since.elapsed() < PATIENCE, "no `{value}` on {path}: {text}");
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
        loop {
            let (path, shown) = (self.path().await, self.text().await);
            if shown.contains(text) {
                return;
            }
            let is_late = since.elapsed() > PATIENCE;
            assert!(!is_late, "`{text}` isn't on {path}: {shown}");
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

    /// What reaches out of the page to the right, unless it lies in what scrolls by itself or cuts it off.
    pub async fn too_wide(&self) -> Option<String> {
        let script = "const wide = document.documentElement.clientWidth; \
            const isCut = it => it && it !== document.body \
              && (getComputedStyle(it).overflowX !== 'visible' || isCut(it.parentElement)); \
            return [...document.querySelectorAll('body *')].filter(it => { \
              const box = it.getBoundingClientRect(); \
              return box.width && box.right > wide + 1 && !isCut(it.parentElement) \
                && !it.closest('.visually-hidden, thead, dialog, .skip'); \
            }).slice(0, 3).map(it => it.outerHTML.slice(0, 120));";
        let found = self.run(script).await;
        (found != json!([])).then(|| found.to_string())
    }

    /// Complaints in the console, breaches of the policy, and requests to other hosts since the
    /// last look.
    pub async fn complaints(&self) -> Vec<String> {
        let console = self.logged("browser").await.into_iter();
        let mut found: Vec<_> = console
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
            .map(|entry| entry["message"].as_str().unwrap().to_owned())
            // That a form came back with 422 is said by the page.
            .filter(|message| !message.contains("status of 4"))
            .collect();
        for entry in self.logged("performance").await {
            let message: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            if message["message"]["method"] == "Network.requestWillBeSent" {
                let url = &message["message"]["params"]["request"]["url"];
                let url = url.as_str().unwrap();
                let own = [self.base.as_str(), "data:", "chrome"];
                if !own.iter().any(|own| url.starts_with(own)) {
                    found.push(format!("a request to {url}"));
                }
            }
        }
        found
    }

    async fn logged(&self, kind: &str) -> Vec<Value> {
        let log = self
            .command("se/log", &json!({"type": kind}))
            .await
            .unwrap();
        log.as_array().unwrap().clone()
    }

    /// What axe-core finds wrong with the page.
    pub async fn barriers(&self) -> Vec<String> {
        static AXE: OnceLock<String> = OnceLock::new();
        let axe = AXE.get_or_init(|| {
            let file = super::judge::tools().join("axe/node_modules/axe-core/axe.min.js");
            std::fs::read_to_string(file).expect("axe-core is there: scripts/setup installs it")
        });
        self.run(axe).await;
        let script = "const done = arguments[arguments.length - 1]; \
            const said = node => node.target.join(' ') + ' ' + (node.failureSummary ?? ''); \
            axe.run(document, {resultTypes: ['violations']}).then(found => done( \
              found.violations.map(it => it.id + ': ' + it.nodes.map(said).join(' | '))));";
        let body = json!({"script": script, "args": []});
        let found = self.command("execute/async", &body).await.unwrap();
        let text = |it: &Value| it.as_str().unwrap().replace('\n', " ");
        found.as_array().unwrap().iter().map(text).collect()
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

    async fn try_click(&self) -> Result<(), String> {
        let command = format!("element/{}/click", self.id);
        let clicked = self.browser.command(&command, &json!({})).await;
        clicked.map(drop).map_err(|error| error.to_string())
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
