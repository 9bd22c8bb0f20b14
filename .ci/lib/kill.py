#!/usr/bin/env python3
"""Kills `frogfish wasm run` with SIGKILL at moments spread over its life, and looks at what is left each time.

Usage: .ci/lib/kill.py FROGFISH ROUNDS. Run at the root of the repository. Prints a report in Markdown.
After each kill a whole job must succeed in the same data folder with the same CID, within a bounded time, and the
data folder must not collect instances. At the end no process of ours is left and every execution has ended.
"""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

MODULE = "fixtures/guests/wordcount.wasm"
JOB = ["-i", "examples/text:/in", "-o", "out:/out", MODULE, "--", "/in", "/out"]
WHOLE_JOB_S_MAX = 60
INSTANCES_MAX = 2
ENDED = {"completed", "failed", "cancelled"}


def whole_job(frogfish: str, data: pathlib.Path) -> tuple[str, float]:
    started = time.monotonic()
    command = [frogfish, "wasm", "run", "--cid", "--data-dir", str(data), *JOB]
    ended = subprocess.run(command, capture_output=True, timeout=WHOLE_JOB_S_MAX, text=True, check=False)
    if ended.returncode != 0:
        raise SystemExit(f"**failed**: a whole job ended with {ended.returncode}: {ended.stderr.strip()}")
    return ended.stdout.strip(), time.monotonic() - started


def killed_job(frogfish: str, data: pathlib.Path, after_s: float) -> bool:
    """Whether the job was still running when it was killed."""
    command = [frogfish, "wasm", "run", "--cid", "--data-dir", str(data), *JOB]
    job = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after_s)
    job.kill()
    return job.wait() == -signal.SIGKILL


def left_running(data: pathlib.Path) -> list[str]:
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes()
        except OSError:
            continue
        if str(data).encode() in line:
            found.append(line.replace(b"\0", b" ").decode(errors="replace"))
    return found


def unended(frogfish: str, data: pathlib.Path) -> str:
    command = [frogfish, "ps", "--all", "--json", "--data-dir", str(data)]
    asked = subprocess.run(command, capture_output=True, timeout=WHOLE_JOB_S_MAX, text=True, check=False)
    if asked.returncode != 0:
        return f"skipped: `frogfish ps` ended with {asked.returncode}: {asked.stderr.strip()}"
    executions = json.loads(asked.stdout)
    open_ones = [e for e in executions if str(e.get("state", "")).lower() not in ENDED]
    if open_ones:
        raise SystemExit(f"**failed**: {len(open_ones)} executions have not ended: {open_ones[:3]}")
    return f"all {len(executions)} executions have ended"


def main() -> int:
    frogfish, rounds = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder)
        whole_job(frogfish, data)
        cid, life_s = whole_job(frogfish, data)
        killed, slowest_s, instances_most = 0, 0.0, 0
        for i in range(rounds):
            killed += killed_job(frogfish, data, 1.1 * life_s * i / rounds)
            again, took_s = whole_job(frogfish, data)
            if again != cid:
                raise SystemExit(f"**failed**: round {i}: CID {again}, before {cid}")
            slowest_s = max(slowest_s, took_s)
            instances = len([path for path in data.iterdir() if path.name.startswith("run-")])
            instances_most = max(instances_most, instances)
            if instances > INSTANCES_MAX:
                raise SystemExit(f"**failed**: round {i}: {instances} instances, {INSTANCES_MAX} at most")
        left = left_running(data)
        if left:
            raise SystemExit(f"**failed**: still running: {left}")
        print(f"- {rounds} rounds over {life_s * 1.1 * 1000:.0f} ms of a job's life, {killed} killed before their end")
        print(f"- each whole job after a kill gave {cid}; the slowest took {slowest_s * 1000:.0f} ms")
        print(f"- instances in the data folder: {instances_most} at most; no process was left")
        print(f"- `ps`: {unended(frogfish, data)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
