"""Recall curves to a picture file: SVG by ourselves, PNG by matplotlib where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from daybook.errors import InvalidInputError, MissingDependencyError
from daybook.evaluation.curves import Curve
from daybook.evaluation.svg_plot import COLOURS, draw_svg

__all__ = ["check_plot", "write_plot"]

_INCHES = (5.0, 4.2)


def check_plot(path: Path) -> None:
    """Find out before a long run whether its picture can be drawn.

    Raises:
        InvalidInputError: The name ends neither in .svg nor in .png.
        MissingDependencyError: It is to be a PNG, and matplotlib is not installed.
    """
    if path.suffix not in (".svg", ".png"):
        raise InvalidInputError(f"{path}: a plot's name must end in .svg or .png")
    if path.suffix == ".png":
        _figure_class()


def write_plot(path: Path, curves: Sequence[Curve]) -> None:
    """Write a picture; what its name ends in tells the kind.

    Raises:
        InvalidInputError: There is no curve, or the file cannot be written.
        MissingDependencyError: It is to be a PNG, and matplotlib is not installed.
    """
    check_plot(path)
    if not curves:
        raise InvalidInputError(f"{path}: there is nothing to plot: no run ranks messages")
    try:
        if path.suffix == ".svg":
            path.write_text(draw_svg(curves), encoding="utf-8")
        else:
            _draw_png(path, curves)
    except OSError as exc:
        raise InvalidInputError(f"{path}: cannot be written: {exc.strerror}") from None


def _figure_class() -> Any:
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra, and slow to load
    except ImportError:
        raise MissingDependencyError("a plot as PNG", "pip install 'daybook[plot]'") from None
    return Figure


def _draw_png(path: Path, curves: Sequence[Curve]) -> None:
    datasets = list(dict.fromkeys(one.dataset for one in curves))
    names = list(dict.fromkeys(one.name for one in curves))
    wide, high = _INCHES
    figure = _figure_class()(figsize=(wide * len(datasets), high), layout="constrained")
    panels = figure.subplots(1, len(datasets), squeeze=False)[0]
    for panel, dataset in zip(panels, datasets, strict=True):
        for one in curves:
            if one.dataset == dataset:
                colour = COLOURS[names.index(one.name) % len(COLOURS)]
                cuts = range(1, len(one.values) + 1)
                panel.plot(
                    cuts, [100 * value for value in one.values], color=colour, label=one.name
                )
                low, high_end = ([100 * end for end in ends] for ends in (one.lows, one.highs))
                panel.fill_between(cuts, low, high_end, color=colour, alpha=0.15, linewidth=0)
        panel.set(title=dataset, xlabel="messages returned (k)", ylabel="recall, %", ylim=(0, 100))
        panel.grid(alpha=0.3)
        panel.legend(loc="lower right")
    figure.savefig(path, format="png", dpi=150)
