"""The fault proxy does what it says, shown with a server that answers each line in capitals."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.servers.fault_proxy import NO_FAULTS, Cut, FaultProxy, Faults, fault_proxy
from tests.servers.launch import HOST

LIMIT_S = 60.0


class _Answers(socketserver.StreamRequestHandler):
    """Writes down each line and sends it back in capitals."""

    def handle(self) -> None:
        assert isinstance(self.server, _Echo)
        try:
            for line in self.rfile:
                self.server.heard.append(line)
                self.wfile.write(line.upper())
        except OSError:
            return


class _Echo(socketserver.ThreadingTCPServer):
    """The server behind the proxy; `heard` is what got through to it."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Answers)
        self.heard: list[bytes] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


@pytest.fixture
def echo() -> Iterator[_Echo]:
    with _Echo() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(echo: _Echo) -> Iterator[FaultProxy]:
    with fault_proxy(echo.port) as made:
        yield made


@contextmanager
def connected(proxy: FaultProxy, timeout_s: float = LIMIT_S) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, proxy.port), timeout=timeout_s) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield client


def receive(client: socket.socket, size: int) -> bytes:
    """Return exactly so many bytes, fewer only where the connection ends."""
    got = b""
    while len(got) < size and (more := client.recv(size - len(got))):
        got += more
    return got


def exchange(client: socket.socket, line: bytes) -> bytes:
    client.sendall(line)
    return receive(client, len(line))


