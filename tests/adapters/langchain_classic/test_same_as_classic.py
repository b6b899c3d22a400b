"""The same calls give the same on langchain_classic's memories and on ours."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest
from langchain_core.prompts import PromptTemplate

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_classic import memory as theirs
    from langchain_classic.chains import ConversationChain

from daybook.adapters import langchain_classic as ours
from tests.adapters.langchain_classic.scripted import Scripted

pytestmark = pytest.mark.filterwarnings("ignore")

TURNS = [(f"question {at}", f"answer {at}") for at in range(8)]
PLAIN: dict[str, dict[str, Any]] = {
    "ConversationBufferMemory": {},
    "ConversationBufferWindowMemory": {"k": 2},
    "ConversationTokenBufferMemory": {"max_token_limit": 40},
    "ConversationSummaryMemory": {},
    "ConversationSummaryBufferMemory": {"max_token_limit": 40},
}


def made(module: Any, name: str, **fields: Any) -> Any:
    llm = {} if "Token" not in name and "Summary" not in name else {"llm": Scripted()}
    return getattr(module, name)(**llm, **PLAIN[name], **fields)


def shown(memory: Any, inputs: dict[str, Any] | None = None) -> Any:
    return memory.load_memory_variables(inputs or {})


def _texts(value: Any) -> Any:
    return [(one.type, one.text) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("return_messages", [False, True])
@pytest.mark.parametrize("name", PLAIN)
def test_turns(name: str, return_messages: bool) -> None:
    one, other = (
        made(module, name, return_messages=return_messages, memory_key="past", ai_prefix="Bot")
        for module in (theirs, ours)
    )
    assert one.memory_variables == other.memory_variables == ["past"]
    for said, answered in TURNS:
        for memory in (one, other):
            memory.save_context({"input": said}, {"output": answered})
        assert _texts(shown(one)["past"]) == _texts(shown(other)["past"])
    for memory in (one, other):
        memory.clear()
    assert _texts(shown(one)["past"]) == _texts(shown(other)["past"])


@pytest.mark.parametrize("name", PLAIN)
def test_async_is_the_same_as_sync(name: str) -> None:
    blocking, awaited = made(ours, name), made(ours, name)

    async def act() -> Any:
        for said, answered in TURNS:
            await awaited.asave_context({"input": said}, {"output": answered})
        return await awaited.aload_memory_variables({}), await awaited.abuffer()

    for said, answered in TURNS:
        blocking.save_context({"input": said}, {"output": answered})
    loaded, buffer = asyncio.run(act())
    assert loaded == shown(blocking)
    assert buffer == blocking.buffer
    asyncio.run(awaited.aclear())
    assert shown(awaited) == shown(made(ours, name))


@pytest.mark.parametrize(
    ("inputs", "outputs", "fields"),
    [
        ({"a": "x", "b": "y"}, {"output": "z"}, {}),
        ({}, {"output": "z"}, {}),
        ({"a": "x"}, {"one": "z", "two": "w"}, {}),
        ({"a": "x"}, {"output": "z", "two": "w"}, {}),
        ({"a": "x", "stop": ["."], "history": "h"}, {"one": "z"}, {}),
        ({"a": "x", "b": "y"}, {"one": "z", "two": "w"}, {"input_key": "b", "output_key": "two"}),
        ({"a": "x"}, {"one": "z"}, {"input_key": "missing"}),
    ],
)
def test_which_input_and_output_are_kept(
    inputs: dict[str, Any], outputs: dict[str, Any], fields: dict[str, Any]
) -> None:
    def outcome(module: Any) -> Any:
        memory = made(module, "ConversationBufferMemory", **fields)
        try:
            memory.save_context(inputs, outputs)
        except (ValueError, KeyError) as exc:
            return type(exc)
        return shown(memory)

    assert outcome(theirs) == outcome(ours)


@pytest.mark.parametrize("return_messages", [False, True])
def test_entities(return_messages: bool) -> None:
    seen = []
    for module in (theirs, ours):
        llm = Scripted(names="Ann, Oslo")
        memory: Any = module.ConversationEntityMemory(llm=llm, k=1, return_messages=return_messages)
        assert memory.memory_variables == ["entities", "history"]
        loads = []
        for said, answered in TURNS[:3]:
            loads.append(memory.load_memory_variables({"input": said}))
            memory.save_context({"input": said}, {"output": answered})
        loads.append(memory.load_memory_variables({"input": "who?"}))
        seen.append([(_texts(load["history"]), load["entities"]) for load in loads])
        memory.clear()
        assert memory.entity_cache == []
    assert seen[0] == seen[1]


def test_combined() -> None:
    def both(module: Any) -> Any:
        first = made(module, "ConversationBufferMemory", memory_key="one", input_key="input")
        second = made(module, "ConversationSummaryMemory", memory_key="two", input_key="input")
        memory = module.CombinedMemory(memories=[first, second])
        memory.save_context({"input": "hi"}, {"output": "hello"})
        loaded = shown(memory, {"input": "x"})
        memory.clear()
        return memory.memory_variables, loaded, shown(memory, {"input": "x"})

    assert both(theirs) == both(ours)


@pytest.mark.parametrize("module", [theirs, ours])
def test_combined_refuses_a_variable_twice(module: Any) -> None:
    with pytest.raises(ValueError, match="same variables"):
        module.CombinedMemory(memories=[made(module, "ConversationBufferMemory") for _ in range(2)])


@pytest.mark.parametrize("module", [theirs, ours])
def test_read_only(module: Any) -> None:
    memory = made(module, "ConversationBufferMemory")
    memory.save_context({"input": "hi"}, {"output": "hello"})
    reader: Any = module.ReadOnlySharedMemory(memory=memory)
    reader.save_context({"input": "x"}, {"output": "y"})
    reader.clear()
    assert shown(reader) == shown(memory) == {"history": "Human: hi\nAI: hello"}


@pytest.mark.parametrize("module", [theirs, ours])
def test_chains_take_them(module: Any) -> None:
    chain = ConversationChain(llm=Scripted(), memory=made(module, "ConversationBufferMemory"))
    assert chain.invoke({"input": "hi"})["response"] == "summary 1"
    assert chain.invoke({"input": "again"})["history"] == "Human: hi\nAI: summary 1"


def test_a_prompt_with_other_fields_is_refused() -> None:
    wrong = PromptTemplate.from_template("{summary}")
    for module in (theirs, ours):
        with pytest.raises(ValueError, match="unexpected prompt input variables"):
            made(module, "ConversationSummaryMemory", prompt=wrong)
    own = PromptTemplate.from_template("{summary} / {new_lines}")
    llm = Scripted()
    memory = ours.ConversationSummaryMemory(llm=llm, prompt=own)
    memory.save_context({"input": "{hi}"}, {"output": "hello"})
    assert llm.asked == [" / Human: {hi}\nAI: hello"]
