"""Lookups against a bare axum, start-up time and memory, on the company of 10,000 teams.

Called by scripts/bench: bench-lookups.py BENCH_BINARY ONCALLD STORE_DIR
"""

import json
import os
import pathlib
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

BENCH, ONCALLD, STORE = sys.argv[1:4]
OURS, BARE, SLOW = 18460, 18461, 18462
ROUNDS, SECONDS = 5, 4


def request(port, path, token, method="GET", body=None):
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{port}{path}"
    asked = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return answer.read()


def wait_for(port, path):
    """Seconds until `path` answers 200."""
    started = time.perf_counter()
    while time.perf_counter() - started < 30:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as peer:
                peer.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                if b" 200 " in peer.recv(64):
                    return time.perf_counter() - started
        except OSError:
            time.sleep(0.001)
    raise SystemExit(f"nothing answers on port {port}")


def resident_mb(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


def requests_a_second(port, connections, script):
    out = subprocess.run(
        ["wrk", "-t2", f"-c{connections}", f"-d{SECONDS}s", "-s", script, f"http://127.0.0.1:{port}"],
        check=True, capture_output=True, text=True,
    ).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(out)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def wrk_script(folder, token):
    """The same requests for both sides: random services, with a token."""
    names = [f"service-{random.randrange(10_000)}" for _ in range(4_000)]
    paths = ",".join(f'"/api/v1/oncall?service={name}"' for name in names)
    script = folder / "lookups.lua"
    script.write_text(
        f"""local paths = {{{paths}}}
wrk.headers["Authorization"] = "Bearer {token}"
local requests, at = {{}}, 0
init = function() for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path) end end
request = function() at = at % #requests + 1; return requests[at] end
"""
    )
    return str(script)


def start(data_dir, **settings):
    command = [ONCALLD, "serve", "--data-dir", data_dir, "--listen", f"127.0.0.1:{OURS}"]
    environment = {**os.environ, **settings}
    started = time.perf_counter()
    process = subprocess.Popen(command, stderr=open(f"{data_dir}/bench.log", "w"), env=environment)
    wait_for(OURS, "/readyz")
    return process, time.perf_counter() - started


def verdict(what, value, ok):
    print(f"{what}: {value} {'ok' if ok else 'MISSED'}", flush=True)


def main():
    process, _ = start(STORE)
    process.terminate()
    process.wait()
    starts = []
    for _ in range(5):
        process, took = start(STORE)
        starts.append(took)
        process.terminate()
        process.wait()
    took = statistics.median(starts)
    verdict("ready after start", f"{took * 1000:.0f} ms (limit 300 ms)", took <= 0.3)

    process, _ = start(STORE)
    admin = pathlib.Path(STORE, "admin.token").read_text().strip()
    name = f"bench-{time.time_ns()}"
    made = request(OURS, "/api/v1/tokens", admin, "POST", {"name": name, "role": "viewer"})
    token = json.loads(made)["token"]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        script = wrk_script(folder, token)
        answer = folder / "answer.json"
        answer.write_bytes(request(OURS, "/api/v1/oncall?service=service-1234", token))
        bare = subprocess.Popen([BENCH, "bare", f"127.0.0.1:{BARE}", str(answer)])
        wait_for(BARE, "/api/v1/oncall")
        try:
            for connections in (16, 64):
                requests_a_second(OURS, connections, script)
                rates = [(requests_a_second(BARE, connections, script),
                          requests_a_second(OURS, connections, script)) for _ in range(ROUNDS)]
                ratio = statistics.median(ours / bare for bare, ours in rates)
                best = max(ours for _, ours in rates)
                text = f"{ratio:.2f} of a bare axum ({best:,.0f} a second; limit 0.90)"
                verdict(f"lookups, {connections} connections", text, ratio >= 0.9)
        finally:
            bare.kill()
    memory = resident_mb(process)
    verdict("resident memory", f"{memory:.0f} MB (limit 100 MB)", memory < 100)
    process.terminate()
    process.wait()
    with tempfile.TemporaryDirectory(dir=STORE) as folder:
        backup = shutil.copy(f"{STORE}/oncalld.redb", folder)
        while_delivering(token, backup)


def while_delivering(token, backup):
    """Lookups while 10,000 notifications go out, 50 a second as the config has it by default."""
    settings = {
        "ONCALLD__NOTIFICATIONS__SINKS": "webhook",
        "ONCALLD__WEBHOOK__0__NAME": "slow",
        "ONCALLD__WEBHOOK__0__URL": f"http://127.0.0.1:{SLOW}/",
        "ONCALLD__WEBHOOK__0__SECRETS": "whsec_" + "YmVuY2htYXJr" * 3,
    }
    slow = subprocess.Popen([BENCH, "slow", f"127.0.0.1:{SLOW}"])
    wait_for(SLOW, "/")
    try:
        with tempfile.TemporaryDirectory() as folder:
            script = wrk_script(pathlib.Path(folder), token)
            rates = {"idle": [], "busy": []}
            for _ in range(ROUNDS):
                for state in rates:
                    if state == "busy":
                        subprocess.run([BENCH, "queue", STORE], check=True)
                    process, _ = start(STORE, **settings)
                    time.sleep(2)  # reading 10,000 of them is the start's work
                    rates[state].append(requests_a_second(OURS, 16, script))
                    process.kill()
                    process.wait()
                    # What is left over would make the next idle round busy.
                    shutil.copy(backup, f"{STORE}/oncalld.redb")
            ratio = statistics.median(busy / idle for idle, busy in zip(*rates.values()))
            verdict("lookups while delivering", f"{ratio:.2f} of those without (limit 0.95)", ratio >= 0.95)
    finally:
        slow.kill()


main()
