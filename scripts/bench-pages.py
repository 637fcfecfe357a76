"""The pages: a dashboard of 1,000 teams with 10,000 people, and the sample company in a browser.

Called by scripts/bench: bench-pages.py ONCALLD
"""

import http.client
import json
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ONCALLD = sys.argv[1]
PORT = 18463
TEAMS, MEMBERS = 1_000, 10
ROUNDS, SECONDS = 5, 4


def verdict(what, value, ok):
    print(f"{what}: {value} {'ok' if ok else 'MISSED'}", flush=True)


def start(folder, *options):
    command = [ONCALLD, "serve", "--data-dir", folder, "--listen", f"127.0.0.1:{PORT}", *options]
    process = subprocess.Popen(command, stderr=open(f"{folder}/bench.log", "w"))
    for _ in range(3_000):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5).read()
            return process
        except OSError:
            time.sleep(0.01)
    raise SystemExit("the daemon does not start")


class Caller:
    """One connection with the admin's token."""

    def __init__(self, folder):
        self.line = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        self.headers = {"Content-Type": "application/json"}
        token = pathlib.Path(folder, "admin.token").read_text().strip()
        self.token = {"Authorization": f"Bearer {token}"}

    def send(self, method, path, body):
        self.line.request(method, f"/api/v1{path}", json.dumps(body), self.headers | self.token)
        answer = self.line.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:200]}")

    def page(self, path, encoding="identity"):
        self.line.request("GET", path, headers={"Accept": "text/html", "Accept-Encoding": encoding})
        answer = self.line.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"GET {path}: {answer.status}")
        return body

    def median_ms(self, path, times=21):
        taken = []
        for _ in range(times):
            started = time.perf_counter()
            self.page(path)
            taken.append((time.perf_counter() - started) * 1000)
        return statistics.median(taken)


def company(caller):
    """Teams of ten people who have names, with a weighted rotation each."""
    for team in range(TEAMS):
        caller.send("POST", "/teams", {"name": f"Team {team}", "slug": f"team-{team}"})
        for member in range(MEMBERS):
            user = f"U{team:05}M{member:02}"
            caller.send("POST", f"/teams/team-{team}/members", {"slack_user_id": user})
            name = {"display_name": f"Person {team} {member}"}
            caller.send("PUT", f"/users/{user}/profile", name)
        rotation = {"rotation_enabled": True, "rotation_type": "weighted"}
        caller.send("PATCH", f"/teams/team-{team}/rotation-config", rotation)


def lookups_a_second():
    url = f"http://127.0.0.1:{PORT}/api/v1/oncall?team=team-7"
    out = subprocess.run(
        ["wrk", "-t2", "-c16", f"-d{SECONDS}s", url], check=True, capture_output=True, text=True
    ).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(out)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def listeners(count):
    """What browsers do that show a page: each listens for events."""
    lines = []
    for _ in range(count):
        line = socket.create_connection(("127.0.0.1", PORT))
        line.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        if b" 200 " not in line.recv(64):
            raise SystemExit("no event stream")
        lines.append(line)
    return lines


def with_listeners():
    lookups_a_second()
    ratios = []
    for _ in range(ROUNDS):
        alone = lookups_a_second()
        lines = listeners(50)
        ratios.append(lookups_a_second() / alone)
        for line in lines:
            line.close()
    ratio = statistics.median(ratios)
    verdict("lookups beside 50 listening browsers", f"{ratio:.2f} of those without (limit 0.95)", ratio >= 0.95)


def large(folder):
    process = start(folder)
    caller = Caller(folder)
    company(caller)
    took = caller.median_ms("/")
    verdict("dashboard, 100 of 1,000 teams", f"{took:.1f} ms (limit 15 ms)", took < 15)
    size = len(caller.page("/", "gzip, br")) / 1000
    verdict("dashboard, 100 of 1,000 teams, compressed", f"{size:.0f} KB (limit 100 KB)", size < 100)
    took = caller.median_ms("/teams/team-500")
    verdict("page of a team", f"{took:.1f} ms (limit 5 ms)", took < 5)
    with_listeners()
    process.terminate()
    process.wait()


def in_browser():
    """Milliseconds to DOMContentLoaded, median of new visits."""
    driver = subprocess.Popen(["chromedriver", "--port=18464"], stdout=subprocess.DEVNULL)
    time.sleep(1)

    def call(method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        asked = urllib.request.Request(f"http://127.0.0.1:18464{path}", data, method=method)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.load(answer)["value"]

    try:
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu"]}
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        taken = []
        for _ in range(5):
            session = "/session/" + call("POST", "/session", wanted)["sessionId"]
            call("POST", f"{session}/url", {"url": f"http://127.0.0.1:{PORT}/"})
            script = (
                "const it = performance.getEntriesByType('navigation')[0];"
                "return it.domContentLoadedEventEnd - it.startTime;"
            )
            taken.append(call("POST", f"{session}/execute/sync", {"script": script, "args": []}))
            call("DELETE", session)
        return statistics.median(taken)
    finally:
        driver.terminate()


def sample(folder):
    process = start(folder, "--demo")
    caller = Caller(folder)
    html = caller.page("/", "gzip, br")
    plain = caller.page("/").decode()
    assets = sorted(set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', plain)))
    size = (len(html) + sum(len(caller.page(path, "gzip, br")) for path in assets)) / 1000
    text = f"{size:.1f} KB in {1 + len(assets)} answers (limit 60 KB)"
    verdict("first visit of the sample company's dashboard", text, size < 60)
    took = in_browser()
    verdict("usable in Chromium (DOMContentLoaded)", f"{took:.0f} ms (limit 200 ms)", took < 200)
    process.terminate()
    process.wait()


with tempfile.TemporaryDirectory() as large_folder, tempfile.TemporaryDirectory() as demo_folder:
    sample(demo_folder)
    large(large_folder)
