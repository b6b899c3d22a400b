"""DynamoDB: serverless, strongly consistent, one table; a change is one conditional write.

``dynamodb://REGION[/TABLE_PREFIX]``. Needs `daybook[dynamodb]`.
"""

from daybook.errors import MissingDependencyError

try:
    from daybook.engines.dynamodb.engine import DynamoDBEngine, open_engine
except ImportError as exc:
    if (exc.name or "").partition(".")[0] != "botocore":
        raise
    raise MissingDependencyError("the DynamoDB engine", "pip install 'daybook[dynamodb]'") from exc

__all__ = ["DynamoDBEngine", "open_engine"]
