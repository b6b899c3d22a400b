"""What the search index adds where pgvector is: both legs of a search inside the database.

Only documents of scopes too large to be held in memory are in `index_legs`: as a vector of pgvector
and as the words of a tsvector; `index_scopes.legs_to` says up to which document a scope is here. A
word is the hash of a stem behind the number of its scope, so that the index over words finds
documents of one scope only. A vector holds whole numbers from -127 to 127, which a half keeps
exactly; times `scale` it has length 1. It is compared with every vector of its scope, and with no
other's: an index over vectors would be one graph of all users, and would miss some.

There is no row-level security here: below it PostgreSQL would not use the index over words, whose
operator is not leakproof. The number of a scope is looked up behind it, and so are the documents.

``@.`` stands for the schema while this is written, ``VECTOR.`` for the one that pgvector is in.
"""

from __future__ import annotations

from daybook.engines.postgresql.schema_index import PARTITIONS, function_body

__all__ = ["LEGS"]

_TABLES = (
    """CREATE TABLE @.index_legs (
        scope bigint NOT NULL, number bigint NOT NULL, embedder integer NOT NULL, scale real,
        embedding VECTOR.halfvec, words tsvector NOT NULL, terms bytea NOT NULL,
        PRIMARY KEY (scope, number),
        FOREIGN KEY (scope, number) REFERENCES @.index_documents ON DELETE CASCADE)
        PARTITION BY HASH (scope)""",
    *(
        f"CREATE TABLE @.index_legs_{part} PARTITION OF @.index_legs "
        f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part})"
        for part in range(PARTITIONS)
    ),
    "CREATE INDEX index_legs_by_word ON @.index_legs USING gin (words) WITH (fastupdate = off)",
)

_SCOPE = """SELECT s.row, s.legs_to INTO v_scope, v_legs_to FROM @.index_scopes AS s
    WHERE s.tenant = p_tenant AND s.user_id = p_user AND s.collection = p_collection"""

# First a row that says up to where the legs reach, then documents beyond.
_UNFILLED = f"""CREATE FUNCTION @.index_unfilled(
    p_tenant bytea, p_user bytea, p_collection text, p_limit bigint)
RETURNS TABLE (number bigint, embedder integer, terms bytea, vector bytea)
LANGUAGE plpgsql STABLE ROWS 1000 AS $$
DECLARE
    v_scope bigint;
    v_legs_to bigint;
BEGIN
    {{enter}}
    {_SCOPE};
    ENTER_SCOPE(v_scope)
    RETURN QUERY SELECT v_legs_to, NULL::integer, NULL::bytea, NULL::bytea;
    RETURN QUERY
    SELECT d.number, d.embedder, d.terms, d.vector FROM @.index_documents AS d
    WHERE d.scope = v_scope AND d.number > v_legs_to ORDER BY d.number LIMIT p_limit;
END $$"""

# Adds legs if they still reach to `p_from`, and tells; what was deleted meanwhile is left out.
_FILL = f"""CREATE FUNCTION @.index_fill(
    p_tenant bytea, p_user bytea, p_collection text, p_from bigint, p_to bigint,
    p_numbers bigint[], p_embedders integer[], p_scales real[], p_embeddings text[],
    p_stems text[], p_terms bytea[])
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_scope bigint;
    v_legs_to bigint;
BEGIN
    {{enter}}
    {_SCOPE} FOR UPDATE;
    IF v_legs_to IS DISTINCT FROM p_from THEN
        RETURN false;
    END IF;
    ENTER_SCOPE(v_scope)
    INSERT INTO @.index_legs (scope, number, embedder, scale, embedding, words, terms)
    SELECT v_scope, n.number, n.embedder, n.scale, n.embedding::VECTOR.halfvec,
        (CASE WHEN n.stems = '' THEN ''
            ELSE v_scope || 'x' || replace(n.stems, ' ', ' ' || v_scope || 'x') END)::tsvector,
        n.terms
    FROM unnest(p_numbers, p_embedders, p_scales, p_embeddings, p_stems, p_terms)
        AS n(number, embedder, scale, embedding, stems, terms)
    WHERE EXISTS (
        SELECT FROM @.index_documents AS d WHERE d.scope = v_scope AND d.number = n.number);
    UPDATE @.index_scopes SET legs_to = p_to WHERE row = v_scope;
    RETURN true;
END $$"""

# Numbers and cosines as the bytes of two arrays: a million take 20 MB, and no time to read.
_NEAR = f"""CREATE FUNCTION @.index_near(
    p_tenant bytea, p_user bytea, p_collection text, p_embedder bytea, p_vector text)
RETURNS TABLE (numbers bytea, cosines bytea)
LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    v_scope bigint;
    v_legs_to bigint;
    v_embedder integer;
    v_vector VECTOR.halfvec := p_vector::VECTOR.halfvec;
BEGIN
    {{enter}}
    {_SCOPE};
    ENTER_SCOPE(v_scope)
    SELECT e.row INTO v_embedder FROM @.index_embedders AS e WHERE e.name = p_embedder;
    RETURN QUERY
    SELECT array_send(array_agg(l.number)),
        array_send(array_agg((-(l.embedding OPERATOR(VECTOR.<#>) v_vector) * l.scale)::real))
    FROM @.index_legs AS l
    WHERE l.scope = v_scope AND l.embedder = v_embedder
        AND VECTOR.vector_dims(l.embedding) = VECTOR.vector_dims(v_vector);
END $$"""

_WORDED = f"""CREATE FUNCTION @.index_worded(
    p_tenant bytea, p_user bytea, p_collection text, p_stems text[])
RETURNS TABLE (number bigint, terms bytea)
LANGUAGE plpgsql STABLE ROWS 1000 AS $$
DECLARE
    v_scope bigint;
    v_legs_to bigint;
    v_words tsquery;
BEGIN
    {{enter}}
    {_SCOPE};
    ENTER_SCOPE(v_scope)
    v_words := array_to_string(
        ARRAY(SELECT v_scope || 'x' || stem FROM unnest(p_stems) AS stem), '|')::tsquery;
    RETURN QUERY
    SELECT l.number, l.terms FROM @.index_legs AS l
    WHERE l.scope = v_scope AND l.words @@ v_words;
END $$"""

_PARTS = f"""CREATE FUNCTION @.index_parts(
    p_tenant bytea, p_user bytea, p_collection text, p_numbers bigint[], p_vectors boolean)
RETURNS TABLE (number bigint, embedder bytea, part bytea)
LANGUAGE plpgsql STABLE ROWS 1000 AS $$
DECLARE
    v_scope bigint;
    v_legs_to bigint;
BEGIN
    {{enter}}
    {_SCOPE};
    ENTER_SCOPE(v_scope)
    RETURN QUERY
    SELECT d.number, e.name, CASE WHEN p_vectors THEN d.vector ELSE d.tokens END
    FROM unnest(p_numbers) AS n(number)
    JOIN @.index_documents AS d ON d.scope = v_scope AND d.number = n.number
    JOIN @.index_embedders AS e ON e.row = d.embedder
    ORDER BY d.number;
END $$"""

LEGS: tuple[str, ...] = tuple(
    statement.replace("@.", "{schema}.")
    for statement in (
        *_TABLES,
        *map(function_body, (_UNFILLED, _FILL, _NEAR, _WORDED, _PARTS)),
    )
)
