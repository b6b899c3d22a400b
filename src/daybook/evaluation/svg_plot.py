"""Recall curves as an SVG drawing: plain text, no library. Pure.

One panel for each data set, one line for each run, its 95 % interval as a band.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from daybook.evaluation.curves import Curve

__all__ = ["COLOURS", "draw_svg"]

# Told apart by people who do not see red and green: Okabe & Ito, Color Universal Design, 2008.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_WIDE, _HIGH = 400, 340
_LEFT, _TOP, _RIGHT, _BOTTOM = 48, 34, 14, 46
_LINE = 17


def draw_svg(curves: Sequence[Curve]) -> str:
    """Return the drawing.

    Args:
        curves: At least one.
    """
    datasets = list(dict.fromkeys(one.dataset for one in curves))
    names = list(dict.fromkeys(one.name for one in curves))
    colours = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(names)}
    width, height = _WIDE * len(datasets), _HIGH + _LINE * len(names) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"',
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for at, dataset in enumerate(datasets):
        some = [one for one in curves if one.dataset == dataset]
        parts.append(f'<g transform="translate({at * _WIDE} 0)">')
        parts += _panel(dataset, some, colours)
        parts.append("</g>")
    parts += _legend(colours)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _panel(dataset: str, curves: Sequence[Curve], colours: dict[str, str]) -> Iterator[str]:
    depth = max(len(one.values) for one in curves)
    yield _text(_WIDE / 2, 20, f"{dataset}: recall by depth", "middle")
    for percent in range(0, 101, 20):
        y = _y(percent / 100)
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDE - _RIGHT}" stroke="#dddddd"/>'
        yield _text(_LEFT - 6, y + 4, f"{percent} %", "end")
    for cut in sorted({1, *(one for one in (5, 10, 20, 30, 40, 50) if one <= depth)}):
        x = _x(cut, depth)
        yield f'<path d="M{x:.1f} {_y(0):.1f}v4" stroke="#666666"/>'
        yield _text(x, _y(0) + 17, str(cut), "middle")
    yield _text(_WIDE / 2, _HIGH - 10, "messages returned (k)", "middle")
    for one in curves:
        colour = colours[one.name]
        band = _points(one.highs, depth) + _points(one.lows, depth)[::-1]
        yield f'<polygon points="{" ".join(band)}" fill="{colour}" fill-opacity="0.15"/>'
        line = " ".join(_points(one.values, depth))
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _legend(colours: dict[str, str]) -> Iterator[str]:
    for at, (name, colour) in enumerate(colours.items()):
        y = _HIGH + _LINE * at + 6
        yield f'<path d="M{_LEFT} {y}h24" stroke="{colour}" stroke-width="3"/>'
        yield _text(_LEFT + 32, y + 4, name, "start")


def _points(values: Sequence[float], depth: int) -> list[str]:
    return [f"{_x(at, depth):.1f},{_y(value):.1f}" for at, value in enumerate(values, start=1)]


def _x(cut: int, depth: int) -> float:
    return _LEFT + (_WIDE - _LEFT - _RIGHT) * (cut - 1) / max(1, depth - 1)


def _y(share: float) -> float:
    return _HIGH - _BOTTOM - (_HIGH - _TOP - _BOTTOM) * share


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
