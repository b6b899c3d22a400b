"""System calls that fail: a typed error, nothing of the call stored, the rest goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.crash.call_faults import FAULTS, Fault, fail_everywhere
from tools.crash.zygote import Zygote

STRIDES = {"pwrite64": 16, "pread64": 9, "flock": 5}


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_failed_call_is_answered(
    fault: Fault, lasting: bool, tmp_path: Path, tracer: Zygote
) -> None:
    stride = STRIDES.get(fault.target.call, 3)
    tally = fail_everywhere(tracer, "group", tmp_path, fault, lasting=lasting, stride=stride)
    assert tally.sound, tally.examples
    assert tally.faults


def test_taking_refused_batches_for_stored_is_convicted(tmp_path: Path, tracer: Zygote) -> None:
    """The control: a writer that acknowledges whatever happened."""
    tally = fail_everywhere(
        tracer, "append-short", tmp_path, FAULTS[0], lasting=True, stride=14, careless=True
    )
    assert tally.anomalies["lost"]
