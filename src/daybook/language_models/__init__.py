"""Language models: OpenAI, Anthropic, Ollama, LangChain's, and any function, behind one protocol.

Each is found by entry point (`daybook.registry.load_language_model`) or made directly. Message
codecs are pure and stand apart from what talks to a provider; timeouts and errors are the same for
all.
"""

from __future__ import annotations

from daybook.language_models.from_anything import as_language_model

__all__ = ["as_language_model"]
