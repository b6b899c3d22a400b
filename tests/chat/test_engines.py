"""A short conversation on every engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from daybook.chat import AsyncChatApplication, ChatReply
from tests.chat.conftest import ENGINES, LOCAL
from tests.chat.scripted_models import Script, calls, in_pairs, mark, texts


def tell(what: str) -> str:
    """Tell."""
    return f"told {what}"


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_conversation(engine: str, url_of: Callable[[str], str], tmp_path: Path) -> None:
    script = Script(
        "Rex is a fine name.",
        calls(("c1", "tell", {"what": "a joke"})),
        ("Here ", "it is."),
        ("Half ", "an ", "answer ", "is left"),
        "said",
    )
    index = None if engine in (*LOCAL, "postgresql") else f"sqlite:///{tmp_path}/index.db"
    async with AsyncChatApplication(
        url_of(engine), index=index, embedder="hash", model=script, tools=[tell]
    ) as chat:
        session = await chat.create_session("alice")
        await chat.chat(session, "My dog is called Rex.", user_id="alice")
        *pieces, reply = [part async for part in chat.stream(session, "A joke about him")]
        assert pieces == ["Here ", "it is."]
        assert isinstance(reply, ChatReply)
        assert [receipt.ack for receipt in reply.receipts] == [chat.book.capabilities.ack] * 3
        left = chat.stream(session, "And now?")
        await anext(left)
        await left.aclose()

        fork = await chat.fork(session, at=2)
        await asyncio.gather(*(chat.chat(fork, f"turn {number}") for number in range(2)))
        await chat.share(session, "bob", user_id="alice")
        assert (await chat.info(session, user_id="bob")) is not None
        await chat.revoke(session, "bob")

        history = await chat.history(session)
        assert [one.role for one in history] == [
            *("user", "assistant"), *("user", "assistant", "tool", "assistant"),
            *("user", "assistant"),
        ]  # fmt: skip
        assert mark(history[-1], "incomplete") is True
        branch = await chat.history(fork)
        assert branch[:2] == history[:2]
        assert in_pairs(branch[2:], lambda _: "said")
        assert [text for role, text in texts(branch)[2::2]] == [f"turn {n}" for n in range(2)]

        exported = await chat.export(session)
        assert await chat.delete_session(session)
        assert await chat.info(session) is None
        assert await chat.history(await chat.import_(exported)) == history
