"""Step 5: the search index reads documents as columns; what pgvector was used for goes.

A chunk of documents is one row: numbers as arrays, bytes one after the other with their sizes.
Neither side makes anything of each document.
"""

from __future__ import annotations

from daybook.engines.postgresql.schema_index import function_body

__all__ = ["INDEX_COLUMNS"]

_SCOPE = """SELECT s.row, s.epoch, s.documents, s.next_document - 1
        INTO v_row, v_epoch, v_documents, v_last
    FROM {schema}.index_scopes AS s
    WHERE s.tenant = p_tenant AND s.user_id = p_user AND s.collection = p_collection;
    IF v_row IS NULL THEN
        RETURN;
    END IF;"""

_INTEGERS = ("number", "group_row", '"position"', "created_at")
_SHORT = ("role", "traits", "length", "embedder")
_BYTES = ("name", "speaker", "terms", "tokens", "vector")
_COLUMNS = ", ".join(
    [f"array_send(array_agg({name}))" for name in _INTEGERS]
    + [f"array_send(array_agg({name}::bigint))" for name in _SHORT]
    + [f"array_send(array_agg(octet_length({name})::bigint))" for name in _BYTES]
    + [f"string_agg({name}, ''::bytea)" for name in _BYTES]
)

# One row: the scope's row, epoch and count of documents; then columns of documents after `p_last`
# (all, if the scope is not of the caller's row), which are NULL if there are none, or the epoch is
# not the caller's (NULL: any will do); the names of their groups and embedders, as arrays.
_READ = (
    """CREATE FUNCTION {schema}.index_columns(
    p_tenant bytea, p_user bytea, p_collection text,
    p_row bigint, p_epoch bigint, p_last bigint, p_limit bigint)
RETURNS TABLE (
    scope_row bigint, scope_epoch bigint, scope_documents bigint,
    numbers bytea, group_rows bytea, positions bytea, created bytea,
    roles bytea, traits bytea, lengths bytea, embedders bytea,
    name_sizes bytea, speaker_sizes bytea, term_sizes bytea, token_sizes bytea,
    vector_sizes bytea,
    names bytea, speakers bytea, terms bytea, tokens bytea, vectors bytea,
    group_numbers bigint[], group_names bytea[],
    embedder_numbers integer[], embedder_names bytea[])
LANGUAGE plpgsql STABLE ROWS 1 AS $$
#variable_conflict use_column
DECLARE
    v_row bigint;
    v_epoch bigint;
    v_documents bigint;
    v_last bigint;
    v_after bigint;
BEGIN
    {enter}
    """
    + _SCOPE
    + """
    v_after := CASE
        WHEN v_row = p_row AND v_epoch <> p_epoch THEN v_last
        WHEN v_row = p_row THEN p_last
        ELSE 0 END;
    ENTER_SCOPE(v_row)
    RETURN QUERY
    WITH chunk AS MATERIALIZED (
        SELECT d.* FROM {schema}.index_documents AS d
        WHERE d.scope = v_row AND d.number > v_after
        ORDER BY d.number LIMIT p_limit),
    homes AS (
        SELECT array_agg(g.row) AS numbers, array_agg(g.name) AS names
        FROM {schema}.index_groups AS g WHERE g.row IN (SELECT group_row FROM chunk)),
    makers AS (
        SELECT array_agg(e.row) AS numbers, array_agg(e.name) AS names
        FROM {schema}.index_embedders AS e WHERE e.row IN (SELECT embedder FROM chunk))
    SELECT v_row, v_epoch, v_documents, c.*,
        homes.numbers, homes.names, makers.numbers, makers.names
    FROM (SELECT """
    + _COLUMNS
    + """ FROM chunk) AS c, homes, makers;
END $$"""
)

# The numbers of all documents of a scope, ascending, and up to which number that is all; nothing
# if the scope is another one now.
_LIVING = (
    """CREATE FUNCTION {schema}.index_living(
    p_tenant bytea, p_user bytea, p_collection text, p_row bigint)
RETURNS TABLE (scope_epoch bigint, last_number bigint, numbers bytea)
LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    v_row bigint;
    v_epoch bigint;
    v_documents bigint;
    v_last bigint;
BEGIN
    {enter}
    """
    + _SCOPE
    + """
    IF v_row <> p_row THEN
        RETURN;
    END IF;
    ENTER_SCOPE(v_row)
    RETURN QUERY
    SELECT v_epoch, v_last, array_send(array_agg(d.number))
    FROM (SELECT d.number FROM {schema}.index_documents AS d
        WHERE d.scope = v_row ORDER BY d.number) AS d;
END $$"""
)

_GONE = (
    "index_unfilled",
    "index_fill",
    "index_near",
    "index_worded",
    "index_parts",
    "index_read",
)

INDEX_COLUMNS: tuple[str, ...] = (
    "DROP TABLE IF EXISTS {schema}.index_legs",
    *(f"DROP FUNCTION IF EXISTS {{schema}}.{name}" for name in _GONE),
    "ALTER TABLE {schema}.index_scopes DROP COLUMN legs_to",
    *map(function_body, (_READ, _LIVING)),
)
