"""Step 4: what the search index holds, by name, for whoever rebuilds it."""

from __future__ import annotations

from daybook.engines.postgresql.schema_index import function_body

__all__ = ["INDEX_LISTING"]

# The groups of a user or a tenant after a place, in the order of their bytes.
_GROUPS = """CREATE FUNCTION {schema}.index_groups_of(
    p_tenant bytea, p_user bytea, p_collection text,
    p_after_user bytea, p_after_group bytea, p_limit bigint)
RETURNS TABLE (user_id bytea, name bytea)
LANGUAGE plpgsql STABLE ROWS 1000 AS $$
BEGIN
    {enter_all}
    RETURN QUERY
    SELECT s.user_id, g.name
    FROM {schema}.index_scopes AS s JOIN {schema}.index_groups AS g ON g.scope = s.row
    WHERE s.tenant = p_tenant AND s.collection = p_collection
        AND (p_user IS NULL OR s.user_id = p_user)
        AND (p_after_user IS NULL
            OR s.user_id >= p_after_user
                AND (s.user_id, g.name) > (p_after_user, p_after_group))
    ORDER BY s.user_id, g.name LIMIT p_limit;
END $$"""

_LISTED = """CREATE FUNCTION {schema}.index_listed(
    p_tenant bytea, p_user bytea, p_collection text, p_group bytea)
RETURNS TABLE (name bytea, "position" bigint)
LANGUAGE plpgsql STABLE ROWS 1000 AS $$
DECLARE
    v_scope bigint;
BEGIN
    {enter}
    SELECT s.row INTO v_scope FROM {schema}.index_scopes AS s
    WHERE s.tenant = p_tenant AND s.user_id = p_user AND s.collection = p_collection;
    ENTER_SCOPE(v_scope)
    RETURN QUERY
    SELECT d.name, d.position
    FROM {schema}.index_groups AS g
    JOIN {schema}.index_documents AS d ON d.scope = v_scope AND d.group_row = g.row
    WHERE g.scope = v_scope AND g.name = p_group
    ORDER BY d.position;
END $$"""

INDEX_LISTING: tuple[str, ...] = tuple(map(function_body, (_GROUPS, _LISTED)))
