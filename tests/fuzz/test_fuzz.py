"""The fuzz target on its own corpus and a fixed number of inputs made from it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

CORPUS = Path(__file__).parent / "corpus"
ROOT = Path(__file__).parents[2]
INPUTS = 2_000


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="there is no atheris for this Python")
def test_a_fixed_number_of_inputs_finds_nothing(tmp_path: Path) -> None:
    """Coverage-guided mutation of our corpus finds no exception, no inexact undoing, no failed verification."""
    limits = [f"-runs={INPUTS}", "-seed=1", "-max_len=4096", "-rss_limit_mb=0", f"-artifact_prefix={tmp_path}/"]
    command = [sys.executable, "-m", "tests.fuzz.target", *limits, str(tmp_path), str(CORPUS)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=380, check=False)
    assert run.returncode == 0, run.stderr[-4000:]
    assert f"Done {INPUTS}" in run.stderr
