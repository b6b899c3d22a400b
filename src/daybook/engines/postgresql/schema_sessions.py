"""Step 1: the functions that make, find, change and remove sessions.

Locks are taken in one order, so that no two calls wait for each other: the row of the session's
id, then its owner's row (only where streams are shared or given up), then the session's row.
"""

from __future__ import annotations

from daybook.engines.postgresql.schema_tables import PARTITIONS

__all__ = ["SESSION_FUNCTIONS"]

# Where the messages that a session shows are: its own stream comes last.
_SEGMENTS = """CREATE FUNCTION {schema}.segments(p_session {schema}.sessions)
RETURNS TABLE (stream integer, first_seq integer, last_seq integer)
LANGUAGE sql STABLE AS $$
    SELECT g.stream, greatest(g.first_seq, p_session.first_seq), g.last_seq
    FROM unnest((p_session).segment_streams, (p_session).segment_firsts,
        (p_session).segment_lasts) AS g(stream, first_seq, last_seq)
    UNION ALL
    SELECT (p_session).stream, (p_session).first_seq, 2147483647
$$"""

# The partition of an owner's sessions and messages.
_PART_OF = """CREATE FUNCTION {schema}.part_of(p_owner integer) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT p FROM generate_series(0, PARTITIONS - 1) AS p
    WHERE satisfies_hash_partition('{schema}.sessions'::regclass, PARTITIONS, p, p_owner)
$$""".replace("PARTITIONS", str(PARTITIONS))

# Returns a live session, all fields NULL if it is missing; the transaction is about its owner then.
_FOUND = """CREATE FUNCTION {schema}.found_session(
    p_tenant bytea, p_user bytea, p_id bytea, p_now bigint) RETURNS {schema}.sessions
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_setting text;
    v_owner integer;
    v_number integer;
    v_session {schema}.sessions;
BEGIN
    {set_scope}
    SELECT k.owner, k.number INTO v_owner, v_number
    FROM {schema}.session_ids AS k
    WHERE k.tenant = p_tenant AND k.id = p_id AND (p_user IS NULL OR k.user_id = p_user);
    v_setting := set_config('daybook.owner', v_owner::text, true);
    SELECT * INTO v_session FROM {schema}.sessions AS s
    WHERE s.owner = v_owner AND s.number = v_number
        AND (s.expires_at IS NULL OR s.expires_at > p_now);
    RETURN v_session;
END $$"""

_LOCKED = """CREATE FUNCTION {schema}.locked_session(
    p_tenant bytea, p_user bytea, p_id bytea, p_now bigint) RETURNS {schema}.sessions
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_setting text;
    v_owner integer;
    v_number integer;
    v_session {schema}.sessions;
BEGIN
    {set_scope}
    SELECT k.owner, k.number INTO v_owner, v_number
    FROM {schema}.session_ids AS k
    WHERE k.tenant = p_tenant AND k.id = p_id AND (p_user IS NULL OR k.user_id = p_user);
    v_setting := set_config('daybook.owner', v_owner::text, true);
    SELECT * INTO v_session FROM {schema}.sessions AS s
    WHERE s.owner = v_owner AND s.number = v_number
        AND (s.expires_at IS NULL OR s.expires_at > p_now) FOR UPDATE;
    RETURN v_session;
END $$"""

# The user whose session has an id, in the whole tenant; NULL if it is free.
_HOLDER = """CREATE FUNCTION {schema}.holder(p_tenant bytea, p_id bytea) RETURNS bytea
LANGUAGE plpgsql AS $$
DECLARE
    v_setting text;
BEGIN
    v_setting := set_config('daybook.tenant', encode(p_tenant, 'hex'), true);
    v_setting := set_config('daybook.user', '', true);
    RETURN (SELECT k.user_id FROM {schema}.session_ids AS k
        WHERE k.tenant = p_tenant AND k.id = p_id);
END $$"""

# Takes a free id, or one whose session has expired, for a new session. `number` is NULL if a live
# session of the tenant has it.
_CLAIM = """CREATE FUNCTION {schema}.claim_id(
    p_tenant bytea, p_user bytea, p_id bytea, p_now bigint, OUT owner integer, OUT number integer)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_setting text;
    v_held record;
BEGIN
    v_setting := set_config('daybook.tenant', encode(p_tenant, 'hex'), true);
    v_setting := set_config('daybook.user', '', true);
    INSERT INTO {schema}.owners AS o (tenant, user_id)
    SELECT p_tenant, p_user WHERE NOT EXISTS (
        SELECT FROM {schema}.owners AS o WHERE o.tenant = p_tenant AND o.user_id = p_user)
    ON CONFLICT DO NOTHING;
    SELECT o.owner INTO claim_id.owner FROM {schema}.owners AS o
    WHERE o.tenant = p_tenant AND o.user_id = p_user;
    LOOP
        claim_id.number := nextval('{schema}.session_numbers');
        INSERT INTO {schema}.session_ids AS k (tenant, id, user_id, owner, number)
        VALUES (p_tenant, p_id, p_user, claim_id.owner, claim_id.number)
        ON CONFLICT DO NOTHING;
        EXIT WHEN FOUND;
        SELECT k.owner, k.number, k.user_id INTO v_held FROM {schema}.session_ids AS k
        WHERE k.tenant = p_tenant AND k.id = p_id FOR UPDATE;
        CONTINUE WHEN NOT FOUND;
        IF EXISTS (
            SELECT FROM {schema}.sessions AS s
            WHERE s.owner = v_held.owner AND s.number = v_held.number
                AND (s.expires_at IS NULL OR s.expires_at > p_now))
        THEN
            claim_id.number := NULL;
            RETURN;
        END IF;
        PERFORM {schema}.remove_session(
            p_tenant, v_held.user_id, p_id, v_held.owner, v_held.number);
    END LOOP;
    v_setting := set_config('daybook.owner', claim_id.owner::text, true);
END $$"""

