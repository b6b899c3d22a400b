"""The search index's tables and functions: a migration step (`schema`).

Documents are numbered by their scope (one user's turns, or records) in the order they were
written: a number is given under the lock of the scope's row, so who has read up to one has seen
all below it. A deletion moves the scope's epoch on. Documents are partitioned by scope, which
belongs to one user. Names are bytes, because text of PostgreSQL cannot hold NUL.

A call is one function, so that it is one round trip and one transaction behind any pooler. Those
that read are STABLE: everything in them is of one moment. Each says first whose data it is about,
for its own transaction only; row-level security then hides all other rows, even from a statement
that forgot its condition (see `schema_tables`). Documents, groups and counts are seen by the
number of their scope, which is looked up among the scopes that the user can see. Only `index_stale`
and `index_state` look at everybody's.
"""

from __future__ import annotations

from re import sub

__all__ = ["PARTITIONS", "POLICIES", "SEARCH_INDEX", "function_body", "walls"]

PARTITIONS = 16

_ENTER_SCOPE = "PERFORM set_config('daybook.index_scope', {}::text, true);"

_TABLES = (
    """CREATE TABLE {schema}.index_scopes (
        row bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant bytea NOT NULL, user_id bytea NOT NULL, collection text NOT NULL,
        epoch bigint NOT NULL DEFAULT 0, next_document bigint NOT NULL,
        documents bigint NOT NULL DEFAULT 0, legs_to bigint NOT NULL DEFAULT 0,
        UNIQUE (tenant, user_id, collection)) WITH (fillfactor = 70)""",
    """CREATE TABLE {schema}.index_groups (
        row bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        scope bigint NOT NULL, name bytea NOT NULL, watermark bigint NOT NULL DEFAULT 0,
        UNIQUE (scope, name)) WITH (fillfactor = 70)""",
    """CREATE TABLE {schema}.index_embedders (
        row integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name bytea NOT NULL UNIQUE)""",
    """CREATE TABLE {schema}.index_counts (
        scope bigint NOT NULL, embedder integer NOT NULL, documents bigint NOT NULL,
        PRIMARY KEY (scope, embedder)) WITH (fillfactor = 70)""",
    """CREATE TABLE {schema}.index_documents (
        scope bigint NOT NULL, number bigint NOT NULL, group_row bigint NOT NULL,
        position bigint NOT NULL, created_at bigint NOT NULL,
        traits integer NOT NULL, length integer NOT NULL, embedder integer NOT NULL,
        role smallint NOT NULL, name bytea NOT NULL, speaker bytea NOT NULL,
        terms bytea NOT NULL, tokens bytea NOT NULL, vector bytea NOT NULL,
        PRIMARY KEY (scope, number), UNIQUE (scope, group_row, name))
        PARTITION BY HASH (scope)""",
    *(
        f"CREATE TABLE {{schema}}.index_documents_{part} PARTITION OF {{schema}}.index_documents "
        f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part})"
        for part in range(PARTITIONS)
    ),
)

# Adds to a scope's counts; what was counted to nothing stays as a 0.
_COUNT = """CREATE FUNCTION {schema}.index_count(
    p_scope bigint, p_embedders integer[], p_by integer)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO {schema}.index_counts AS c (scope, embedder, documents)
    SELECT p_scope, e, p_by * count(*) FROM unnest(p_embedders) AS e GROUP BY e ORDER BY e
    ON CONFLICT (scope, embedder) DO UPDATE SET documents = c.documents + excluded.documents
$$"""

