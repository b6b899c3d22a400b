"""A whole chat backend: sessions, turns with a model and its tools, streaming, on any engine.

`ChatApplication` is blocking, `AsyncChatApplication` has the same names and arguments.
"""

from __future__ import annotations

from daybook.chat.application import AsyncChatApplication
from daybook.chat.blocking_application import ChatApplication
from daybook.chat.chat_settings import DEFAULT_STRATEGY
from daybook.chat.chat_values import ChatReply, SessionInfo, ToolRun
from daybook.chat.tool_functions import CalledFor, ToolError, ToolFunction

__all__ = [
    "DEFAULT_STRATEGY",
    "AsyncChatApplication",
    "CalledFor",
    "ChatApplication",
    "ChatReply",
    "SessionInfo",
    "ToolError",
    "ToolFunction",
    "ToolRun",
]
