"""Step 1: the functions of the record store.

Keys come in the order of their bytes, so that two calls never wait for each other.
"""

from __future__ import annotations

__all__ = ["RECORD_FUNCTIONS"]

_ROW = "namespace, key, version, created_at, updated_at, expires_at, provenance, value"
_ROW_TYPES = (
    "namespace bytea, key bytea, version integer, created_at bigint, updated_at bigint, "
    "expires_at bigint, provenance bytea, value bytea"
)
_CURRENT = ", ".join(f"r.{name}" for name in _ROW.split(", "))

# A version that is not the expected one ends the whole call with ``DBK03``; the hint says which
# record of the call found which version.
_PUT = """CREATE FUNCTION {schema}.put_records(
    p_tenant bytea, p_now bigint, p_homes bigint[], p_namespaces bytea[],
    p_keys bytea[], p_values bytea[], p_expires bigint[], p_provenances bytea[],
    p_expected integer[])
RETURNS TABLE (place integer, version integer, created_at bigint)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_setting text;
    v_new record;
    v_old record;
BEGIN
    {set_tenant}
    FOR v_new IN
        SELECT n.* FROM unnest(p_homes, p_namespaces, p_keys, p_values, p_expires, p_provenances,
            p_expected) WITH ORDINALITY
            AS n(home, namespace, key, value, expires_at, provenance, expected, place)
    LOOP
        LOOP
            IF coalesce(v_new.expected, 0) = 0 THEN
                INSERT INTO {schema}.records AS r (home, tenant, namespace, key, version,
                    created_at, updated_at, expires_at, provenance, value)
                VALUES (v_new.home, p_tenant, v_new.namespace, v_new.key, 1,
                    p_now, p_now, v_new.expires_at, v_new.provenance, v_new.value)
                ON CONFLICT DO NOTHING;
                IF FOUND THEN
                    version := 1;
                    created_at := p_now;
                    EXIT;
                END IF;
            END IF;
            SELECT r.version, r.expires_at INTO v_old FROM {schema}.records AS r
            WHERE r.tenant = p_tenant AND r.namespace = v_new.namespace AND r.key = v_new.key
                AND r.home = v_new.home
            FOR UPDATE;
            IF v_old.version IS NULL OR v_old.expires_at <= p_now THEN
                IF v_new.expected > 0 THEN
                    RAISE EXCEPTION 'daybook: another version' USING
                        ERRCODE = 'DBK03', HINT = v_new.place || ' 0';
                END IF;
                PERFORM {schema}.remove_record(
                    p_tenant, v_new.home, v_new.namespace, v_new.key);
                CONTINUE;
            END IF;
            IF v_new.expected <> v_old.version THEN
                RAISE EXCEPTION 'daybook: another version' USING
                    ERRCODE = 'DBK03', HINT = v_new.place || ' ' || v_old.version;
            END IF;
            INSERT INTO {schema}.record_versions
            SELECT r.* FROM {schema}.records AS r
            WHERE r.tenant = p_tenant AND r.namespace = v_new.namespace AND r.key = v_new.key
                AND r.home = v_new.home;
            UPDATE {schema}.records AS r SET version = r.version + 1, updated_at = p_now,
                expires_at = v_new.expires_at, provenance = v_new.provenance,
                value = v_new.value
            WHERE r.tenant = p_tenant AND r.namespace = v_new.namespace AND r.key = v_new.key
                AND r.home = v_new.home
            RETURNING r.version, r.created_at INTO put_records.version, put_records.created_at;
            EXIT;
        END LOOP;
        place := v_new.place;
        RETURN NEXT;
    END LOOP;
END $$"""

_REMOVE = """CREATE FUNCTION {schema}.remove_record(
    p_tenant bytea, p_home bigint, p_namespace bytea, p_key bytea) RETURNS bigint
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_expires bigint := -1;
BEGIN
    DELETE FROM {schema}.records AS r
    WHERE r.tenant = p_tenant AND r.namespace = p_namespace AND r.key = p_key AND r.home = p_home
    RETURNING coalesce(r.expires_at, 9223372036854775807) INTO v_expires;
    DELETE FROM {schema}.record_versions AS r
    WHERE r.tenant = p_tenant AND r.namespace = p_namespace AND r.key = p_key AND r.home = p_home;
    RETURN v_expires;
END $$"""

_GET = f"""CREATE FUNCTION {{schema}}.get_records(
    p_tenant bytea, p_now bigint, p_homes bigint[], p_namespaces bytea[], p_keys bytea[])
RETURNS TABLE (place integer, {_ROW_TYPES})
LANGUAGE plpgsql STABLE ROWS 1 SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_setting text;
BEGIN
    {{set_tenant}}
    RETURN QUERY SELECT n.place::integer, {_CURRENT}
    FROM unnest(p_homes, p_namespaces, p_keys) WITH ORDINALITY AS n(home, namespace, key, place)
    JOIN {{schema}}.records AS r ON r.tenant = p_tenant AND r.namespace = n.namespace
        AND r.key = n.key AND r.home = n.home
    WHERE r.expires_at IS NULL OR r.expires_at > p_now;
END $$"""

