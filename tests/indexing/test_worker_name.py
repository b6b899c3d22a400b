"""Whose process is gone for certain, and whose may live."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

from daybook.indexing.worker_name import has_died, new_worker_name


def test_only_a_process_of_this_host_that_ended_is_known_to_be_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        name = f"{platform.node()}:{child.pid}:x"
        assert not has_died(name)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert has_died(name)  # a zombie, until it is waited for
        child.wait()
        assert has_died(name)
        assert not has_died(f"not-{name}")
    assert not has_died(new_worker_name("x"))
    assert not has_died(f"{platform.node()}:1:x")
    assert not has_died("")
