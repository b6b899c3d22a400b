"""Step 6: token vectors of documents, for late interaction. Read for the best of a search only."""

from __future__ import annotations

from daybook.engines.postgresql.schema_index import (
    PARTITIONS,
    POLICIES,
    function_body,
    walls,
)

__all__ = ["TOKEN_VECTORS"]

# A document that goes takes its token vectors along.
_TABLES = (
    """CREATE TABLE {schema}.index_token_vectors (
        scope bigint NOT NULL, number bigint NOT NULL, vectors bytea NOT NULL,
        PRIMARY KEY (scope, number),
        FOREIGN KEY (scope, number) REFERENCES {schema}.index_documents ON DELETE CASCADE)
        PARTITION BY HASH (scope)""",
    *(
        f"CREATE TABLE {{schema}}.index_token_vectors_{part} "
        "PARTITION OF {schema}.index_token_vectors "
        f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part})"
        for part in range(PARTITIONS)
    ),
)

# Called in the statement that put the documents, so that both are there or none. Arrays are
# parallel; `p_put` is what ``index_put`` answered, which says that it has run.
_PUT = """CREATE FUNCTION {schema}.index_put_token_vectors(
    p_tenant bytea, p_user bytea, p_collection text, p_put bigint,
    p_groups bytea[], p_names bytea[], p_vectors bytea[])
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_scope bigint;
BEGIN
    {enter}
    SELECT s.row INTO v_scope FROM {schema}.index_scopes AS s
    WHERE s.tenant = p_tenant AND s.user_id = p_user AND s.collection = p_collection;
    ENTER_SCOPE(v_scope)
    INSERT INTO {schema}.index_token_vectors (scope, number, vectors)
    SELECT v_scope, d.number, n.vectors
    FROM unnest(p_groups, p_names, p_vectors) AS n(group_name, name, vectors)
    JOIN {schema}.index_groups AS g ON g.scope = v_scope AND g.name = n.group_name
    JOIN {schema}.index_documents AS d
        ON d.scope = v_scope AND d.group_row = g.row AND d.name = n.name;
    RETURN p_put;
END $$"""

# A row for each place, in the order asked.
_READ = """CREATE FUNCTION {schema}.index_token_vectors_of(
    p_tenant bytea, p_user bytea, p_collection text, p_groups bytea[], p_names bytea[])
RETURNS TABLE (vectors bytea)
LANGUAGE plpgsql STABLE ROWS 200 AS $$
DECLARE
    v_scope bigint;
BEGIN
    {enter}
    SELECT s.row INTO v_scope FROM {schema}.index_scopes AS s
    WHERE s.tenant = p_tenant AND s.user_id = p_user AND s.collection = p_collection;
    ENTER_SCOPE(v_scope)
    RETURN QUERY
    SELECT t.vectors
    FROM unnest(p_groups, p_names) WITH ORDINALITY AS n(group_name, name, at)
    LEFT JOIN {schema}.index_groups AS g ON g.scope = v_scope AND g.name = n.group_name
    LEFT JOIN {schema}.index_documents AS d
        ON d.scope = v_scope AND d.group_row = g.row AND d.name = n.name
    LEFT JOIN {schema}.index_token_vectors AS t ON t.scope = v_scope AND t.number = d.number
    ORDER BY n.at;
END $$"""

TOKEN_VECTORS: tuple[str, ...] = (
    *_TABLES,
    *walls("index_token_vectors", POLICIES["index_documents"], partitioned=True),
    *map(function_body, (_PUT, _READ)),
)