# Arrays are parallel; `p_group_at` and `p_embedder_at` are places in the lists of names. No
# document comes twice. Returns how many documents the scope has now.
_PUT = """CREATE FUNCTION {schema}.index_put(
    p_tenant bytea, p_user bytea, p_collection text,
    p_groups bytea[], p_embedders bytea[],
    p_group_at integer[], p_embedder_at integer[], p_positions bigint[], p_names bytea[],
    p_created_at bigint[], p_roles smallint[], p_speakers bytea[], p_traits integer[],
    p_lengths integer[], p_terms bytea[], p_tokens bytea[], p_vectors bytea[],
    p_marked bytea[], p_marks bigint[])
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count integer := cardinality(p_names);
    v_scope bigint;
    v_first bigint;
    v_documents bigint;
    v_group_rows bigint[];
    v_embedder_rows integer[];
    v_gone integer[];
BEGIN
    {enter}
    INSERT INTO {schema}.index_scopes AS s
        (tenant, user_id, collection, next_document, documents)
    VALUES (p_tenant, p_user, p_collection, 1 + v_count, v_count)
    ON CONFLICT (tenant, user_id, collection) DO UPDATE
        SET next_document = s.next_document + v_count, documents = s.documents + v_count
    RETURNING s.row, s.next_document - v_count, s.documents
        INTO v_scope, v_first, v_documents;
    ENTER_SCOPE(v_scope)
    INSERT INTO {schema}.index_groups (scope, name)
    SELECT v_scope, n FROM unnest(p_groups) AS n WHERE NOT EXISTS (
        SELECT FROM {schema}.index_groups AS g WHERE g.scope = v_scope AND g.name = n);
    INSERT INTO {schema}.index_embedders (name)
    SELECT n FROM unnest(p_embedders) AS n WHERE NOT EXISTS (
        SELECT FROM {schema}.index_embedders AS e WHERE e.name = n)
    ON CONFLICT DO NOTHING;
    SELECT array_agg(g.row ORDER BY n.at) INTO v_group_rows
    FROM unnest(p_groups) WITH ORDINALITY AS n(name, at)
    JOIN {schema}.index_groups AS g ON g.scope = v_scope AND g.name = n.name;
    SELECT array_agg(e.row ORDER BY n.at) INTO v_embedder_rows
    FROM unnest(p_embedders) WITH ORDINALITY AS n(name, at)
    JOIN {schema}.index_embedders AS e ON e.name = n.name;
    WITH gone AS (
        DELETE FROM {schema}.index_documents AS d
        USING unnest(p_group_at, p_names) AS n(group_at, name)
        WHERE d.scope = v_scope AND d.group_row = v_group_rows[n.group_at] AND d.name = n.name
        RETURNING d.embedder)
    SELECT array_agg(embedder) INTO v_gone FROM gone;
    IF v_gone IS NOT NULL THEN
        PERFORM {schema}.index_count(v_scope, v_gone, -1);
        UPDATE {schema}.index_scopes SET documents = documents - cardinality(v_gone)
        WHERE row = v_scope RETURNING documents INTO v_documents;
    END IF;
    INSERT INTO {schema}.index_documents (
        scope, number, group_row, position, created_at, traits, length, embedder, role,
        name, speaker, terms, tokens, vector)
    SELECT v_scope, v_first + n.at - 1, v_group_rows[n.group_at], n.position, n.created_at,
        n.traits, n.length, v_embedder_rows[n.embedder_at], n.role,
        n.name, n.speaker, n.terms, n.tokens, n.vector
    FROM unnest(p_group_at, p_embedder_at, p_positions, p_names, p_created_at, p_roles,
        p_speakers, p_traits, p_lengths, p_terms, p_tokens, p_vectors) WITH ORDINALITY
        AS n(group_at, embedder_at, position, name, created_at, role,
        speaker, traits, length, terms, tokens, vector, at);
    PERFORM {schema}.index_count(
        v_scope, ARRAY(SELECT v_embedder_rows[at] FROM unnest(p_embedder_at) AS at), 1);
    UPDATE {schema}.index_groups AS g SET watermark = m.mark
    FROM unnest(p_marked, p_marks) AS m(name, mark)
    WHERE g.scope = v_scope AND g.name = m.name AND g.watermark < m.mark;
    RETURN v_documents;
END $$"""

_DELETE = """CREATE FUNCTION {schema}.index_delete(
    p_tenant bytea, p_user bytea, p_collection text,
    p_group bytea, p_names bytea[], p_before bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_scope bigint;
    v_group bigint;
    v_gone integer[];
BEGIN
    {enter}
    SELECT s.row INTO v_scope FROM {schema}.index_scopes AS s
    WHERE s.tenant = p_tenant AND s.user_id = p_user AND s.collection = p_collection FOR UPDATE;
    ENTER_SCOPE(v_scope)
    SELECT g.row INTO v_group FROM {schema}.index_groups AS g
    WHERE g.scope = v_scope AND g.name = p_group;
    IF v_group IS NULL THEN
        RETURN 0;
    END IF;
    IF p_names IS NULL THEN
        WITH gone AS (
            DELETE FROM {schema}.index_documents AS d
            WHERE d.scope = v_scope AND d.group_row = v_group
                AND (p_before IS NULL OR d.position < p_before)
            RETURNING d.embedder)
        SELECT array_agg(embedder) INTO v_gone FROM gone;
    ELSE
        WITH gone AS (
            DELETE FROM {schema}.index_documents AS d USING unnest(p_names) AS n(name)
            WHERE d.scope = v_scope AND d.group_row = v_group AND d.name = n.name
                AND (p_before IS NULL OR d.position < p_before)
            RETURNING d.embedder)
        SELECT array_agg(embedder) INTO v_gone FROM gone;
    END IF;
    IF v_gone IS NOT NULL THEN
        PERFORM {schema}.index_count(v_scope, v_gone, -1);
        UPDATE {schema}.index_scopes
        SET epoch = epoch + 1, documents = documents - cardinality(v_gone)
        WHERE row = v_scope;
    END IF;
    IF p_names IS NULL AND p_before IS NULL THEN
        DELETE FROM {schema}.index_groups WHERE row = v_group;
    END IF;
    RETURN coalesce(cardinality(v_gone), 0);
END $$"""

