"""Step 1: the functions that list and count sessions, fork, and keep the marks."""

from __future__ import annotations

__all__ = ["READ_FUNCTIONS"]

_GET = """CREATE FUNCTION {schema}.get_session(
    p_tenant bytea, p_user bytea, p_id bytea, p_now bigint) RETURNS SETOF {schema}.sessions
LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    v_session {schema}.sessions;
BEGIN
    v_session := {schema}.found_session(p_tenant, p_user, p_id, p_now);
    IF v_session.number IS NOT NULL THEN
        RETURN NEXT v_session;
    END IF;
END $$"""

_LIST = """CREATE FUNCTION {schema}.list_sessions(
    p_tenant bytea, p_user bytea, p_now bigint, p_limit bigint, p_active bigint, p_id bytea)
RETURNS SETOF {schema}.sessions LANGUAGE plpgsql STABLE ROWS 20 AS $$
DECLARE
    v_setting text;
BEGIN
    {set_scope}
    RETURN QUERY SELECT s.* FROM {schema}.owners AS o
    JOIN {schema}.sessions AS s ON s.owner = o.owner
    WHERE o.tenant = p_tenant AND (p_user IS NULL OR o.user_id = p_user)
        AND (s.expires_at IS NULL OR s.expires_at > p_now)
        AND (p_active IS NULL OR s.last_active_at < p_active
            OR s.last_active_at = p_active AND s.id > p_id)
    ORDER BY s.last_active_at DESC, s.id LIMIT p_limit;
END $$"""

# One row; of one session if `p_id` is given.
_STATS = """CREATE FUNCTION {schema}.count_sessions(
    p_tenant bytea, p_user bytea, p_id bytea, p_now bigint,
    OUT sessions bigint, OUT tokens bigint, OUT first_at bigint, OUT last_at bigint,
    OUT systems bigint, OUT users bigint, OUT assistants bigint, OUT tools bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_setting text;
BEGIN
    {set_scope}
    SELECT count(*), coalesce(sum(s.token_count), 0), max(s.last_active_at),
        coalesce(sum(s.role_counts[1]), 0), coalesce(sum(s.role_counts[2]), 0),
        coalesce(sum(s.role_counts[3]), 0), coalesce(sum(s.role_counts[4]), 0),
        min(s.created_at)
    INTO sessions, tokens, last_at, systems, users, assistants, tools, first_at
    FROM {schema}.owners AS o JOIN {schema}.sessions AS s ON s.owner = o.owner
    WHERE o.tenant = p_tenant AND (p_user IS NULL OR o.user_id = p_user)
        AND (p_id IS NULL OR s.id = p_id)
        AND (s.expires_at IS NULL OR s.expires_at > p_now);
END $$"""

# What a fork at `p_at` shares, and the parent; nothing if that is missing.
_FORK_FACTS = """CREATE FUNCTION {schema}.fork_facts(
    p_tenant bytea, p_user bytea, p_id bytea, p_now bigint, p_at bigint,
    OUT parent {schema}.sessions, OUT messages bigint, OUT tokens bigint, OUT roles integer[])
LANGUAGE plpgsql STABLE AS $$
BEGIN
    parent := {schema}.found_session(p_tenant, p_user, p_id, p_now);
    IF p_at IS NULL OR p_at = parent.last_seq THEN
        messages := parent.message_count;
        tokens := parent.token_count;
        roles := parent.role_counts;
        RETURN;
    END IF;
    SELECT count(*), coalesce(sum(m.meta >> 2), 0), ARRAY[
        count(*) FILTER (WHERE m.meta & 3 = 0)::integer,
        count(*) FILTER (WHERE m.meta & 3 = 1)::integer,
        count(*) FILTER (WHERE m.meta & 3 = 2)::integer,
        count(*) FILTER (WHERE m.meta & 3 = 3)::integer]
    INTO messages, tokens, roles
    FROM {schema}.segments(parent) AS g JOIN {schema}.messages AS m
        ON m.owner = parent.owner AND m.stream = g.stream
        AND m.seq BETWEEN g.first_seq AND least(g.last_seq, p_at);
END $$"""

