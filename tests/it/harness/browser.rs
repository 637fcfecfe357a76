//! A real browser: Debian's Chromium, by its driver. Each test has one of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::prelude::*;

use super::Daemon;

/// Longer than any page takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser, and the daemon whose pages it shows.
pub struct Browser {
    pub driver: WebDriver,
    /// Where the pages are: `http://127.0.0.1:…`.
    pub base: String,
    port: String,
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
        let mut wanted = DesiredCapabilities::chrome();
        for arg in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-search-engine-choice-screen",
            "--lang=en-GB",
            &format!("--user-data-dir={}", profile.path().display()),
        ] {
            wanted.add_arg(arg).unwrap();
        }
        if !javascript {
            let off = json!({"profile.managed_default_content_settings.javascript": 2});
            wanted.add_experimental_option("prefs", off).unwrap();
        }
        let logs = json!({"browser": "ALL", "performance": "ALL"});
        wanted.set("goog:loggingPrefs", logs).unwrap();
        let server = format!("http://127.0.0.1:{port}");
        let driver = WebDriver::new(&server, wanted).await.unwrap();
        driver.set_implicit_wait_timeout(Duration::ZERO).await.unwrap();
        Self {
            driver,
            base: format!("http://{}", daemon.api.address),
            port,
            chromedriver,
            _profile: profile,
        }
    }

    pub async fn go(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.base)).await.unwrap();
    }

    /// Path and query of the page that is shown.
    pub async fn path(&self) -> String {
        let url = self.driver.current_url().await.unwrap();
        let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
        format!("{}{query}", url.path())
    }

    /// The first element of a selector, once it is there and can be seen.
    #[track_caller]
    pub async fn find(&self, css: &str) -> WebElement {
        let since = Instant::now();
        loop {
            for element in self.driver.find_all(By::Css(css)).await.unwrap_or_default() {
                if element.is_displayed().await.unwrap_or(false) {
                    return element;
                }
            }
            if since.elapsed() > PATIENCE {
                panic!("no `{css}` on {}: {}", self.path().await, self.text().await);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn click(&self, css: &str) {
        let element = self.find(css).await;
        element.scroll_into_view().await.unwrap();
        element.click().await.unwrap();
    }

    /// Clicks the link or button that reads so.
    pub async fn press(&self, text: &str) {
        let since = Instant::now();
        loop {
            let path = format!(
                "//dialog[@open]//*[self::a or self::button or self::summary][normalize-space()='{text}'] | \
                 //*[self::a or self::button or self::summary][normalize-space()='{text}'][not(//dialog[@open])]"
            );
            for element in self.driver.find_all(By::XPath(path)).await.unwrap_or_default() {
                if element.is_displayed().await.unwrap_or(false) {
                    element.scroll_into_view().await.unwrap();
                    if element.click().await.is_ok() {
                        return;
                    }
                }
            }
            if since.elapsed() > PATIENCE {
                panic!("nothing reads `{text}` on {}: {}", self.path().await, self.text().await);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Types into a field, in place of what stands there.
    pub async fn fill(&self, css: &str, text: &str) {
        let element = self.find(css).await;
        let kind = element.attr("type").await.unwrap().unwrap_or_default();
        if ["date", "time", "month"].contains(&kind.as_str()) {
            // How such a field is typed depends on the browser's language.
            let script = "arguments[0].value = arguments[1]; \
                          arguments[0].dispatchEvent(new Event('input', {bubbles: true})); \
                          arguments[0].dispatchEvent(new Event('change', {bubbles: true}));";
            let element = element.to_json().unwrap();
            self.driver.execute(script, vec![element, text.into()]).await.unwrap();
            return;
        }
        element.clear().await.unwrap();
        element.send_keys(text).await.unwrap();
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
                panic!("`{text}` isn't on {}: {}", self.path().await, self.text().await);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What can be read on the page.
    pub async fn text(&self) -> String {
        match self.driver.find(By::Tag("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    pub async fn run(&self, script: &str) -> Value {
        self.driver.execute(script, vec![]).await.unwrap().json().clone()
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
        self.call("goog/cdp/execute", &body).await;
    }

    /// The size of the page's view, as on a phone or a large screen.
    pub async fn resize(&self, width: u32, height: u32) {
        let params = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        let body = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": params});
        self.call("goog/cdp/execute", &body).await;
    }

    /// No complaint in the console, no breach of the policy, no request to another host since
    /// the last look.
    #[track_caller]
    pub async fn has_nothing_to_complain(&self) {
        let console = self.call("se/log", &json!({"type": "browser"})).await;
        let bad = console["value"].as_array().unwrap().iter();
        let bad: Vec<_> = bad
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
            // That a form came back with 422 is said by the page.
            .filter(|entry| !entry["message"].as_str().unwrap().contains("status of 4"))
            .collect();
        assert!(bad.is_empty(), "{bad:#?}");
        let network = self.call("se/log", &json!({"type": "performance"})).await;
        for entry in network["value"].as_array().unwrap() {
            let message: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            if message["message"]["method"] == "Network.requestWillBeSent" {
                let url = message["message"]["params"]["request"]["url"].as_str().unwrap();
                let is_own = url.starts_with(&self.base) || url.starts_with("data:");
                assert!(is_own || url.starts_with("chrome"), "a request to {url}");
            }
        }
    }

    /// What axe-core finds wrong with the page.
    #[track_caller]
    pub async fn is_accessible(&self, what: &str) {
        static AXE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        let axe = AXE.get_or_init(|| {
            let file = super::judge::tools().join("axe/node_modules/axe-core/axe.min.js");
            std::fs::read_to_string(file).expect("axe-core is there: scripts/setup installs it")
        });
        self.driver.execute(axe.as_str(), vec![]).await.unwrap();
        let script = "const done = arguments[arguments.length - 1]; \
            axe.run(document, {resultTypes: ['violations']}).then(found => done(found.violations.map( \
            it => it.id + ': ' + it.nodes.map(n => n.target.join(' ') + ' ' + (n.failureSummary || '').replaceAll('\\n', ' ')).join(' | '))));";
        let found = self.driver.execute_async(script, vec![]).await.unwrap();
        let found = found.json().as_array().cloned().unwrap_or_default();
        assert!(found.is_empty(), "{what}: {found:#?}");
    }

    /// Asks the driver something that `thirtyfour` has no words for.
    async fn call(&self, command: &str, body: &Value) -> Value {
        let session = self.driver.session_id().to_string();
        let url = format!("http://127.0.0.1:{}/session/{session}/{command}", self.port);
        let client = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        let answer = client.post(url).json(body).send().await.unwrap();
        answer.json().await.unwrap()
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
