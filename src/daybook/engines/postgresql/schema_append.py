"""Step 1: the functions that write messages; each is one round trip and one transaction.

``{set_scope}`` says whose data the transaction is about; `v_setting` only takes what `set_config`
returns, because an assignment costs a fifth of a query.

There are two ways to append. `append_known` finds the session or creates it, looks which messages
are stored already, and tells where the session is. Who knows that uses ``append_0`` and so on,
which believe that the session is still there and every message is new, and give up otherwise: with
status 1, or with SQLSTATE ``DBK01``.
"""

from __future__ import annotations

from daybook.engines.postgresql.schema_tables import PARTITIONS

__all__ = ["APPEND_FUNCTIONS"]

# Notes that a session changed; a mark that is there already stays where it is in the queue.
_MARK = """CREATE FUNCTION {schema}.mark_pending(
    p_tenant bytea, p_user bytea, p_id bytea, p_owner integer, p_number integer)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO {schema}.pending AS p (tenant, user_id, id, owner, number)
    VALUES (p_tenant, p_user, p_id, p_owner, p_number)
    ON CONFLICT (tenant, user_id, id) DO UPDATE SET number = excluded.number
        WHERE p.number <> excluded.number
$$"""

# Status 0: stored, 1: not there any more. A session's row is locked from its update to the commit,
# so numbers have no gaps, and the unique index of ids finds what is known whatever the planner
# thinks. There is one such function for each partition: a statement over all partitions would look
# at every one of them before it writes to one.
_APPEND = """CREATE FUNCTION {schema}.append_PART(
    p_tenant bytea, p_user bytea, p_id bytea, p_now bigint, p_owner integer, p_number integer,
    p_ids uuid[], p_fingerprints bigint[], p_metas integer[], p_bodies bytea[],
    p_tokens bigint, p_roles integer[], OUT status integer, OUT last_seq integer)
LANGUAGE plpgsql AS $$
DECLARE
    v_setting text;
    v_count integer := cardinality(p_ids);
    v_stream integer;
    v_unmarked boolean;
    v_streams integer[];
    v_firsts integer[];
    v_lasts integer[];
    v_added integer;
BEGIN
    {set_scope}
    UPDATE {schema}.sessions_PART AS s SET
        last_seq = s.last_seq + v_count,
        message_count = s.message_count + v_count,
        token_count = s.token_count + p_tokens,
        role_counts = ARRAY[
            s.role_counts[1] + p_roles[1], s.role_counts[2] + p_roles[2],
            s.role_counts[3] + p_roles[3], s.role_counts[4] + p_roles[4]],
        last_active_at = p_now,
        expires_at = p_now + s.ttl,
        changes = s.changes + 1
    WHERE s.owner = p_owner AND s.number = p_number AND s.tenant = p_tenant AND s.id = p_id
        AND (s.expires_at IS NULL OR s.expires_at > p_now)
    RETURNING s.stream, s.last_seq, s.settled = s.changes - 1,
        s.segment_streams, s.segment_firsts, s.segment_lasts
    INTO v_stream, last_seq, v_unmarked, v_streams, v_firsts, v_lasts;
    IF v_stream IS NULL THEN
        status := 1;
        RETURN;
    END IF;
    v_setting := set_config('daybook.owner', p_owner::text, true);
    INSERT INTO {schema}.messages_PART (owner, stream, fingerprint, id, seq, meta, body)
    SELECT p_owner, v_stream, n.fingerprint, n.id, last_seq - v_count + n.at::integer,
        n.meta, n.body
    FROM unnest(p_ids, p_fingerprints, p_metas, p_bodies)
        WITH ORDINALITY AS n(id, fingerprint, meta, body, at)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS v_added = ROW_COUNT;
    IF v_added < v_count OR v_streams IS NOT NULL AND EXISTS (
        SELECT FROM unnest(v_streams, v_firsts, v_lasts) AS g(stream, first_seq, last_seq)
        JOIN {schema}.messages_PART AS m ON m.owner = p_owner AND m.stream = g.stream
            AND m.id = ANY (p_ids) AND m.seq BETWEEN g.first_seq AND g.last_seq)
    THEN
        RAISE EXCEPTION 'daybook: a message is known' USING ERRCODE = 'DBK01';
    END IF;
    IF v_unmarked THEN
        PERFORM {schema}.mark_pending(p_tenant, p_user, p_id, p_owner, p_number);
    END IF;
    status := 0;
END $$"""

