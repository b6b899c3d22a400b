"""The command as people run it: a process of its own, its pipes, its signals."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import MESSAGES

COMMAND = [sys.executable, "-m", "daybook.cli"]

INTERRUPTED = """
import os, signal
from daybook.cli import import_command, main

real_import = import_command.import_file

async def interrupted(*arguments, on_progress, **options):
    def after_batch(state):
        on_progress(state)
        os.kill(os.getpid(), signal.SIGINT)
    return await real_import(*arguments, on_progress=after_batch, batch_size=50, **options)

import_command.import_file = interrupted
main()
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "--embedder", "hash", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def write_lines(path: Path, count: int) -> None:
    lines = ({**MESSAGES[0], "id": f"m{at}", "content": f"note {at}"} for at in range(count))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_pipe_gets_plain_text_and_whole_lines(folder: Path) -> None:
    long = " ".join(["word"] * 40)
    (folder / "talk.jsonl").write_text(json.dumps({**MESSAGES[0], "content": long}))
    imported = run("import", "talk.jsonl")
    assert imported.returncode == 0
    for command in (["recall", "word"], ["show", "trip"], ["sessions"], ["stats"], ["doctor"]):
        result = run(*command)
        assert result.returncode == 0
        assert "\x1b" not in result.stdout + result.stderr
        if command[0] in ("recall", "show"):
            assert long in result.stdout


def test_exit_codes_without_a_traceback(folder: Path) -> None:
    write_lines(folder / "talk.jsonl", 3)
    for arguments, code in (
        (["import", "talk.jsonl"], 0),
        (["import", "absent.jsonl"], 1),
        (["show", "absent"], 1),
        (["import"], 2),
    ):
        result = run(*arguments)
        assert result.returncode == code
        assert "Traceback" not in result.stderr


def test_ctrl_c_says_how_to_go_on_and_the_next_run_does(folder: Path) -> None:
    write_lines(folder / "talk.jsonl", 2000)
    stopped = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, "--embedder", "hash", "import", "talk.jsonl"],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert stopped.returncode == 130
    assert stopped.stderr == "stopped; run the same command again to go on\n"
    assert stopped.stdout == ""
    held = json.loads(run("stats", "--json").stdout)["stats"]["message_count"]
    assert 50 <= held < 2000
    [report] = json.loads(run("import", "talk.jsonl", "--json").stdout)["files"]
    assert (report["messages"], report["duplicates"]) == (2000 - held, held)
    texts = [
        one["message"]["content"]
        for one in json.loads(run("show", "trip", "--json").stdout)["messages"]
    ]
    assert texts == [f"note {at}" for at in range(2000)]


def test_a_closed_pipe_is_no_complaint(folder: Path) -> None:
    write_lines(folder / "talk.jsonl", 3000)
    run("import", "talk.jsonl", "--no-index")
    for command in (["show", "trip"], ["export", "trip"], ["show", "trip", "--json"]):
        with subprocess.Popen(
            [*COMMAND, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            assert child.stderr is not None
            child.stdout.readline()
            child.stdout.close()
            assert child.stderr.read() == ""


def test_help_loads_neither_the_engines_nor_numpy() -> None:
    code = (
        "import sys\n"
        "try:\n"
        "    from daybook.cli import main; main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'rich', 'sqlite3', 'daybook.client', 'daybook.engines'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "LOADED []"
