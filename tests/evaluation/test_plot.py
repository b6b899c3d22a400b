from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from daybook.errors import InvalidInputError, MissingDependencyError
from daybook.evaluation.curves import Curve, curves_of
from daybook.evaluation.load import load_conversations
from daybook.evaluation.plot import check_plot, write_plot
from daybook.evaluation.runs import Answer, Run
from daybook.evaluation.scoring import Resampling, score_run
from tests.evaluation.data_sets import LOCOMO, write_json

SVG = "{http://www.w3.org/2000/svg}"
CURVES = [
    Curve("ours", "a <set>", (0.5, 0.75, 1.0), (0.4, 0.6, 1.0), (0.6, 0.9, 1.0)),
    Curve("theirs", "a <set>", (0.25, 0.25, 0.5), (0.1, 0.1, 0.4), (0.4, 0.4, 0.6)),
    Curve("ours", "another", (1.0,), (1.0,), (1.0,)),
]


def test_an_svg_shows_every_curve_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "curve.svg"
    write_plot(path, CURVES)
    root = ET.fromstring(path.read_text())  # noqa: S314 - it is ours
    lines = root.findall(f".//{SVG}polyline")
    assert len(lines) == len(root.findall(f".//{SVG}polygon")) == 3
    heights = [float(point.split(",")[1]) for point in lines[0].attrib["points"].split()]
    assert heights == sorted(heights, reverse=True), "more recall stands higher"
    lower = [float(point.split(",")[1]) for point in lines[1].attrib["points"].split()]
    assert all(theirs > ours for ours, theirs in zip(heights, lower, strict=True))
    said = [text.text for text in root.iter(f"{SVG}text")]
    assert "a <set>: recall by depth" in said
    assert said.count("ours") == said.count("theirs") == 1


def test_a_png_is_a_png_or_says_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "curve.png"
    try:
        write_plot(path, CURVES)
    except MissingDependencyError:
        assert "matplotlib" not in sys.modules
    else:
        assert path.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_a_png_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match=r"daybook\[plot\]"):
        check_plot(tmp_path / "curve.png")
    check_plot(tmp_path / "curve.svg")


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"\.svg or \.png"):
        check_plot(tmp_path / "curve.gif")
    with pytest.raises(InvalidInputError, match="nothing to plot"):
        write_plot(tmp_path / "curve.svg", [])
    with pytest.raises(InvalidInputError, match="cannot be written"):
        write_plot(tmp_path / "absent" / "curve.svg", CURVES)


def test_curves_are_of_answerable_questions(tmp_path: Path) -> None:
    talks = load_conversations([write_json(tmp_path / "locomo10.json", LOCOMO)])
    answer = Answer(("D1:1", "D2:1", "D10:1"), 0.1)
    keys = [(talks[0].id, question.id) for question in talks[0].questions]
    scored = score_run(talks, Run("r", dict.fromkeys(keys, answer), 0, 0.0))
    (curve,) = curves_of("r", scored, Resampling())
    assert curve.values == (0.5, 0.75, 1.0)
    assert all(
        low <= value <= high
        for low, value, high in zip(curve.lows, curve.values, curve.highs, strict=True)
    )
    sessions = dict.fromkeys(keys, Answer(("S1",), 0.1))
    assert curves_of("r", score_run(talks, Run("r", sessions, 0, 0.0)), Resampling()) == []
