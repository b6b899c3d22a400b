"""What the importers give and take, beside the models that AG-UI and Pydantic AI publish."""

from __future__ import annotations

from typing import Any

from ag_ui.core import Message as AgUiMessage
from ag_ui.core import MessagesSnapshotEvent, RunAgentInput
from pydantic import TypeAdapter
from pydantic_ai.ui.vercel_ai.request_types import UIMessage

from daybook import Message, ToolCall
from daybook.importers.ag_ui import from_ag_ui, looks_like_ag_ui, to_ag_ui
from daybook.importers.vercel_ai import from_ui_messages, looks_like_vercel_ai, to_ui_messages
from tests.importers.test_ag_ui import RUN
from tests.importers.test_ag_ui import SAID as AG_UI_SAID
from tests.importers.test_vercel_ai import SAID as VERCEL_SAID

OURS = [
    Message.system("Be brief.", id="0"),
    Message.user("Hi", id="1"),
    Message.assistant("", id="2", tool_calls=[ToolCall("c1", "f", {"a": 1})]),
    Message.tool("done", tool_call_id="c1", id="3"),
    Message.assistant("Done.", id="4"),
]


def _dumped(model: Any) -> Any:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def test_ag_ui_takes_what_we_make_and_we_take_what_it_makes() -> None:
    theirs: Any = TypeAdapter(list[AgUiMessage])
    for said in (AG_UI_SAID, to_ag_ui(OURS)):
        models = theirs.validate_python(said)
        dumped = [_dumped(one) for one in models]
        assert to_ag_ui(from_ag_ui(dumped)) == dumped
    run = RunAgentInput.model_validate({**RUN, "context": [], "forwardedProps": {}})
    assert looks_like_ag_ui(_dumped(run))
    assert looks_like_ag_ui(_dumped(MessagesSnapshotEvent(messages=run.messages)))


def test_pydantic_ais_ui_messages_take_what_we_make_and_the_reverse() -> None:
    theirs: Any = TypeAdapter(list[UIMessage])
    for said in (VERCEL_SAID, to_ui_messages(OURS)):
        dumped = [_dumped(one) for one in theirs.validate_python(said)]
        assert all(map(looks_like_vercel_ai, dumped))
        assert to_ui_messages(from_ui_messages(dumped)) == dumped
