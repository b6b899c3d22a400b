"""What is publicly known of language models: windows, prices, tokenizers.

The table ships with the package (`models.json`, which says of when it is) and is read when it is
first asked. A user's own entries come before it: `register_model`, or the JSON file that
``DAYBOOK_MODELS`` names.
"""

from daybook.model_catalog.catalog import (
    get_context_limit,
    get_model,
    known_models,
    register_model,
)
from daybook.model_catalog.facts import ModelFacts, PromptCache

__all__ = [
    "ModelFacts",
    "PromptCache",
    "get_context_limit",
    "get_model",
    "known_models",
    "register_model",
]
