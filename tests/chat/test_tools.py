"""Tools: every call gets its result, is stored with it, and tells no more than it should."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec
import pytest

from daybook.chat import AsyncChatApplication, CalledFor, ChatReply, ToolError, ToolFunction
from daybook.chat.tool_functions import as_tool_function
from daybook.errors import BadModelOutputError, ConfigError
from daybook.model.message import Message
from daybook.model.reply import Tool
from tests.chat.scripted_models import Script, calls, mark, texts

SECRET = "canary-5f21"


def weather(city: Annotated[str, msgspec.Meta(description="Where.")], days: int = 1) -> str:
    """Tell the weather.

    Not for the model.
    """
    return f"{city}: sun for {days} days"


def breaks() -> str:
    """Fail."""
    raise RuntimeError(SECRET)


def explains() -> str:
    """Fail with words for the model."""
    raise ToolError("the city is closed on Mondays")


async def report(caller: CalledFor, topic: str) -> dict[str, Any]:
    """Report."""
    return {"topic": topic, "user": caller.user_id, "here": caller.session_id}


def stops() -> str:
    """Raise what no future carries."""
    raise StopIteration(SECRET)


def surrogate() -> str:
    """Return what cannot be stored."""
    return "\ud800"


def odd() -> object:
    """Return what is no JSON."""
    return object()


TOOLS: tuple[Callable[..., Any], ...] = (
    weather, breaks, explains, report, stops, surrogate, odd,
)  # fmt: skip


@asynccontextmanager
async def talking(script: Script, **options: Any) -> Any:
    async with AsyncChatApplication(
        "inmemory://", embedder="hash", model=script, **{"tools": TOOLS, **options}
    ) as chat:
        yield chat, await chat.create_session("alice", session_id="s")


async def test_a_round_of_tools_and_the_answer() -> None:
    script = Script(
        calls(("c1", "weather", {"city": "Oslo", "days": 2}), text="Let me look."), "Sun."
    )
    async with talking(script) as (chat, session):
        *pieces, reply = [part async for part in chat.stream(session, "The weather?")]
        history = await chat.history(session)
    assert texts(history) == [
        ("user", "The weather?"),
        ("assistant", "Let me look."),
        ("tool", "Oslo: sun for 2 days"),
        ("assistant", "Sun."),
    ]
    assert "".join(pieces) == "Let me look.\n\nSun."
    assert isinstance(reply, ChatReply)
    assert [(run.name, run.outcome) for run in reply.tools] == [("weather", "ok")]
    assert [(one.first_seq, one.last_seq) for one in reply.receipts] == [(1, 1), (2, 3), (4, 4)]
    assert {mark(one, "answers") for one in history[1:]} == {reply.question.id}
    assert texts(script.asked[1]) == texts(history)[:3]


async def test_calls_of_one_round_run_at_once_and_keep_their_order() -> None:
    met = threading.Barrier(2, timeout=60)

    def meet(name: str) -> str:
        """Pass only if two run at once."""
        met.wait()
        return name

    both = calls(("c1", "meet", {"name": "a"}), ("c2", "meet", {"name": "b"}))
    async with talking(Script(both, "met"), tools=[meet]) as (chat, session):
        await chat.chat(session, "Meet")
        history = await chat.history(session)
    assert [(one.tool_call_id, one.text) for one in history[2:4]] == [("c1", "a"), ("c2", "b")]


@pytest.mark.parametrize(
    ("name", "arguments", "outcome", "told"),
    [
        ("weather", '{"city": "Os', "bad arguments", "not a JSON object"),
        ("weather", {}, "bad arguments", "missing required field `city`"),
        ("weather", {"city": 7}, "bad arguments", "Expected `str`"),
        ("weather", {"city": "Oslo", "extra": 1}, "bad arguments", "unknown field"),
        ("breaks", {}, "failed", "The tool failed (RuntimeError)."),
        ("explains", {}, "failed", "closed on Mondays"),
        ("stops", {}, "failed", "The tool failed (RuntimeError)."),
        ("surrogate", {}, "failed", "cannot be stored"),
        ("odd", {}, "failed", "The tool failed (TypeError)."),
        ("unheard_of", {}, "unknown", "There is no such tool"),
        ("report", {"topic": "x", "caller": {}}, "bad arguments", "unknown field"),
        ("report", {"topic": "x"}, "ok", '"user":"alice"'),
    ],
)
async def test_each_way_to_go_wrong_is_a_result(
    name: str,
    arguments: Any,
    outcome: str,
    told: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    script = Script(calls(("c1", name, arguments)), "I see.")
    with caplog.at_level(logging.DEBUG):
        async with talking(script) as (chat, session):
            reply = await chat.chat(session, "Go")
            result = (await chat.history(session))[2]
    assert reply.text == "I see."
    assert reply.tools[0].outcome == outcome
    assert told in result.text
    assert SECRET not in result.text + caplog.text
    assert "Traceback" not in result.text
    # Ours alone: asyncio may tell now of what a test before this one left behind.
    assert not [one for one in caplog.records if one.exc_info and one.name.startswith("daybook")]


async def test_a_tool_that_does_not_end_is_given_up() -> None:
    async def forever() -> str:
        """Never return."""
        await asyncio.Event().wait()
        return ""

    script = Script(calls(("c1", "forever", {})), "Given up.")
    async with talking(script, tools=[forever], tool_timeout_s=0.05) as (chat, session):
        reply = await chat.chat(session, "Go")
    assert (reply.text, reply.tools[0].outcome) == ("Given up.", "timed out")


async def test_after_the_last_round_the_model_has_to_answer() -> None:
    again = calls(("c1", "weather", {"city": "Oslo"}))
    async with talking(Script(again, again, again, "Enough."), max_tool_rounds=2) as (
        chat,
        session,
    ):
        reply = await chat.chat(session, "Go")
        assert [run.outcome for run in reply.tools] == ["ok", "ok", "refused"]
        assert reply.text == "Enough."
    async with talking(Script(again), max_tool_rounds=2) as (chat, session):
        with pytest.raises(BadModelOutputError, match="2 rounds"):
            await chat.chat(session, "Go")
        history = await chat.history(session)
    assert [one.role for one in history] == ["user", *["assistant", "tool"] * 3]


async def test_calls_with_the_same_id_are_told_apart() -> None:
    same = calls(("c1", "weather", {"city": "Oslo"}), ("c1", "weather", {"city": "Rome"}))
    script = Script(same, "Both.")
    async with talking(script) as (chat, session):
        await chat.chat(session, "Go")
        await chat.chat(session, "And now?")
        stored = await chat.history(session)
    ids = [call.id for call in stored[1].tool_calls]
    assert len(set(ids)) == 2
    assert [one.tool_call_id for one in stored[2:4]] == ids
    # The round is whole, so the next context holds it.
    assert [one.role for one in script.asked[-1]].count("tool") == 2


async def test_a_turn_cut_off_between_rounds_goes_on_from_there() -> None:
    """What a tool did is not done again when the turn is taken again."""
    runs: list[str] = []

    def pay(amount: int) -> str:
        """Pay."""
        runs.append(str(amount))
        return "paid"

    script = Script(calls(("c1", "pay", {"amount": 5})), RuntimeError("gone"), "It is paid.")
    async with talking(script, tools=[pay]) as (chat, session):
        question = Message.user("Pay five", id="mine")
        with pytest.raises(Exception, match="RuntimeError"):
            await chat.chat(session, question)
        reply = await chat.chat(session, question)
    assert reply.text == "It is paid."
    assert runs == ["5"]
    assert [one.role for one in script.asked[-1]] == ["user", "assistant", "tool"]


# ------------------------------------------------------------------------------- descriptions


def test_a_function_describes_itself() -> None:
    tool = as_tool_function(weather).tool
    assert (tool.name, tool.description) == ("weather", "Tell the weather.")
    assert tool.parameters == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Where."},
            "days": {"type": "integer", "default": 1},
        },
        "required": ["city"],
        "additionalProperties": False,
    }
    assert list(as_tool_function(report).tool.parameters["properties"]) == ["topic"]


def unnameable(*cities: str) -> str:
    """Take any number."""
    return "".join(cities)


def undescribable(what: Iterator[str]) -> str:
    """Take what JSON has not."""
    return "".join(what)


@pytest.mark.parametrize(
    "thing", [unnameable, undescribable, lambda: "", 7, [weather, weather], "weather"]
)
def test_what_is_no_tool_is_refused(thing: Any) -> None:
    with pytest.raises(ConfigError, match="tool"):
        AsyncChatApplication("inmemory://", tools=thing if isinstance(thing, list) else [thing])


async def test_a_tool_with_a_schema_of_its_own() -> None:
    schema = {"type": "object", "properties": {"port": {"type": "string"}}}
    tool = ToolFunction(Tool(name="tides", parameters=schema), lambda port: f"high at {port}")
    script = Script(
        calls(("c1", "tides", {"port": "Mallaig"}), ("c2", "tides", {"harbour": "Ullapool"})), "ok"
    )
    async with talking(script, tools=[tool]) as (chat, session):
        reply = await chat.chat(session, "Tides?")
        history = await chat.history(session)
    assert [run.outcome for run in reply.tools] == ["ok", "bad arguments"]
    assert history[2].text == "high at Mallaig"
    with pytest.raises(ConfigError, match="name"):
        ToolFunction(Tool(name="no spaces"), weather)
