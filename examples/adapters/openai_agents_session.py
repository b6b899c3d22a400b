"""An agent of the OpenAI Agents SDK that remembers: its session is a conversation of Daybook's.

Runs without a key: the model is scripted.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage
from openai.types.responses import ResponseOutputMessage, ResponseOutputText

from daybook import Daybook
from daybook.adapters.openai_agents import DaybookSession


class Scripted(Model):  # type: ignore[misc] # untyped where it is checked
    """Says how many items it was sent."""

    async def get_response(self, *_: Any, **asked: Any) -> ModelResponse:
        """Answer."""
        text = f"I was sent {len(asked['input'])} items."
        said = ResponseOutputText(type="output_text", text=text, annotations=[])
        message = ResponseOutputMessage(
            id="m", type="message", role="assistant", status="completed", content=[said]
        )
        return ModelResponse(output=[message], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> Any:
        """Nothing here streams."""
        raise NotImplementedError


async def talk(url: str, text: str) -> str:
    """Run one turn as a program of its own would."""
    agent = Agent(name="Helper", model=Scripted())
    session = DaybookSession("kitchen", url, user_id="alice")
    quiet = RunConfig(tracing_disabled=True)
    result = await Runner.run(agent, text, session=session, run_config=quiet)
    session.close()
    return str(result.final_output)


def main() -> None:
    """Talk twice, then look into the book."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'chat.db'}"
        print(asyncio.run(talk(url, "I keep the walnuts in the cellar.")))
        print(asyncio.run(talk(url, "Thanks!")))
        with Daybook.open(url) as book:
            (hit,) = book.recall.search("walnuts", user_id="alice", limit=1)
            print(f"{hit.session_id} {hit.seq}: {hit.message.text}")


if __name__ == "__main__":
    main()