# Status 0: stored, 1: missing, 2: a known id with another body (`first_seq` is its place in the
# batch), 3: the id belongs to another user. With `p_create_user` the session is created if it is
# missing.
_APPEND_KNOWN = """CREATE FUNCTION {schema}.append_known(
    p_tenant bytea, p_user bytea, p_id bytea, p_now bigint,
    p_ids uuid[], p_fingerprints bigint[], p_metas integer[], p_bodies bytea[],
    p_create_user bytea, p_created bigint, p_active bigint, p_expires bigint, p_ttl bigint,
    p_first integer, p_max_messages bigint, p_header bytea,
    OUT status integer, OUT first_seq integer, OUT last_seq integer, OUT duplicates integer,
    OUT user_id bytea, OUT owner integer, OUT number integer, OUT part integer)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_session {schema}.sessions;
    v_made integer;
    v_known uuid[];
    v_seqs integer[];
    v_clash integer;
    v_added integer;
    v_tokens bigint;
    v_roles integer[];
BEGIN
    LOOP
        v_session := {schema}.locked_session(p_tenant, p_user, p_id, p_now);
        EXIT WHEN v_session.number IS NOT NULL;
        IF p_create_user IS NULL THEN
            status := 1;
            RETURN;
        END IF;
        SELECT c.number INTO v_made FROM {schema}.create_session(
            p_tenant, p_create_user, p_id, p_now, p_created, p_active, p_expires, p_ttl,
            p_first, p_max_messages, p_header) AS c;
        IF v_made IS NULL AND {schema}.holder(p_tenant, p_id) <> p_create_user THEN
            status := 3;
            RETURN;
        END IF;
    END LOOP;
    user_id := v_session.user_id;
    owner := v_session.owner;
    number := v_session.number;
    part := {schema}.part_of(owner);
    IF user_id <> p_create_user THEN
        status := 3;
        RETURN;
    END IF;
    SELECT array_agg(k.id), array_agg(k.seq), min(k.at) FILTER (WHERE k.fingerprint <> k.given)
    INTO v_known, v_seqs, v_clash
    FROM (
        SELECT n.id, n.fingerprint AS given, n.at, m.seq, m.fingerprint
        FROM unnest(p_ids, p_fingerprints) WITH ORDINALITY AS n(id, fingerprint, at)
        JOIN {schema}.segments(v_session) AS g ON true
        JOIN {schema}.messages AS m ON m.owner = v_session.owner AND m.stream = g.stream
            AND m.id = n.id AND m.seq BETWEEN g.first_seq AND g.last_seq) AS k;
    IF v_clash IS NOT NULL THEN
        status := 2;
        first_seq := v_clash;
        RETURN;
    END IF;
    v_known := coalesce(v_known, ARRAY[]::uuid[]);
    WITH added AS (
        INSERT INTO {schema}.messages AS m (owner, stream, fingerprint, id, seq, meta, body)
        SELECT v_session.owner, v_session.stream, n.fingerprint, n.id,
            v_session.last_seq + (row_number() OVER (ORDER BY n.at))::integer, n.meta, n.body
        FROM unnest(p_ids, p_fingerprints, p_metas, p_bodies)
            WITH ORDINALITY AS n(id, fingerprint, meta, body, at)
        WHERE n.id <> ALL (v_known)
        RETURNING m.meta)
    SELECT count(*), coalesce(sum(a.meta >> 2), 0), ARRAY[
        count(*) FILTER (WHERE a.meta & 3 = 0)::integer,
        count(*) FILTER (WHERE a.meta & 3 = 1)::integer,
        count(*) FILTER (WHERE a.meta & 3 = 2)::integer,
        count(*) FILTER (WHERE a.meta & 3 = 3)::integer]
    INTO v_added, v_tokens, v_roles FROM added AS a;
    IF v_added > 0 THEN
        UPDATE {schema}.sessions AS s SET
            last_seq = s.last_seq + v_added,
            message_count = s.message_count + v_added,
            token_count = s.token_count + v_tokens,
            role_counts = ARRAY[
                s.role_counts[1] + v_roles[1], s.role_counts[2] + v_roles[2],
                s.role_counts[3] + v_roles[3], s.role_counts[4] + v_roles[4]],
            last_active_at = p_now,
            expires_at = p_now + s.ttl,
            changes = s.changes + 1
        WHERE s.owner = v_session.owner AND s.number = v_session.number;
        PERFORM {schema}.mark_pending(
            p_tenant, user_id, p_id, v_session.owner, v_session.number);
        v_seqs := v_seqs || ARRAY[v_session.last_seq + 1, v_session.last_seq + v_added];
    END IF;
    SELECT 0, min(q), max(q), cardinality(p_ids) - v_added
    INTO status, first_seq, last_seq, duplicates FROM unnest(v_seqs) AS q;
END $$"""

APPEND_FUNCTIONS: tuple[str, ...] = (
    _MARK,
    *(_APPEND.replace("PART", str(part)) for part in range(PARTITIONS)),
    _APPEND_KNOWN,
)