_DELETE = """CREATE FUNCTION {schema}.delete_records(
    p_tenant bytea, p_now bigint, p_homes bigint[], p_namespaces bytea[], p_keys bytea[])
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_setting text;
    v_one record;
    v_alive integer := 0;
BEGIN
    {set_tenant}
    FOR v_one IN
        SELECT n.* FROM unnest(p_homes, p_namespaces, p_keys) AS n(home, namespace, key)
    LOOP
        IF {schema}.remove_record(p_tenant, v_one.home, v_one.namespace, v_one.key) > p_now THEN
            v_alive := v_alive + 1;
        END IF;
    END LOOP;
    RETURN v_alive;
END $$"""

# `p_home` is NULL where a prefix names no first label.
_DELETE_BELOW = """CREATE FUNCTION {schema}.delete_below(
    p_tenant bytea, p_now bigint, p_home bigint, p_low bytea, p_high bytea) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_setting text;
    v_alive bigint;
BEGIN
    {set_tenant}
    WITH gone AS (
        DELETE FROM {schema}.records AS r
        WHERE r.tenant = p_tenant AND r.namespace >= p_low AND r.namespace < p_high
            AND (p_home IS NULL OR r.home = p_home)
        RETURNING r.expires_at)
    SELECT count(*) INTO v_alive FROM gone AS g
    WHERE g.expires_at IS NULL OR g.expires_at > p_now;
    DELETE FROM {schema}.record_versions AS r
    WHERE r.tenant = p_tenant AND r.namespace >= p_low AND r.namespace < p_high
        AND (p_home IS NULL OR r.home = p_home);
    RETURN v_alive;
END $$"""

_LIST = f"""CREATE FUNCTION {{schema}}.list_records(
    p_tenant bytea, p_now bigint, p_home bigint, p_low bytea, p_high bytea,
    p_limit bigint, p_offset bigint)
RETURNS TABLE ({_ROW_TYPES})
LANGUAGE plpgsql STABLE ROWS 20 AS $$
DECLARE
    v_setting text;
BEGIN
    {{set_tenant}}
    RETURN QUERY SELECT {_CURRENT} FROM {{schema}}.records AS r
    WHERE r.tenant = p_tenant AND r.namespace >= p_low AND r.namespace < p_high
        AND (p_home IS NULL OR r.home = p_home)
        AND (r.expires_at IS NULL OR r.expires_at > p_now)
    ORDER BY r.updated_at DESC, r.namespace, r.key LIMIT p_limit OFFSET p_offset;
END $$"""

# Opens the cursor ``daybook_records`` over the same rows, for as long as the transaction runs.
_OPEN_LIST = f"""CREATE FUNCTION {{schema}}.open_records(
    p_nonce bigint, p_tenant bytea, p_now bigint, p_home bigint, p_low bytea, p_high bytea)
RETURNS refcursor LANGUAGE plpgsql AS $$
DECLARE
    v_setting text;
    v_rows refcursor := 'daybook_records';
BEGIN
    {{set_tenant}}
    OPEN v_rows NO SCROLL FOR SELECT p_nonce, {_CURRENT} FROM {{schema}}.records AS r
    WHERE r.tenant = p_tenant AND r.namespace >= p_low AND r.namespace < p_high
        AND (p_home IS NULL OR r.home = p_home)
        AND (r.expires_at IS NULL OR r.expires_at > p_now)
    ORDER BY r.updated_at DESC, r.namespace, r.key;
    RETURN v_rows;
END $$"""

_NAMESPACES = """CREATE FUNCTION {schema}.list_namespaces(
    p_tenant bytea, p_now bigint, p_home bigint, p_low bytea, p_high bytea)
RETURNS SETOF bytea LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_setting text;
BEGIN
    {set_tenant}
    RETURN QUERY SELECT DISTINCT r.namespace FROM {schema}.records AS r
    WHERE r.tenant = p_tenant AND r.namespace >= p_low AND r.namespace < p_high
        AND (p_home IS NULL OR r.home = p_home)
        AND (r.expires_at IS NULL OR r.expires_at > p_now);
END $$"""

