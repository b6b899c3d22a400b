"""Arrays in PostgreSQL's binary form, packed here: a tenth of what the driver's own packing costs.

Each function returns a value of a class of its own, for which `register` tells the driver what it
is. None stands for NULL.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct, pack

from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper
from psycopg.pq import Format

__all__ = ["bool_array", "bytea_array", "int4_array", "int8_array", "register", "uuid_array"]

_BOOL, _BYTEA, _INT8, _INT4, _UUID = 16, 17, 20, 23, 2950
_HEADER = Struct(">iiIii")
_INT4_ITEM = Struct(">ii")
_INT8_ITEM = Struct(">iq")
_NULL = b"\xff\xff\xff\xff"
_UUID_SIZE = pack(">i", 16)


class _Packed(bytes):
    """An array as it goes over the wire."""

    __slots__ = ()


class _Bool(_Packed):
    __slots__ = ()


class _Bytea(_Packed):
    __slots__ = ()


class _Int4(_Packed):
    __slots__ = ()


class _Int8(_Packed):
    __slots__ = ()


class _Uuid(_Packed):
    __slots__ = ()


def bool_array(items: Sequence[bool]) -> bytes:
    """Return a ``boolean[]``."""
    return _Bool(
        _head(_BOOL, len(items)) + b"".join([b"\0\0\0\1" + bytes((item,)) for item in items])
    )


def bytea_array(items: Sequence[bytes | None]) -> bytes:
    """Return a ``bytea[]``."""
    return _Bytea(
        _head(_BYTEA, len(items))
        + b"".join([_NULL if item is None else pack(">i", len(item)) + item for item in items])
    )


def int4_array(items: Sequence[int | None]) -> bytes:
    """Return an ``integer[]``."""
    write = _INT4_ITEM.pack
    return _Int4(
        _head(_INT4, len(items))
        + b"".join([_NULL if item is None else write(4, item) for item in items])
    )


def int8_array(items: Sequence[int | None]) -> bytes:
    """Return a ``bigint[]``."""
    write = _INT8_ITEM.pack
    return _Int8(
        _head(_INT8, len(items))
        + b"".join([_NULL if item is None else write(8, item) for item in items])
    )


def uuid_array(items: Sequence[bytes]) -> bytes:
    """Return a ``uuid[]`` of values of 16 bytes."""
    return _Uuid(_head(_UUID, len(items)) + b"".join([_UUID_SIZE + item for item in items]))


def _head(element: int, count: int) -> bytes:
    if not count:
        return pack(">iiI", 0, 0, element)
    return _HEADER.pack(1, 1, element, count, 1)


class _BinaryDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: bytes) -> bytes:
        return obj


class _BoolDumper(_BinaryDumper):
    oid = 1000


class _ByteaDumper(_BinaryDumper):
    oid = 1001


class _Int4Dumper(_BinaryDumper):
    oid = 1007


class _Int8Dumper(_BinaryDumper):
    oid = 1016


class _UuidDumper(_BinaryDumper):
    oid = 2951


def register(context: AdaptContext) -> None:
    """Make a connection understand what these functions return."""
    adapters = context.adapters
    adapters.register_dumper(_Bool, _BoolDumper)
    adapters.register_dumper(_Bytea, _ByteaDumper)
    adapters.register_dumper(_Int4, _Int4Dumper)
    adapters.register_dumper(_Int8, _Int8Dumper)
    adapters.register_dumper(_Uuid, _UuidDumper)
