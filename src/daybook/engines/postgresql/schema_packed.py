"""Step 7: bodies are stored without what stands in columns beside them (`enginekit.packed_bodies`).

The functions that read messages give role, tokens and id with each body, so that it can be
completed. Bodies of earlier versions stay as they are, but for those (never Daybook's own) that
begin like a packed one.
"""

from __future__ import annotations

from daybook.engines.postgresql.schema_tables import PARTITIONS

__all__ = ["PACKED_BODIES"]

# Policies show the table's owner no message, whoever brings the schema up to date.
_MARK_OLD = (
    "ALTER TABLE {schema}.messages NO FORCE ROW LEVEL SECURITY",
    r"""UPDATE {schema}.messages SET body = '\x00'::bytea || body
        WHERE substr(body, 1, 1) < '\x03'::bytea""",
    "ALTER TABLE {schema}.messages FORCE ROW LEVEL SECURITY",
)

# Messages with ``p_after < seq < p_before``, whichever streams they are in.
_SHOWN = """CREATE FUNCTION {schema}.packed_messages(
    p_session {schema}.sessions, p_after bigint, p_before bigint, p_limit bigint, p_newest boolean)
RETURNS TABLE (seq integer, meta integer, id text, body bytea)
LANGUAGE plpgsql STABLE ROWS 100 SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_parts integer := coalesce(cardinality((p_session).segment_streams), 0) + 1;
    v_part integer;
    v_stream integer;
    v_after bigint;
    v_before bigint;
    v_left bigint := p_limit;
    v_found bigint;
BEGIN
    p_after := greatest(p_after, (p_session).first_seq - 1);
    FOR v_step IN 1 .. v_parts LOOP
        v_part := CASE WHEN p_newest THEN v_parts + 1 - v_step ELSE v_step END;
        IF v_part = v_parts THEN
            v_stream := (p_session).stream;
            v_after := p_after;
            v_before := p_before;
        ELSE
            v_stream := (p_session).segment_streams[v_part];
            v_after := greatest(p_after, (p_session).segment_firsts[v_part] - 1);
            v_before := least(p_before, (p_session).segment_lasts[v_part] + 1);
        END IF;
        IF p_newest THEN
            RETURN QUERY SELECT m.seq, m.meta, m.id::text, m.body FROM {schema}.messages AS m
            WHERE m.owner = (p_session).owner AND m.stream = v_stream
                AND m.seq > v_after AND m.seq < v_before
            ORDER BY m.seq DESC LIMIT v_left;
        ELSE
            RETURN QUERY SELECT m.seq, m.meta, m.id::text, m.body FROM {schema}.messages AS m
            WHERE m.owner = (p_session).owner AND m.stream = v_stream
                AND m.seq > v_after AND m.seq < v_before
            ORDER BY m.seq LIMIT v_left;
        END IF;
        GET DIAGNOSTICS v_found = ROW_COUNT;
        v_left := v_left - v_found;
        EXIT WHEN v_left <= 0;
    END LOOP;
END $$"""

# Of a live session the first row has number 0 and tells where the session is: the partition, and
# owner, number and user in eight bytes and the rest.
_READ = """CREATE FUNCTION {schema}.read_packed(
    p_tenant bytea, p_user bytea, p_id bytea, p_now bigint,
    p_after bigint, p_before bigint, p_limit bigint, p_newest boolean, p_view boolean)
RETURNS TABLE (seq integer, meta integer, id text, body bytea)
LANGUAGE plpgsql STABLE ROWS 100 AS $$
DECLARE
    v_session {schema}.sessions;
BEGIN
    v_session := {schema}.found_session(p_tenant, p_user, p_id, p_now);
    IF v_session.number IS NULL THEN
        RETURN;
    END IF;
    IF p_view AND v_session.max_messages IS NOT NULL THEN
        p_after := greatest(p_after, v_session.last_seq - v_session.max_messages);
    END IF;
    RETURN QUERY SELECT 0, {schema}.part_of(v_session.owner), NULL::text,
        int4send(v_session.owner) || int4send(v_session.number) || v_session.user_id;
    RETURN QUERY SELECT m.seq, m.meta, m.id, m.body
    FROM {schema}.packed_messages(v_session, p_after, p_before, p_limit, p_newest) AS m;
END $$"""