_CREATE = """CREATE FUNCTION {schema}.create_session(
    p_tenant bytea, p_user bytea, p_id bytea, p_now bigint, p_created bigint, p_active bigint,
    p_expires bigint, p_ttl bigint, p_first integer, p_max_messages bigint, p_header bytea,
    OUT owner integer, OUT number integer)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    SELECT c.owner, c.number INTO create_session.owner, create_session.number
    FROM {schema}.claim_id(p_tenant, p_user, p_id, p_now) AS c;
    IF create_session.number IS NOT NULL THEN
        INSERT INTO {schema}.sessions AS s (
            owner, number, stream, first_seq, last_seq, message_count, token_count,
            created_at, last_active_at, expires_at, ttl, role_counts, max_messages,
            tenant, user_id, id, header)
        VALUES (
            create_session.owner, create_session.number, create_session.number,
            p_first, p_first - 1, 0, 0, p_created, p_active, p_expires, p_ttl,
            ARRAY[0, 0, 0, 0], p_max_messages, p_tenant, p_user, p_id, p_header);
    END IF;
END $$"""

# Removes what nobody refers to any more of a stream: its writer, if any, and the forks.
_TRIM = """CREATE FUNCTION {schema}.trim_stream(p_owner integer, p_stream integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_first integer;
BEGIN
    SELECT s.first_seq INTO v_first FROM {schema}.sessions AS s
    WHERE s.owner = p_owner AND s.stream = p_stream;
    DELETE FROM {schema}.messages AS m
    WHERE m.owner = p_owner AND m.stream = p_stream AND (v_first IS NULL OR m.seq < v_first)
        AND NOT EXISTS (
            SELECT FROM {schema}.stream_refs AS r
            WHERE r.owner = p_owner AND r.stream = p_stream
                AND m.seq BETWEEN r.first_seq AND r.last_seq);
END $$"""

# Gives up a session's messages; forks keep theirs. The caller holds the owner's row. Tells whether
# messages of the session's own stream stay behind.
_RELEASE = """CREATE FUNCTION {schema}.release_streams(
    p_owner integer, p_number integer, p_stream integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_inherited integer[];
    v_each integer;
BEGIN
    WITH given AS (
        DELETE FROM {schema}.stream_refs AS r
        WHERE r.owner = p_owner AND r.holder = p_number RETURNING r.stream)
    SELECT array_agg(g.stream) INTO v_inherited FROM given AS g;
    IF v_inherited IS NOT NULL THEN
        FOREACH v_each IN ARRAY v_inherited LOOP
            PERFORM {schema}.trim_stream(p_owner, v_each);
        END LOOP;
    END IF;
    DELETE FROM {schema}.messages AS m
    WHERE m.owner = p_owner AND m.stream = p_stream AND NOT EXISTS (
        SELECT FROM {schema}.stream_refs AS r
        WHERE r.owner = p_owner AND r.stream = p_stream
            AND m.seq BETWEEN r.first_seq AND r.last_seq);
    RETURN EXISTS (
        SELECT FROM {schema}.stream_refs AS r WHERE r.owner = p_owner AND r.stream = p_stream);
END $$"""

# Removes a session whose id's row the caller holds, and marks the change.
_REMOVE = """CREATE FUNCTION {schema}.remove_session(
    p_tenant bytea, p_user bytea, p_id bytea, p_owner integer, p_number integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_setting text;
    v_stream integer;
BEGIN
    v_setting := set_config('daybook.owner', p_owner::text, true);
    PERFORM FROM {schema}.owners AS o
    WHERE o.tenant = p_tenant AND o.user_id = p_user FOR UPDATE;
    DELETE FROM {schema}.sessions AS s WHERE s.owner = p_owner AND s.number = p_number
    RETURNING s.stream INTO v_stream;
    PERFORM {schema}.release_streams(p_owner, p_number, v_stream);
    DELETE FROM {schema}.session_ids AS k WHERE k.tenant = p_tenant AND k.id = p_id;
    PERFORM {schema}.mark_pending(p_tenant, p_user, p_id, p_owner, p_number);
END $$"""

