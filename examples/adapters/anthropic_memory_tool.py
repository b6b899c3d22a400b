"""Claude's memory tool over Daybook, run by the SDK's own tool loop.

Runs without a key: the answers of the API are scripted.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import httpx2 as httpx
from anthropic import Anthropic

from daybook import Daybook
from daybook.adapters.anthropic_memory import DaybookMemoryTool


def scripted(*answers: list[dict[str, Any]]) -> Anthropic:
    """Return a client whose API gives these contents, one after another."""
    left = list(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        content = left.pop(0)
        stop = "tool_use" if content[-1]["type"] == "tool_use" else "end_turn"
        message = {
            "id": "msg",
            "type": "message",
            "role": "assistant",
            "model": "scripted",
            "content": content,
            "stop_reason": stop,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
        return httpx.Response(200, content=json.dumps(message))

    transport = httpx.MockTransport(answer)
    return Anthropic(api_key="none", http_client=httpx.Client(transport=transport))


def using(**command: Any) -> list[dict[str, Any]]:
    """Return an answer that uses the memory."""
    name = f"use-{command['command']}"
    return [{"type": "tool_use", "id": name, "name": "memory", "input": command}]


def main() -> None:
    """Let the model write a note and read it back, then look into the book."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'memory.db'}"
        note = "/memories/preferences.md"
        client = scripted(
            using(command="create", path=note, file_text="Alice drinks coffee.\n"),
            using(command="str_replace", path=note, old_str="coffee", new_str="tea"),
            using(command="view", path=note),
            [{"type": "text", "text": "I'll remember."}],
        )
        memory = DaybookMemoryTool(url, user_id="alice")
        answer = client.beta.messages.tool_runner(
            model="scripted",
            max_tokens=100,
            messages=[{"role": "user", "content": "I've changed to tea."}],
            tools=[memory],
        ).until_done()
        print("".join(block.text for block in answer.content if block.type == "text"))
        print(memory.call({"command": "view", "path": note}))
        memory.close()
        with Daybook.open(url) as book:
            for version in book.records.versions(("alice", "memories"), note):
                print(version.version, version.value["text"].strip())


if __name__ == "__main__":
    main()
