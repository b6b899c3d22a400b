"""ai-infra's memory on Daybook: change ``ai_infra.llm`` in an import to this package.

``ai_infra.llm.memory`` is `memory`, ``ai_infra.llm.session`` is `session` and
``ai_infra.llm.tools.custom`` is `tools.custom`. Neither ai-infra nor LangChain has to be installed.
"""