_ERASE = """CREATE FUNCTION {schema}.index_erase(p_tenant bytea, p_user bytea, p_collections text[])
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_scope bigint;
    v_gone bigint;
    v_all bigint := 0;
BEGIN
    {enter}
    FOR v_scope IN
        SELECT s.row FROM {schema}.index_scopes AS s
        WHERE s.tenant = p_tenant AND s.user_id = p_user AND s.collection = ANY (p_collections)
        ORDER BY s.row FOR UPDATE
    LOOP
        ENTER_SCOPE(v_scope)
        DELETE FROM {schema}.index_documents WHERE scope = v_scope;
        GET DIAGNOSTICS v_gone = ROW_COUNT;
        v_all := v_all + v_gone;
        DELETE FROM {schema}.index_groups WHERE scope = v_scope;
        DELETE FROM {schema}.index_counts WHERE scope = v_scope;
        DELETE FROM {schema}.index_scopes WHERE row = v_scope;
    END LOOP;
    RETURN v_all;
END $$"""

# First a row about the scope (its row, epoch and count of documents stand in the first columns),
# unless there is none; then documents the caller does not have: those after `p_last`, or all if
# the scope is not of the caller's row and epoch; none if the scope has more than `p_most`.
# `p_slim` leaves out their words and tokens.
_READ = """CREATE FUNCTION {schema}.index_read(
    p_tenant bytea, p_user bytea, p_collection text,
    p_row bigint, p_epoch bigint, p_last bigint, p_most bigint, p_limit bigint, p_slim boolean)
RETURNS TABLE (
    number bigint, group_row bigint, "position" bigint, name bytea, created_at bigint,
    role smallint, speaker bytea, traits integer, length integer, embedder integer,
    terms bytea, tokens bytea, vector bytea, group_name bytea, embedder_name bytea)
LANGUAGE plpgsql STABLE ROWS 1000 AS $$
DECLARE
    v_row bigint;
    v_epoch bigint;
    v_documents bigint;
    v_last bigint;
BEGIN
    {enter}
    SELECT s.row, s.epoch, s.documents INTO v_row, v_epoch, v_documents
    FROM {schema}.index_scopes AS s
    WHERE s.tenant = p_tenant AND s.user_id = p_user AND s.collection = p_collection;
    IF v_row IS NULL THEN
        RETURN;
    END IF;
    number := v_row;
    group_row := v_epoch;
    "position" := v_documents;
    RETURN NEXT;
    IF v_documents > p_most THEN
        RETURN;
    END IF;
    ENTER_SCOPE(v_row)
    v_last := CASE WHEN v_row = p_row AND v_epoch = p_epoch THEN p_last ELSE 0 END;
    RETURN QUERY
    SELECT d.number, d.group_row, d.position, d.name, d.created_at, d.role, d.speaker, d.traits,
        d.length, d.embedder,
        CASE WHEN p_slim THEN ''::bytea ELSE d.terms END,
        CASE WHEN p_slim THEN ''::bytea ELSE d.tokens END, d.vector, g.name, e.name
    FROM {schema}.index_documents AS d
    JOIN {schema}.index_groups AS g ON g.row = d.group_row
    JOIN {schema}.index_embedders AS e ON e.row = d.embedder
    WHERE d.scope = v_row AND d.number > v_last
    ORDER BY d.number LIMIT p_limit;
END $$"""

_WATERMARK = """CREATE FUNCTION {schema}.index_watermark(
    p_tenant bytea, p_user bytea, p_collection text, p_group bytea)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_scope bigint;
BEGIN
    {enter}
    SELECT s.row INTO v_scope FROM {schema}.index_scopes AS s
    WHERE s.tenant = p_tenant AND s.user_id = p_user AND s.collection = p_collection;
    ENTER_SCOPE(v_scope)
    RETURN (SELECT g.watermark FROM {schema}.index_groups AS g
        WHERE g.scope = v_scope AND g.name = p_group);
END $$"""

