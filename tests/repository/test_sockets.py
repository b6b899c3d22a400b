"""Tests reach this machine and no other."""

from __future__ import annotations

import socket

import pytest
from pytest_socket import SocketConnectBlockedError


def test_another_machine_is_out_of_reach() -> None:
    """The address is reserved for documentation; the attempt ends before it leaves."""
    with socket.socket() as ours, pytest.raises(SocketConnectBlockedError):
        ours.connect(("192.0.2.1", 80))


def test_loopback_is_within_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
