"""Fuzzing that coverage steers; `make soak` runs it for long, else it is seen to run at all."""

import os
import subprocess
import sys
from pathlib import Path

from fix.test_message import with_trailer
from fix.test_validation import HEADER, ORDER, message

RUNS = 300_000 if os.environ.get("FONDACO_SOAK") == "1" else 300


def test_no_bytes_tell_the_kernels_apart(tmp_path: Path) -> None:
    seeds = [
        message(f"{HEADER} {ORDER}").raw,
        message(f"{HEADER} {ORDER} 453=2 448=A 452=1 802=1 523=x 448=B 354=3 355=abc").raw,
        with_trailer(b"35=B\x01347=UTF-8\x0195=5\x0196=a\x01=\x01b\x01"),
        b"35=D\x0195=3\x0196=a\x01b\x0193=1\x0189=\x01\x01",
    ]
    for number, seed in enumerate(seeds):
        (tmp_path / str(number)).write_bytes(seed)
    script = Path(__file__).with_name("fuzzing.py")
    found = subprocess.run(
        [sys.executable, script, f"-runs={RUNS}", "-max_len=400", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        timeout=3_600,
        check=False,
    )
    assert found.returncode == 0, found.stderr[-4_000:].decode(errors="replace")
    assert b"Done" in found.stderr
