"""Daybook behind the interfaces of other frameworks; each adapter is a package and an extra.

Nothing is imported here: ``daybook.adapters.langchain`` and its neighbours import their own
framework, and say what to install where it is missing.
"""
