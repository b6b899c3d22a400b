"""Assertions of the shipped kit explain themselves as a test module's do."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("daybook.testing")