_VERSIONS = f"""CREATE FUNCTION {{schema}}.list_versions(
    p_tenant bytea, p_now bigint, p_home bigint, p_namespace bytea, p_key bytea, p_limit bigint)
RETURNS TABLE ({_ROW_TYPES})
LANGUAGE plpgsql STABLE ROWS 5 AS $$
DECLARE
    v_setting text;
BEGIN
    {{set_tenant}}
    RETURN QUERY SELECT {_CURRENT} FROM {{schema}}.records AS r
    WHERE r.tenant = p_tenant AND r.namespace = p_namespace AND r.key = p_key AND r.home = p_home
        AND (r.expires_at IS NULL OR r.expires_at > p_now);
    IF FOUND THEN
        RETURN QUERY SELECT {_CURRENT} FROM {{schema}}.record_versions AS r
        WHERE r.tenant = p_tenant AND r.namespace = p_namespace AND r.key = p_key
            AND r.home = p_home
        ORDER BY r.version DESC LIMIT p_limit - 1;
    END IF;
END $$"""

# A key's versions stand together, oldest first; the one marked `p_newest` becomes the current one.
_RESTORE = """CREATE FUNCTION {schema}.restore_records(
    p_tenant bytea, p_homes bigint[], p_namespaces bytea[], p_keys bytea[], p_versions integer[],
    p_created bigint[], p_updated bigint[], p_expires bigint[], p_provenances bytea[],
    p_values bytea[], p_newest boolean[])
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_setting text;
    v_one record;
BEGIN
    {set_tenant}
    FOR v_one IN
        SELECT n.* FROM unnest(p_homes, p_namespaces, p_keys, p_newest)
            AS n(home, namespace, key, newest) WHERE n.newest
    LOOP
        PERFORM {schema}.remove_record(p_tenant, v_one.home, v_one.namespace, v_one.key);
    END LOOP;
    FOR v_one IN
        SELECT n.* FROM unnest(p_homes, p_namespaces, p_keys, p_versions, p_created, p_updated,
            p_expires, p_provenances, p_values, p_newest)
            AS n(home, namespace, key, version, created_at, updated_at,
            expires_at, provenance, value, newest)
    LOOP
        IF v_one.newest THEN
            INSERT INTO {schema}.records (home, tenant, namespace, key, version, created_at,
                updated_at, expires_at, provenance, value)
            VALUES (v_one.home, p_tenant, v_one.namespace, v_one.key, v_one.version,
                v_one.created_at, v_one.updated_at, v_one.expires_at, v_one.provenance,
                v_one.value)
            ON CONFLICT DO NOTHING;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'daybook: another call was first' USING ERRCODE = 'DBK02';
            END IF;
        ELSE
            INSERT INTO {schema}.record_versions (home, tenant, namespace, key, version,
                created_at, updated_at, expires_at, provenance, value)
            VALUES (v_one.home, p_tenant, v_one.namespace, v_one.key, v_one.version,
                v_one.created_at, v_one.updated_at, v_one.expires_at, v_one.provenance,
                v_one.value);
        END IF;
    END LOOP;
    RETURN cardinality(p_keys);
END $$"""

_TENANTS = """CREATE FUNCTION {schema}.list_record_tenants() RETURNS SETOF bytea
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_setting text;
BEGIN
    {set_maintenance}
    RETURN QUERY
    WITH RECURSIVE each AS (
        (SELECT r.tenant FROM {schema}.records AS r ORDER BY r.tenant LIMIT 1)
        UNION ALL
        SELECT (SELECT r.tenant FROM {schema}.records AS r WHERE r.tenant > each.tenant
            ORDER BY r.tenant LIMIT 1)
        FROM each WHERE each.tenant IS NOT NULL)
    SELECT e.tenant FROM each AS e WHERE e.tenant IS NOT NULL ORDER BY e.tenant;
END $$"""

_SWEEP = """CREATE FUNCTION {schema}.sweep_records(p_now bigint)
RETURNS TABLE (tenant bytea, namespace bytea, key bytea)
LANGUAGE plpgsql AS $$
DECLARE
    v_setting text;
BEGIN
    {set_maintenance}
    RETURN QUERY
    WITH gone AS (
        DELETE FROM {schema}.records AS r WHERE r.expires_at <= p_now
        RETURNING r.home, r.tenant, r.namespace, r.key),
    old AS (
        DELETE FROM {schema}.record_versions AS v USING gone AS g
        WHERE v.tenant = g.tenant AND v.namespace = g.namespace AND v.key = g.key
            AND v.home = g.home)
    SELECT g.tenant, g.namespace, g.key FROM gone AS g;
END $$"""

RECORD_FUNCTIONS: tuple[str, ...] = (
    _REMOVE,
    _PUT,
    _GET,
    _DELETE,
    _DELETE_BELOW,
    _LIST,
    _OPEN_LIST,
    _NAMESPACES,
    _VERSIONS,
    _RESTORE,
    _TENANTS,
    _SWEEP,
)