# Of every tenant: which documents were made by another embedder, scope by scope.
_STALE = """CREATE FUNCTION {schema}.index_stale(
    p_collection text, p_embedder bytea, p_limit bigint)
RETURNS TABLE (
    tenant bytea, user_id bytea, group_name bytea, name bytea, "position" bigint)
LANGUAGE plpgsql STABLE ROWS 100 AS $$
DECLARE
    v_embedder integer;
    v_scope record;
    v_left bigint := p_limit;
    v_found bigint;
BEGIN
    {enter_all}
    SELECT coalesce(max(e.row), -1) INTO v_embedder
    FROM {schema}.index_embedders AS e WHERE e.name = p_embedder;
    FOR v_scope IN
        SELECT DISTINCT s.row, s.tenant, s.user_id
        FROM {schema}.index_counts AS c JOIN {schema}.index_scopes AS s ON s.row = c.scope
        WHERE c.embedder <> v_embedder AND c.documents > 0 AND s.collection = p_collection
    LOOP
        RETURN QUERY
        SELECT v_scope.tenant, v_scope.user_id, g.name, d.name, d.position
        FROM {schema}.index_documents AS d JOIN {schema}.index_groups AS g ON g.row = d.group_row
        WHERE d.scope = v_scope.row AND d.embedder <> v_embedder
        ORDER BY d.number LIMIT v_left;
        GET DIAGNOSTICS v_found = ROW_COUNT;
        v_left := v_left - v_found;
        EXIT WHEN v_left <= 0;
    END LOOP;
END $$"""

_STATE = """CREATE FUNCTION {schema}.index_state(p_tenant bytea, p_user bytea)
RETURNS TABLE (name bytea, documents bigint)
LANGUAGE plpgsql STABLE ROWS 2 AS $$
BEGIN
    {enter_all}
    RETURN QUERY
    SELECT e.name, sum(c.documents)::bigint
    FROM {schema}.index_counts AS c
    JOIN {schema}.index_embedders AS e ON e.row = c.embedder
    JOIN {schema}.index_scopes AS s ON s.row = c.scope
    WHERE (p_tenant IS NULL OR s.tenant = p_tenant) AND (p_user IS NULL OR s.user_id = p_user)
    GROUP BY e.name HAVING sum(c.documents) > 0;
END $$"""

_FUNCTIONS = (_COUNT, _PUT, _DELETE, _ERASE, _READ, _WATERMARK, _STALE, _STATE)

_MAINTENANCE = "(SELECT current_setting('daybook.maintenance', true) = 'on')"
_OF_SCOPE = "scope = (SELECT nullif(current_setting('daybook.index_scope', true), '')::bigint)"
POLICIES = {
    "index_scopes": "tenant = (SELECT decode(current_setting('daybook.tenant', true), 'hex')) "
    "AND user_id = (SELECT decode(current_setting('daybook.user', true), 'hex'))",
    "index_groups": _OF_SCOPE,
    "index_counts": _OF_SCOPE,
    "index_documents": _OF_SCOPE,
}


def function_body(function: str) -> str:
    """Return a function with its scopes' settings written out, and plans made once a session.

    With plans of its own each call would plan for every partition, which takes longer than to run.
    """
    function = function.replace(
        "LANGUAGE plpgsql", "LANGUAGE plpgsql SET plan_cache_mode = 'force_generic_plan'"
    )
    return sub(r"ENTER_SCOPE\((\w+)\)", lambda call: _ENTER_SCOPE.format(call[1]), function)


def walls(table: str, condition: str, *, partitioned: bool) -> list[str]:
    """Return what hides a table's rows from all but those whom they are about."""
    parts = range(PARTITIONS) if partitioned else ()
    names = [table, *(f"{table}_{part}" for part in parts)]
    return [
        *(f"ALTER TABLE {{schema}}.{name} ENABLE ROW LEVEL SECURITY" for name in names),
        *(f"ALTER TABLE {{schema}}.{name} FORCE ROW LEVEL SECURITY" for name in names),
        f"CREATE POLICY scope ON {{schema}}.{table} USING ({condition})",
        f"CREATE POLICY maintenance ON {{schema}}.{table} FOR SELECT USING ({_MAINTENANCE})",
    ]


SEARCH_INDEX: tuple[str, ...] = (
    *_TABLES,
    *(
        wall
        for table, condition in POLICIES.items()
        for wall in walls(table, condition, partitioned=table == "index_documents")
    ),
    *map(function_body, _FUNCTIONS),
)
