#!/usr/bin/env python3
"""Runs every job of examples/jobs with a frogfish binary and compares what it left with the recorded values.

Usage: .ci/lib/jobs.py FROGFISH. Run at the root of the repository. Each job runs twice: the CID must not change.
"""

import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

JOBS = pathlib.Path("examples/jobs")
GOLDEN = pathlib.Path("fixtures/golden/examples.json")
JOB_S_MAX = 120


def run(frogfish: str, job: pathlib.Path, scratch: pathlib.Path, name: str) -> tuple[dict, pathlib.Path]:
    out = scratch / name
    command = [frogfish, "run", "--json", "--allow-path", ".", "--data-dir", str(scratch / "data"), "--out", str(out), str(job)]
    ended = subprocess.run(command, capture_output=True, timeout=JOB_S_MAX, check=False)
    try:
        return json.loads(ended.stdout), out
    except ValueError:
        complaint = ended.stderr.decode(errors="replace").strip()
        raise SystemExit(f"{job}: `{' '.join(command)}` ended with {ended.returncode} and no JSON: {complaint}")


def differences(golden: dict, answer: dict, out: pathlib.Path) -> list[str]:
    found = []
    if answer.get("exit_code") != golden["exit_code"]:
        found.append(f"exit code {answer.get('exit_code')}, recorded {golden['exit_code']}: {answer.get('error')}")
    files = {"stdout": golden["stdout"], "stderr": golden["stderr"], **golden["outputs"]}
    for path, wanted in files.items():
        file = out / path
        if not file.is_file():
            found.append(f"{path} is not there")
            continue
        content = file.read_bytes()
        if "text" in wanted and content != wanted["text"].encode():
            found.append(f"{path} is {content[:200]!r}, recorded {wanted['text'][:200]!r}")
        if "sha256" in wanted and hashlib.sha256(content).hexdigest() != wanted["sha256"]:
            found.append(f"{path}: {len(content)} bytes with another SHA-256, {wanted['bytes']} recorded")
    return found


def main() -> int:
    frogfish, golden, failed = sys.argv[1], json.loads(GOLDEN.read_text()), 0
    jobs = sorted(path for path in JOBS.iterdir() if path.suffix in (".yaml", ".json"))
    for job in jobs:
        if job.name not in golden:
            print(f"{job}: {GOLDEN} says nothing about it")
            failed += 1
            continue
        with tempfile.TemporaryDirectory() as folder:
            scratch = pathlib.Path(folder)
            answer, out = run(frogfish, job, scratch, "first")
            again, _ = run(frogfish, job, scratch, "second")
            found = differences(golden[job.name], answer, out)
            if answer.get("cid") is None or answer.get("cid") != again.get("cid"):
                found.append(f"CID {answer.get('cid')}, then {again.get('cid')}")
        for difference in found:
            print(f"{job}: {difference}")
        failed += bool(found)
        if not found:
            print(f"{job.name} {answer['cid']}")
    print(f"{len(jobs) - failed} of {len(jobs)} jobs as recorded")
    return 1 if failed or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