def wait_for(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def test_without_faults_everything_passes(proxy: FaultProxy) -> None:
    line = b"x" * 300_000 + b"\n"
    with connected(proxy) as client, connected(proxy) as other:
        sender = threading.Thread(target=client.sendall, args=(line,))
        sender.start()
        assert receive(client, len(line)) == line.upper()
        sender.join()
        assert exchange(other, b"b\n") == b"B\n"
    assert proxy.connections == 2
    assert proxy.cuts == 0


def test_a_url_leads_to_the_proxy(proxy: FaultProxy, echo: _Echo) -> None:
    assert proxy.url(f"redis://{HOST}:{echo.port}/3") == f"redis://{HOST}:{proxy.port}/3"
    with pytest.raises(ValueError, match="does not lead"):
        proxy.url(f"redis://{HOST}:1/3")


def test_a_closed_client_is_closed_to_the_server_and_back(proxy: FaultProxy) -> None:
    with connected(proxy) as client:
        client.sendall(b"last\n")
        client.shutdown(socket.SHUT_WR)
        assert receive(client, 100) == b"LAST\n"


@pytest.mark.parametrize("faults", [Faults(latency_s=0.15), Faults(latency_s=0.15, jitter_s=0.1)])
def test_latency_holds_each_direction_and_keeps_order(proxy: FaultProxy, faults: Faults) -> None:
    with connected(proxy) as client, proxy.faulty(faults):
        began = time.monotonic()
        for number in range(20):
            client.sendall(b"%02d\n" % number)
        assert receive(client, 60) == b"".join(b"%02d\n" % number for number in range(20))
        assert time.monotonic() - began >= 0.3


def pieces_of_reply(client: socket.socket, line: bytes) -> list[bytes]:
    """Send a line and return its reply as it came, receive by receive."""
    client.sendall(line)
    pieces: list[bytes] = []
    while sum(map(len, pieces)) < len(line):
        pieces.append(client.recv(100))
    return pieces


def test_bytes_come_one_by_one(proxy: FaultProxy) -> None:
    """On a busy machine two may have come before we look, so any of many tries will do."""
    with connected(proxy) as client:
        whole = [pieces_of_reply(client, b"ij\n") for _ in range(20)]
        assert [b"IJ\n"] in whole
        assert [b"I", b"J", b"\n"] not in whole
        with proxy.faulty(Faults(slice_bytes=1, bytes_per_second=100)):
            tries = (pieces_of_reply(client, b"ij\n") for _ in range(50))
            assert [b"I", b"J", b"\n"] in tries


def test_a_capped_line_takes_its_time(proxy: FaultProxy) -> None:
    line = b"y" * 999 + b"\n"
    with connected(proxy) as client, proxy.faulty(Faults(bytes_per_second=5_000)):
        began = time.monotonic()
        assert exchange(client, line) == line.upper()
        assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(("after", "got"), [(0, b""), (3, b"MAR")])
def test_a_reply_is_dropped_or_cut_after_the_server_acted(
    proxy: FaultProxy, echo: _Echo, after: int, got: bytes
) -> None:
    with connected(proxy) as client:
        proxy.faults = Faults(cut=Cut(request_contains=b"mark", after_bytes=after, reset=False))
        assert exchange(client, b"other\n") == b"OTHER\n"
        client.sendall(b"mark\n")
        assert receive(client, 5) == got
        assert client.recv(1) == b""
    assert echo.heard == [b"other\n", b"mark\n"]
    assert proxy.cuts == 1


def test_a_mark_is_seen_over_two_pieces(proxy: FaultProxy, echo: _Echo) -> None:
    proxy.faults = Faults(slice_bytes=1, cut=Cut(request_contains=b"mark", reset=False))
    with connected(proxy) as client:
        client.sendall(b"a ma")
        client.sendall(b"rk\n")
        assert client.recv(1) == b""
    assert proxy.cuts == 1


def test_a_reset_is_an_error_to_the_client(proxy: FaultProxy, echo: _Echo) -> None:
    with connected(proxy) as client:
        proxy.faults = Faults(cut=Cut())
        client.sendall(b"a\n")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert echo.heard == [b"a\n"]


def test_cuts_end_after_so_many(proxy: FaultProxy) -> None:
    proxy.faults = Faults(cut=Cut(times=1, reset=False))
    with connected(proxy) as client:
        assert exchange(client, b"a\n") == b""
    with connected(proxy) as client:
        assert exchange(client, b"a\n") == b"A\n"
    assert proxy.cuts == 1


def test_a_half_open_line_swallows_what_it_gets(proxy: FaultProxy, echo: _Echo) -> None:
    with connected(proxy, 0.2) as client, proxy.faulty(Faults(silent=True)):
        client.sendall(b"a\n")
        with pytest.raises(TimeoutError):
            client.recv(1)
        with connected(proxy, 0.2) as late:
            late.sendall(b"b\n")
            with pytest.raises(TimeoutError):
                late.recv(1)
        assert echo.heard == []
        wait_for(lambda: proxy.connections == 2, "the proxy takes the connections")


def test_new_connections_are_refused_and_old_ones_stay(proxy: FaultProxy) -> None:
    with connected(proxy) as old:
        assert exchange(old, b"a\n") == b"A\n"
        proxy.faults = Faults(refuse=True)
        with pytest.raises(ConnectionResetError), connected(proxy) as late:
            late.recv(1)
        assert exchange(old, b"b\n") == b"B\n"
        proxy.faults = NO_FAULTS
        with connected(proxy) as late:
            assert exchange(late, b"c\n") == b"C\n"


def test_a_partition_holds_bytes_back_answers_no_syn_and_heals(
    proxy: FaultProxy, echo: _Echo
) -> None:
    with connected(proxy) as client:
        assert exchange(client, b"a\n") == b"A\n"
        with proxy.partition():
            client.sendall(b"b\n")
            client.settimeout(0.2)
            with pytest.raises(TimeoutError):
                client.recv(1)
            with pytest.raises(TimeoutError):
                socket.create_connection((HOST, proxy.port), timeout=0.2)
            assert echo.heard == [b"a\n"]
        client.settimeout(LIMIT_S)
        assert receive(client, 2) == b"B\n"
    with connected(proxy) as client:
        assert exchange(client, b"c\n") == b"C\n"
    assert proxy.connections == 2


def test_a_partition_heals_by_itself(proxy: FaultProxy) -> None:
    with connected(proxy) as client:
        proxy.partition_for(0.1)
        assert exchange(client, b"a\n") == b"A\n"


def test_every_open_connection_can_be_reset(proxy: FaultProxy) -> None:
    with connected(proxy) as client, connected(proxy) as other:
        for each in (client, other):
            assert exchange(each, b"a\n") == b"A\n"
        assert proxy.reset_all() == 2
        for each in (client, other):
            with pytest.raises(ConnectionResetError):
                each.recv(1)
    assert proxy.reset_all() == 0


def test_a_server_that_is_away_resets_its_clients() -> None:
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        with (
            fault_proxy(unused.getsockname()[1]) as proxy,
            pytest.raises(ConnectionResetError),
            connected(proxy) as client,
        ):
            client.recv(1)


def test_a_client_that_waits_for_its_server_is_parted_from_when_the_proxy_closes(
    echo: _Echo,
) -> None:
    """What is left open would be collected, with a warning, in somebody else's test."""
    with fault_proxy(echo.port) as away, away.partition():
        with fault_proxy(away.port) as proxy:
            client = socket.create_connection((HOST, proxy.port), timeout=LIMIT_S)
            wait_for(lambda: proxy.connections == 1, "the proxy takes the connection")
        with client, pytest.raises(ConnectionResetError):
            client.recv(1)


def test_a_closed_proxy_leaves_no_thread_and_no_listener(echo: _Echo) -> None:
    with fault_proxy(echo.port) as proxy, connected(proxy) as client:
        assert exchange(client, b"a\n") == b"A\n"
        proxy.faults = Faults(latency_s=30)
        client.sendall(b"b\n")
    assert not [each for each in threading.enumerate() if each.name == "fault-proxy"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, proxy.port), timeout=2)