# Tells whether a live session was there; one that has expired is removed all the same.
_DELETE = """CREATE FUNCTION {schema}.delete_session(
    p_tenant bytea, p_user bytea, p_id bytea, p_now bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_setting text;
    v_held record;
    v_live boolean;
BEGIN
    {set_scope}
    SELECT k.owner, k.number, k.user_id INTO v_held FROM {schema}.session_ids AS k
    WHERE k.tenant = p_tenant AND k.id = p_id AND (p_user IS NULL OR k.user_id = p_user)
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM FROM {schema}.owners AS o WHERE o.owner = v_held.owner FOR UPDATE;
    SELECT s.expires_at IS NULL OR s.expires_at > p_now INTO v_live FROM {schema}.sessions AS s
    WHERE s.owner = v_held.owner AND s.number = v_held.number FOR UPDATE;
    PERFORM {schema}.remove_session(p_tenant, v_held.user_id, p_id, v_held.owner, v_held.number);
    RETURN v_live;
END $$"""

_CLEAR = """CREATE FUNCTION {schema}.clear_session(
    p_tenant bytea, p_user bytea, p_id bytea, p_now bigint) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_session {schema}.sessions;
    v_stream integer;
BEGIN
    v_session := {schema}.found_session(p_tenant, p_user, p_id, p_now);
    PERFORM FROM {schema}.owners AS o
    WHERE o.tenant = p_tenant AND o.user_id = v_session.user_id FOR UPDATE;
    v_session := {schema}.locked_session(p_tenant, p_user, p_id, p_now);
    IF v_session.number IS NULL OR v_session.message_count = 0 THEN
        RETURN 0;
    END IF;
    v_stream := v_session.stream;
    IF {schema}.release_streams(v_session.owner, v_session.number, v_stream) THEN
        v_stream := nextval('{schema}.session_numbers'); -- the ids in the old one stay taken
    END IF;
    UPDATE {schema}.sessions AS s SET
        first_seq = s.last_seq + 1, message_count = 0, token_count = 0,
        role_counts = ARRAY[0, 0, 0, 0], stream = v_stream, changes = s.changes + 1,
        revision = s.revision + 1, segment_streams = NULL, segment_firsts = NULL,
        segment_lasts = NULL
    WHERE s.owner = v_session.owner AND s.number = v_session.number;
    PERFORM {schema}.mark_pending(
        p_tenant, v_session.user_id, p_id, v_session.owner, v_session.number);
    RETURN v_session.message_count;
END $$"""

# Writes what the caller worked out from the session it read; nothing if that has changed since.
_UPDATE = """CREATE FUNCTION {schema}.update_session(
    p_tenant bytea, p_user bytea, p_id bytea, p_now bigint, p_number integer, p_revision integer,
    p_header bytea, p_max_messages bigint, p_ttl bigint, p_active bigint,
    p_moved boolean, p_expires bigint) RETURNS SETOF {schema}.sessions
LANGUAGE plpgsql AS $$
DECLARE
    v_session {schema}.sessions;
BEGIN
    v_session := {schema}.locked_session(p_tenant, p_user, p_id, p_now);
    IF v_session.number = p_number AND v_session.revision = p_revision THEN
        RETURN QUERY UPDATE {schema}.sessions AS s SET
            header = p_header, max_messages = p_max_messages, ttl = p_ttl,
            last_active_at = coalesce(p_active, s.last_active_at),
            expires_at = CASE WHEN p_moved THEN p_expires ELSE s.expires_at END,
            revision = s.revision + 1
        WHERE s.owner = v_session.owner AND s.number = v_session.number
        RETURNING s.*;
    END IF;
END $$"""

# Removes up to `p_limit` expired sessions; one that another call is busy with is left to it.
_SWEEP = """CREATE FUNCTION {schema}.sweep_sessions(p_now bigint, p_limit integer)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_setting text;
    v_old record;
    v_removed integer := 0;
BEGIN
    v_setting := set_config('daybook.maintenance', 'on', true);
    FOR v_old IN
        SELECT s.tenant, s.user_id, s.id, s.owner, s.number FROM {schema}.sessions AS s
        WHERE s.expires_at <= p_now ORDER BY s.owner, s.number LIMIT p_limit
    LOOP
        PERFORM FROM {schema}.session_ids AS k
        WHERE k.tenant = v_old.tenant AND k.id = v_old.id AND k.number = v_old.number
        FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        PERFORM FROM {schema}.owners AS o WHERE o.owner = v_old.owner FOR UPDATE;
        PERFORM FROM {schema}.sessions AS s
        WHERE s.owner = v_old.owner AND s.number = v_old.number AND s.expires_at <= p_now
        FOR UPDATE;
        CONTINUE WHEN NOT FOUND;
        PERFORM {schema}.remove_session(
            v_old.tenant, v_old.user_id, v_old.id, v_old.owner, v_old.number);
        v_removed := v_removed + 1;
    END LOOP;
    RETURN v_removed;
END $$"""

SESSION_FUNCTIONS: tuple[str, ...] = (
    _SEGMENTS,
    _PART_OF,
    _FOUND,
    _LOCKED,
    _HOLDER,
    _TRIM,
    _RELEASE,
    _REMOVE,
    _CLAIM,
    _CREATE,
    _DELETE,
    _CLEAR,
    _UPDATE,
    _SWEEP,
)