# Status 0: made, 2: the id is taken. Where the parent is not what `fork_facts` told any more,
# nothing is made and the error is ``DBK04``.
_FORK = """CREATE FUNCTION {schema}.fork_session(
    p_tenant bytea, p_user bytea, p_id bytea, p_now bigint,
    p_parent_number integer, p_parent_stream integer, p_parent_first integer,
    p_child bytea, p_child_user bytea, p_active bigint, p_expires bigint, p_ttl bigint,
    p_created bigint, p_max_messages bigint, p_header bytea, p_at integer, p_messages integer,
    p_tokens bigint, p_roles integer[],
    p_streams integer[], p_firsts integer[], p_lasts integer[], OUT status integer)
LANGUAGE plpgsql AS $$
DECLARE
    v_owner integer;
    v_number integer;
    v_parent {schema}.sessions;
BEGIN
    SELECT c.owner, c.number INTO v_owner, v_number
    FROM {schema}.claim_id(p_tenant, p_child_user, p_child, p_now) AS c;
    IF v_number IS NULL THEN
        status := 2;
        RETURN;
    END IF;
    PERFORM FROM {schema}.owners AS o WHERE o.owner = v_owner FOR UPDATE;
    v_parent := {schema}.found_session(p_tenant, p_user, p_id, p_now);
    IF v_parent.number IS DISTINCT FROM p_parent_number
        OR v_parent.stream <> p_parent_stream OR v_parent.first_seq <> p_parent_first
    THEN
        RAISE EXCEPTION 'daybook: the parent changed' USING ERRCODE = 'DBK04';
    END IF;
    INSERT INTO {schema}.sessions (
        owner, number, stream, first_seq, last_seq, message_count, token_count,
        last_active_at, expires_at, ttl, created_at, role_counts, max_messages, changes,
        segment_streams, segment_firsts, segment_lasts, tenant, user_id, id, header)
    VALUES (
        v_owner, v_number, v_number, p_parent_first, p_at, p_messages, p_tokens,
        p_active, p_expires, p_ttl, p_created, p_roles, p_max_messages, 1,
        p_streams, p_firsts, p_lasts, p_tenant, p_child_user, p_child, p_header);
    INSERT INTO {schema}.stream_refs (owner, stream, holder, first_seq, last_seq)
    SELECT v_owner, g.stream, v_number, g.first_seq, g.last_seq
    FROM unnest(p_streams, p_firsts, p_lasts) AS g(stream, first_seq, last_seq);
    PERFORM {schema}.mark_pending(p_tenant, p_child_user, p_child, v_owner, v_number);
    status := 0;
END $$"""

_TENANTS = """CREATE FUNCTION {schema}.list_tenants() RETURNS SETOF bytea
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_setting text;
BEGIN
    {set_maintenance}
    RETURN QUERY SELECT DISTINCT o.tenant FROM {schema}.owners AS o ORDER BY o.tenant;
END $$"""

# A mark is the session's number and its count of changes; the highest count there is stands for
# the end of the session.
_PENDING = """CREATE FUNCTION {schema}.list_pending(p_tenant bytea, p_user bytea, p_limit bigint)
RETURNS TABLE (tenant bytea, user_id bytea, id bytea, mark bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_setting text;
BEGIN
    {set_some_scope}
    RETURN QUERY SELECT p.tenant, p.user_id, p.id,
        (p.number::bigint << 32) + coalesce(s.changes, 4294967295)
    FROM {schema}.pending AS p
    LEFT JOIN {schema}.sessions AS s ON s.owner = p.owner AND s.number = p.number
    WHERE (p_tenant IS NULL OR p.tenant = p_tenant) AND (p_user IS NULL OR p.user_id = p_user)
    ORDER BY p.change LIMIT p_limit;
END $$"""

_SETTLE = """CREATE FUNCTION {schema}.settle(
    p_tenants bytea[], p_users bytea[], p_ids bytea[], p_marks bigint[]) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_setting text;
    v_one record;
    v_settled integer := 0;
BEGIN
    {set_maintenance}
    FOR v_one IN
        SELECT n.tenant, n.user_id, n.id, n.mark, p.owner, p.number
        FROM unnest(p_tenants, p_users, p_ids, p_marks) AS n(tenant, user_id, id, mark)
        JOIN {schema}.pending AS p
            ON p.tenant = n.tenant AND p.user_id = n.user_id AND p.id = n.id
        WHERE p.number = n.mark >> 32
        ORDER BY n.tenant, n.user_id, n.id
    LOOP
        IF v_one.mark & 4294967295 = 4294967295 THEN
            CONTINUE WHEN EXISTS (
                SELECT FROM {schema}.sessions AS s
                WHERE s.owner = v_one.owner AND s.number = v_one.number);
        ELSE
            UPDATE {schema}.sessions AS s SET settled = s.changes
            WHERE s.owner = v_one.owner AND s.number = v_one.number
                AND s.changes = v_one.mark & 4294967295;
            CONTINUE WHEN NOT FOUND;
        END IF;
        DELETE FROM {schema}.pending AS p
        WHERE p.tenant = v_one.tenant AND p.user_id = v_one.user_id AND p.id = v_one.id
            AND p.number = v_one.number;
        v_settled := v_settled + 1;
    END LOOP;
    RETURN v_settled;
END $$"""

READ_FUNCTIONS: tuple[str, ...] = (
    _GET,
    _LIST,
    _STATS,
    _FORK_FACTS,
    _FORK,
    _TENANTS,
    _PENDING,
    _SETTLE,
)
