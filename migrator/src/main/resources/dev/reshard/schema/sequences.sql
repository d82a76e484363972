-- Sequences of their own or of a serial column; those of identity columns come with their table.
-- Bounds, start and place differ from shard to shard on purpose, so they are no facets.
WITH s AS (
  SELECT c.oid, c.relpersistence, format('%I.%I', n.nspname, c.relname) AS name,
         pg_get_userbyid(c.relowner) AS owner, ARRAY['SCHEMA ' || quote_ident(n.nspname)] AS needs,
         quote_ident(tn.nspname) || '.' || quote_ident(t.relname) AS table_name, a.attname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a'
     AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
    LEFT JOIN pg_class t ON t.oid = d.refobjid
    LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
   WHERE c.relkind = 'S' AND c.oid = ANY (?::bigint[]::oid[]))
SELECT ARRAY['pg_class:' || s.oid] AS refs, 'SEQUENCE' AS kind, s.name, NULL AS part_of, s.owner, s.needs,
       jsonb_build_object('type', format_type(q.seqtypid, NULL), 'increment', q.seqincrement::text,
         'cache', q.seqcache::text, 'cycle', q.seqcycle::text) AS facets,
       ARRAY[format('CREATE %sSEQUENCE %s AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s%s',
         CASE s.relpersistence WHEN 'u' THEN 'UNLOGGED ' END, s.name, format_type(q.seqtypid, NULL),
         q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache, CASE WHEN q.seqcycle THEN ' CYCLE' END)] AS statements,
       NULL AS undo, NULL AS obstacle,
       CASE WHEN s.attname IS NULL THEN
         'it belongs to no column, so it gets no range of its own and begins at ' || q.seqstart
         || ' there: RESTART it elsewhere if ids of two shards must not meet' END AS remark,
       false AS follows
  FROM s JOIN pg_sequence q ON q.seqrelid = s.oid
UNION ALL
SELECT '{}', 'OWNED_BY', s.name, 'SEQUENCE ' || s.name, s.owner, ARRAY['TABLE ' || s.table_name], NULL,
       ARRAY[format('ALTER SEQUENCE %s OWNED BY %s.%I', s.name, s.table_name, s.attname)],
       '', NULL, NULL, false
  FROM s WHERE s.attname IS NOT NULL
