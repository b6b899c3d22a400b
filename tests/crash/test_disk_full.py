"""A disk that is full, really: typed refusals, reads go on, appends work once there is room."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tools.crash.disk_full import can_mount, fill_up, small_disk

# Where this user may not mount, the injected ENOSPC of test_call_faults.py stands alone.
with tempfile.TemporaryDirectory() as _folder:
    SIZES = [100, 3_000, 30_000] if can_mount(Path(_folder)) else []

if SIZES:

    @pytest.mark.parametrize("size", SIZES)
    async def test_a_full_disk_refuses_and_recovers(size: int, tmp_path: Path) -> None:
        (tmp_path / "disk").mkdir()
        with small_disk(tmp_path / "disk", kilobytes=2048) as disk:
            tally = await fill_up(disk, size=size)
        assert tally.sound, tally.examples
        assert tally.faults == 3

    async def test_taking_refusals_for_receipts_is_convicted(tmp_path: Path) -> None:
        """The control: a caller that ignores the error."""
        (tmp_path / "disk").mkdir()
        with small_disk(tmp_path / "disk", kilobytes=2048) as disk:
            tally = await fill_up(disk, size=3_000, careless=True)
        assert tally.anomalies["lost"]
