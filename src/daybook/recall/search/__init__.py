"""From a query to candidates, in columns of any size."""
