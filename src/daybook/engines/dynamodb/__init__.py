"""DynamoDB: serverless, strongly consistent, one table; every change is one conditional write."""

from __future__ import annotations

from daybook.engines.dynamodb.engine import DynamoDBEngine, open_engine

__all__ = ["DynamoDBEngine", "open_engine"]
