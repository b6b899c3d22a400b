"""ai-infra's memory on Daybook: change ``ai_infra.llm`` in an import to this package.

``ai_infra.llm.memory`` is `memory`, ``ai_infra.llm.session`` is `session` and
``ai_infra.llm.tools.custom`` is `tools.custom`; `Agent` is as much of ai-infra's as its
documentation of memory uses. Neither ai-infra nor LangChain has to be installed.
"""

from daybook.adapters.ai_infra.agent import Agent

__all__ = ["Agent"]
