"""Starts children in milliseconds: a process that has imported everything, and forks.

`Zygote` is the side that asks. A child waits for its starting shot, so that a tracer can be
attached before its first system call.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["PATIENCE_S", "Child", "Zygote"]

PATIENCE_S = 100.0  # no child is silent for so long unless it hangs

_ROOT = Path(__file__).resolve().parents[2]
_ANY_TRACER = (0x59616D61, ctypes.c_ulong(-1))  # prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY)


@dataclass
class Child:
    """A forked child that waits for `go`.

    Attributes:
        pid: Its process id.
    """

    pid: int
    _zygote: Zygote
    _answers: int
    _shot: int
    _rest: bytes = b""
    _status: int | None = None

    def go(self) -> None:
        """Let it run."""
        os.write(self._shot, b"g")

    def tell(self) -> None:
        """Send it one more byte, for those that wait for one."""
        os.write(self._shot, b"t")

    def read_line(self, patience_s: float = PATIENCE_S) -> str | None:
        """Return the next line it sends, waiting for it; None if it ended.

        Raises:
            TimeoutError: It says nothing and does not end.
        """
        while b"\n" not in self._rest:
            if not select.select([self._answers], [], [], patience_s)[0]:
                raise TimeoutError(f"child {self.pid} hangs")
            more = os.read(self._answers, 65536)
            if not more:
                return None
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def lines(self, patience_s: float = PATIENCE_S) -> list[str]:
        """Return every line it sends until it ends."""
        found = []
        while (line := self.read_line(patience_s)) is not None:
            found.append(line)
        return found

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it was waited for."""
        if self._status is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it by force and wait for it."""
        self.send_signal(signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Return its exit status once it ended; minus the signal that ended it."""
        if self._status is None:
            self._status = self._zygote.wait_for(self.pid)
            os.close(self._answers)
            os.close(self._shot)
        return self._status


class Zygote:
    """Use it with ``with``: what is left of its children ends with it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        self._running: set[int] = set()
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.crash.zygote", str(theirs.fileno())],
            cwd=_ROOT,
            env=environment,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()

    def spawn(self, kind: str, **spec: Any) -> Child:
        """Fork a child; it waits for `Child.go`."""
        answers, to_answers = os.pipe()
        shot, to_shot = os.pipe()
        request = json.dumps({"kind": kind, **spec}, default=str).encode()
        socket.send_fds(self._control, [request], [to_answers, shot])
        os.close(to_answers)
        os.close(shot)
        pid = self._reply()
        self._running.add(pid)
        return Child(pid, self, answers, to_shot)

    def load(self, module: str) -> None:
        """Import a module, so that children of now on find it loaded."""
        self._control.send(json.dumps({"load": module}).encode())
        self._reply()

    def wait_for(self, pid: int) -> int:
        """Return the exit status of a child."""
        self._control.send(json.dumps({"wait": pid}).encode())
        status = self._reply()
        self._running.discard(pid)
        return status

    def _reply(self) -> int:
        data = self._control.recv(4096)
        if not data:
            raise RuntimeError("the zygote ended")
        return int(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pid in list(self._running):
            os.kill(pid, signal.SIGKILL)
            self.wait_for(pid)
        self._control.close()
        self._process.wait()


def _serve(control: socket.socket) -> None:
    """Answer requests until the other side closes."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, 65536, 2)
        if not data:
            return
        request = json.loads(data)
        if "load" in request:
            importlib.import_module(request["load"])
            control.send(b"0")
            continue
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            control.send(str(os.waitstatus_to_exitcode(status)).encode())
            continue
        pid = os.fork()
        if pid == 0:
            control.close()
            _be_child(request, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(str(pid).encode())


def _be_child(request: dict[str, Any], answers: int, shot: int) -> None:
    """Wait for the shot, run the workload, end without any clean-up of the zygote's."""
    from tools.crash.children import CHILDREN  # noqa: PLC0415 - imported before the fork, below

    def send(line: str) -> None:
        os.write(answers, line.encode() + b"\n")

    status = 1
    try:
        if os.read(shot, 1):
            request["release_fd"] = shot
            asyncio.run(CHILDREN[request.pop("kind")](request, send))
            status = 0
    except BaseException:  # noqa: BLE001 - the parent reads the status
        if not request.get("quiet"):
            traceback.print_exc()
    finally:
        os._exit(status)


async def _warm_up(folder: Path) -> None:
    """Use a store once: what loads late is loaded before the first fork."""
    from tools.crash import children  # noqa: F401, PLC0415 - what the children find imported
    from tools.crash.store import FOLDER, observe  # noqa: PLC0415

    for name in ("warm.db", f"warm{FOLDER}"):
        await observe(folder / name, ["none"])


def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_warm_up(Path(folder)))
    with suppress(OSError):
        ctypes.CDLL(None).prctl(*_ANY_TRACER, 0, 0, 0)
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    _main()
