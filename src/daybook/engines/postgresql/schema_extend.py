"""Step 3: records that end later."""

from __future__ import annotations

__all__ = ["EXTEND_RECORDS"]

# A row's new end never comes before its old one, whichever of two calls is first.
EXTEND_RECORDS = (
    """CREATE FUNCTION {schema}.extend_records(
    p_tenant bytea, p_now bigint, p_homes bigint[], p_namespaces bytea[], p_keys bytea[],
    p_versions integer[], p_expires bigint[])
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_setting text;
    v_one record;
    v_changed integer := 0;
BEGIN
    {set_tenant}
    FOR v_one IN
        SELECT n.* FROM unnest(p_homes, p_namespaces, p_keys, p_versions, p_expires)
            AS n(home, namespace, key, version, expires_at)
    LOOP
        UPDATE {schema}.records AS r SET expires_at = v_one.expires_at
        WHERE r.tenant = p_tenant AND r.namespace = v_one.namespace AND r.key = v_one.key
            AND r.home = v_one.home AND r.version = v_one.version
            AND r.expires_at > p_now AND r.expires_at < v_one.expires_at;
        IF FOUND THEN
            v_changed := v_changed + 1;
        END IF;
    END LOOP;
    RETURN v_changed;
END $$""",
)