# The same for a session whose place is known, without the first row; where it is not there any
# more, or was forked, there is one row with number -1, and `read_packed` tells.
_READ_PART = """CREATE FUNCTION {schema}.read_packed_PART(
    p_tenant bytea, p_user bytea, p_id bytea, p_now bigint, p_owner integer, p_number integer,
    p_after bigint, p_before bigint, p_limit bigint, p_newest boolean, p_view boolean)
RETURNS TABLE (seq integer, meta integer, id text, body bytea)
LANGUAGE plpgsql STABLE ROWS 100 AS $$
DECLARE
    v_setting text;
    v_stream integer;
    v_first integer;
    v_last integer;
    v_most bigint;
BEGIN
    {set_scope}
    SELECT s.stream, s.first_seq, s.last_seq, s.max_messages
    INTO v_stream, v_first, v_last, v_most
    FROM {schema}.sessions_PART AS s
    WHERE s.owner = p_owner AND s.number = p_number AND s.tenant = p_tenant AND s.id = p_id
        AND (s.expires_at IS NULL OR s.expires_at > p_now) AND s.segment_streams IS NULL;
    IF v_stream IS NULL THEN
        seq := -1;
        RETURN NEXT;
        RETURN;
    END IF;
    v_setting := set_config('daybook.owner', p_owner::text, true);
    p_after := greatest(p_after, v_first - 1,
        CASE WHEN p_view THEN v_last - v_most ELSE 0 END);
    IF p_newest THEN
        RETURN QUERY SELECT m.seq, m.meta, m.id::text, m.body FROM {schema}.messages_PART AS m
        WHERE m.owner = p_owner AND m.stream = v_stream AND m.seq > p_after AND m.seq < p_before
        ORDER BY m.seq DESC LIMIT p_limit;
    ELSE
        RETURN QUERY SELECT m.seq, m.meta, m.id::text, m.body FROM {schema}.messages_PART AS m
        WHERE m.owner = p_owner AND m.stream = v_stream AND m.seq > p_after AND m.seq < p_before
        ORDER BY m.seq LIMIT p_limit;
    END IF;
END $$"""

_READ_AT = """CREATE FUNCTION {schema}.read_packed_places(
    p_tenant bytea, p_user bytea, p_now bigint, p_ids bytea[], p_firsts bigint[], p_lasts bigint[])
RETURNS TABLE (place integer, seq integer, meta integer, id text, body bytea)
LANGUAGE plpgsql STABLE ROWS 100 AS $$
DECLARE
    v_session {schema}.sessions;
BEGIN
    FOR v_place IN 1 .. cardinality(p_ids) LOOP
        v_session := {schema}.found_session(p_tenant, p_user, p_ids[v_place], p_now);
        CONTINUE WHEN v_session.number IS NULL;
        RETURN QUERY SELECT v_place, m.seq, m.meta, m.id, m.body
        FROM {schema}.packed_messages(
            v_session, p_firsts[v_place] - 1, p_lasts[v_place] + 1, NULL, false) AS m;
    END LOOP;
END $$"""

# Named anew, so that a process of an earlier version meets an error, not other columns.
_GONE = (
    "shown_messages",
    "read_messages",
    *(f"read_{part}" for part in range(PARTITIONS)),
    "read_places",
)

PACKED_BODIES: tuple[str, ...] = (
    *_MARK_OLD,
    *(f"DROP FUNCTION IF EXISTS {{schema}}.{name}" for name in _GONE),
    _SHOWN,
    _READ,
    *(_READ_PART.replace("PART", str(part)) for part in range(PARTITIONS)),
    _READ_AT,
)
