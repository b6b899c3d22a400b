"""The size check convicts what is too long and passes what is not."""

from __future__ import annotations

from tools.check_sizes import LIMITS, measure_source


def function_of(lines: int) -> str:
    return "def long_one():\n" + "    step()\n" * (lines - 1)


def test_a_function_at_the_limit_passes() -> None:
    measures = measure_source(function_of(LIMITS["function"]), "some.py")
    assert not any(measure.too_long for measure in measures)


def test_a_function_over_the_limit_is_named() -> None:
    measures = measure_source(function_of(LIMITS["function"] + 1), "some.py")
    assert [m.where for m in measures if m.too_long] == ["some.py:1 long_one"]


def test_a_long_method_and_its_class_are_both_named() -> None:
    methods = "".join(f"    async def m{n}(self):\n" + "        step()\n" * 59 for n in range(7))
    source = "class Big:\n" + methods + "    def late(self):\n" + "        step()\n" * 60
    convicted = {
        (m.kind, m.where.split()[-1]) for m in measure_source(source, "x.py") if m.too_long
    }
    assert convicted == {("class", "Big"), ("function", "late")}


def test_a_long_file_is_named() -> None:
    measures = measure_source("x = 1\n" * (LIMITS["file"] + 1), "long.py")
    assert [m.where for m in measures if m.too_long] == ["long.py"]
