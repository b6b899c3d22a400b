from __future__ import annotations

from datetime import UTC, datetime

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from daybook.exporters.markdown_export import export_markdown
from daybook.exporters.markdown_text import code_block, inline, quoted
from daybook.model.entry import HistoryEntry
from daybook.model.message import ContentPart, Message, ToolCall
from daybook.model.session import Session

MOMENT = datetime(2024, 5, 1, 10, 5, tzinfo=UTC)
ATTACKS = [
    "# Heading",
    "</blockquote><h1>out</h1>",
    "<script>alert(1)</script>",
    "```\nnever closed",
    "````\n```\n# in code\n````\n<b>after</b>",
    "~~~ `\n```\n~~~\n<script>x</script>",
    "- ```\n  ```\n<script>x</script>",
    "> ```\n<script>x</script>",
    "1. a\n\n   ```\n   code\n<script>x</script>",
    "\t```\n<script>x</script>",
    "[ref]: http://example.org/evil",
    "[two\nlines]: http://example.org/evil",
    "<!-- \n\n<script>",
    "***\n---\n===",
    "text\n===\n",
    "``` <script>\nx\n```",
    "\u202e reversed \x1b[2J",
    "| a | b |\n|---|---|\n| <i>1</i> | 2 |",
    "<http://example.org>",
    "\r# carriage\r\n# return",
]


def parsed(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_message_stays_in_its_quote(attack: str) -> None:
    tokens = parsed(f"before [ref] [two lines]\n\n{quoted(attack)}\n\nafter [ref]")
    top = [token.type for token in tokens if token.level == 0]
    assert top == [
        "paragraph_open",
        "paragraph_close",
        "blockquote_open",
        "blockquote_close",
        "paragraph_open",
        "paragraph_close",
    ]
    flat = [child for token in tokens for child in [token, *(token.children or [])]]
    assert not [token for token in flat if token.type in ("html_block", "html_inline")]
    after = tokens[-2]
    assert [child.type for child in after.children or []] == ["text"]


def test_without_the_guard_the_attacks_get_out() -> None:
    naive = parsed("\n".join(f"> {line}" for line in ATTACKS[1].split("\n")))
    flat = [child for token in naive for child in [token, *(token.children or [])]]
    assert any(token.type in ("html_block", "html_inline") for token in flat)


@pytest.mark.parametrize("text", ["a ``` b", "````", "```\n```\n`````", "plain", ""])
def test_a_code_block_holds_any_text(text: str) -> None:
    tokens = parsed(f"{code_block(text)}\n\nafter")
    assert tokens[0].type == "fence"
    assert tokens[0].content == f"{text}\n"
    assert tokens[1].type == "paragraph_open"


@pytest.mark.parametrize(
    "text", ["**bold** `code`", "# head", "a\nb", "[x](y)", "<b>", "a_b_c", "|"]
)
def test_inline_text_has_no_effect(text: str) -> None:
    tokens = parsed(f"# {inline(text)}")
    assert [token.type for token in tokens] == ["heading_open", "inline", "heading_close"]
    assert "".join(child.content for child in tokens[1].children or []) == " ".join(text.split())
    assert {child.type for child in tokens[1].children or []} <= {"text", "text_special"}


def test_code_of_a_message_stays_readable() -> None:
    assert quoted("See:\n```c++\na < b[0]: c\n```\nDone") == (
        "> See:\n> ```c++\n> a < b[0]: c\n> ```\n> Done"
    )


def test_a_session_as_a_document() -> None:
    session = Session(
        id="s_1",
        user_id="alice",
        title="Ferries *today*",
        created_at=MOMENT,
        last_active_at=MOMENT,
        message_count=3,
    )
    call = ToolCall("c1", "search", {"q": "ferry"})
    messages = [
        Message.user("When?", name="Alice", created_at=MOMENT),
        Message.assistant("", tool_calls=(call,), created_at=MOMENT.replace(hour=23)),
        Message.tool("13:00", tool_call_id="c1", created_at=MOMENT.replace(day=2)),
        Message.assistant(
            (ContentPart("text", "At one."), ContentPart("image", None, {"url": "x"})),
            created_at=MOMENT.replace(day=2),
        ),
    ]
    entries = [HistoryEntry(at, one, 1) for at, one in enumerate(messages, start=1)]
    assert "".join(export_markdown(session, entries)) == (
        "# Ferries \\*today\\*\n"
        "\nalice · 3 messages · session s\\_1\n"
        "\n## 1 May 2024\n"
        "\n**Alice** · 10:05 UTC\n\n> When?\n"
        "\n**Assistant** · 23:05 UTC\n"
        '\nCalls **search** (c1):\n\n```json\n{\n  "q": "ferry"\n}\n```\n'
        "\n## 2 May 2024\n"
        "\n**Tool (answers c1)** · 10:05 UTC\n\n```\n13:00\n```\n"
        "\n**Assistant** · 10:05 UTC\n\n> At one.\n"
        '\n*image*\n\n```json\n{\n  "url": "x"\n}\n```\n'
    )
