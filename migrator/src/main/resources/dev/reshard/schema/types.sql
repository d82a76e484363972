-- Enums, composite types, ranges, domains, and the constraints of domains.
WITH t AS (
  SELECT t.oid, t.typtype, t.typrelid, t.typbasetype, t.typtypmod, t.typnotnull, t.typdefaultbin,
         format('%I.%I', n.nspname, t.typname) AS name, pg_get_userbyid(t.typowner) AS owner,
         ARRAY['SCHEMA ' || quote_ident(n.nspname)] AS needs,
         (SELECT format(' COLLATE %I.%I', cn.nspname, c.collname)
            FROM pg_type b JOIN pg_collation c ON c.oid = t.typcollation AND c.oid <> b.typcollation
            JOIN pg_namespace cn ON cn.oid = c.collnamespace
           WHERE b.oid = t.typbasetype) AS collation
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE t.oid = ANY (?::bigint[]::oid[])),
attribute AS (
  SELECT t.oid, a.attnum, quote_ident(a.attname) AS name,
         format_type(a.atttypid, a.atttypmod)
           || coalesce((SELECT format(' COLLATE %I.%I', n.nspname, c.collname)
                          FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
                         WHERE c.oid = a.attcollation AND c.oid <> y.typcollation), '') AS type
    FROM t JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type y ON y.oid = a.atttypid
   WHERE t.typtype = 'c')
SELECT ARRAY['pg_type:' || t.oid] AS refs, 'TYPE' AS kind, t.name, NULL AS part_of, t.owner, t.needs,
       jsonb_build_object('labels', e.labels) AS facets,
       ARRAY[format('CREATE TYPE %s AS ENUM (%s)', t.name, e.labels)] AS statements,
       NULL AS undo, NULL AS obstacle, NULL AS remark, false AS follows
  FROM t CROSS JOIN LATERAL (
    SELECT coalesce(string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder), '') AS labels
      FROM pg_enum e WHERE e.enumtypid = t.oid) e
 WHERE t.typtype = 'e'
UNION ALL
SELECT ARRAY['pg_type:' || t.oid, 'pg_class:' || t.typrelid], 'TYPE', t.name, NULL, t.owner, t.needs,
       coalesce(jsonb_object_agg('attribute ' || a.name, a.type) FILTER (WHERE a.name IS NOT NULL), '{}')
         || jsonb_build_object('column order', string_agg(a.name, ', ' ORDER BY a.attnum)),
       ARRAY[format('CREATE TYPE %s AS (%s)', t.name, string_agg(a.name || ' ' || a.type, ', ' ORDER BY a.attnum))],
       NULL, NULL, NULL, false
  FROM t LEFT JOIN attribute a ON a.oid = t.oid
 WHERE t.typtype = 'c'
 GROUP BY t.oid, t.typrelid, t.name, t.owner, t.needs
UNION ALL
SELECT ARRAY['pg_type:' || t.oid, 'pg_type:' || r.rngmultitypid], 'TYPE', t.name, NULL, t.owner, t.needs,
       jsonb_build_object('definition', d.body),
       ARRAY[format('CREATE TYPE %s AS RANGE (%s)', t.name, d.body)], NULL,
       CASE WHEN r.rngcanonical::oid <> 0 THEN 'it has a canonical function, which is written in C; make it there yourself' END,
       NULL, false
  FROM t JOIN pg_range r ON r.rngtypid = t.oid
  CROSS JOIN LATERAL (SELECT concat_ws(', ',
    'SUBTYPE = ' || format_type(r.rngsubtype, NULL),
    (SELECT format('SUBTYPE_OPCLASS = %I.%I', n.nspname, o.opcname)
       FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace WHERE o.oid = r.rngsubopc),
    (SELECT format('COLLATION = %I.%I', n.nspname, c.collname)
       FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = r.rngcollation),
    (SELECT format('SUBTYPE_DIFF = %I.%I', n.nspname, p.proname)
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = r.rngsubdiff),
    (SELECT format('MULTIRANGE_TYPE_NAME = %I.%I', n.nspname, m.typname)
       FROM pg_type m JOIN pg_namespace n ON n.oid = m.typnamespace WHERE m.oid = r.rngmultitypid)) AS body) d
UNION ALL
SELECT ARRAY['pg_type:' || t.oid], 'DOMAIN', t.name, NULL, t.owner, t.needs,
       jsonb_strip_nulls(jsonb_build_object(
         'type', format_type(t.typbasetype, t.typtypmod) || coalesce(t.collation, ''),
         'default', pg_get_expr(t.typdefaultbin, 0),
         'not null', CASE WHEN t.typnotnull THEN 'NOT NULL' END)),
       ARRAY[concat('CREATE DOMAIN ', t.name, ' AS ', format_type(t.typbasetype, t.typtypmod), t.collation,
         ' DEFAULT ' || pg_get_expr(t.typdefaultbin, 0), CASE WHEN t.typnotnull THEN ' NOT NULL' END)],
       NULL, NULL, NULL, false
  FROM t
 WHERE t.typtype = 'd'
UNION ALL
SELECT ARRAY['pg_constraint:' || k.oid], 'DOMAIN_CONSTRAINT', format('%I ON DOMAIN %s', k.conname, t.name),
       'DOMAIN ' || t.name, t.owner, '{}', NULL,
       ARRAY[format('ALTER DOMAIN %s ADD CONSTRAINT %I %s', t.name, k.conname, pg_get_constraintdef(k.oid))],
       format('DO %L', format('BEGIN IF to_regtype(%L) IS NOT NULL THEN ALTER DOMAIN %s DROP CONSTRAINT IF EXISTS %I; END IF; END',
         t.name, t.name, k.conname)), NULL, NULL, false
  FROM t JOIN pg_constraint k ON k.contypid = t.oid AND k.contype = 'c'
