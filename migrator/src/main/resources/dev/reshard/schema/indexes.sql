-- Indexes that no constraint stands for; not our own. Those of a partitioned table are made ON ONLY it,
-- then each partition's under its own name, which is attached.
SELECT ARRAY['pg_class:' || x.oid] AS refs, 'INDEX' AS kind, x.name, t.root AS part_of, t.owner, '{}'::text[] AS needs,
       -- of a column that the migration file has left out it is made, but not compared
       CASE WHEN EXISTS (SELECT FROM pg_attribute a
             WHERE a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey::int2[]) AND ${ignored}) THEN '{}'
       ELSE jsonb_strip_nulls(jsonb_build_object('definition', pg_get_indexdef(x.oid),
         'clustered', CASE WHEN x.indisclustered THEN 'yes' END)) END AS facets,
       -- built with room in its pages, as one has that grew by itself: what catches up fills a full one to bursting
       ARRAY[pg_get_indexdef(x.oid) || CASE WHEN x.is_plain THEN ' WITH (fillfactor=70)' ELSE '' END]
       || CASE WHEN x.is_plain THEN ARRAY[format('ALTER INDEX %s RESET (fillfactor)', x.name)] END
       || (SELECT array_agg(format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', x.name, a.attnum, a.attstattarget)
                    ORDER BY a.attnum)
             FROM pg_attribute a WHERE a.attrelid = x.oid AND coalesce(a.attstattarget, -1) >= 0)
       || CASE WHEN x.indisclustered THEN ARRAY[format('ALTER %s CLUSTER ON %I', t.root, x.relname)] END
       || CASE WHEN x.parent IS NOT NULL THEN ARRAY[format('ALTER INDEX %s ATTACH PARTITION %s', x.parent, x.name)] END
         AS statements,
       CASE WHEN x.parent IS NOT NULL THEN '' END AS undo,
       CASE WHEN NOT x.indisvalid AND x.relkind = 'i'
         THEN 'it is invalid here, which a build that failed leaves behind; REINDEX or drop it here' END AS obstacle,
       CASE WHEN x.reltablespace <> 0 THEN format('it lies in tablespace %s here, and is made in the default one there',
         (SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid = x.reltablespace)) END AS remark,
       x.parent IS NOT NULL AS follows
  FROM (SELECT c.oid, CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW ' ELSE 'TABLE ' END
                 || format('%I.%I', n.nspname, c.relname) AS root,
               pg_get_userbyid(c.relowner) AS owner
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'm') AND c.oid = ANY (?::bigint[]::oid[])) t
  JOIN (SELECT x.oid, x.relname, x.relkind, x.reltablespace, i.indrelid, i.indkey, i.indisvalid, i.indisclustered,
               format('%I.%I', n.nspname, x.relname) AS name,
               x.relkind = 'i' AND m.amname = 'btree' AND x.reloptions IS NULL AND i.indpred IS NULL AS is_plain,
               (SELECT format('%I.%I', pn.nspname, p.relname)
                  FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
                 WHERE h.inhrelid = x.oid) AS parent
          FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace
          JOIN pg_am m ON m.oid = x.relam
         WHERE x.relname !~ '^reshard_key_[0-9]+_'
           AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.oid AND k.contype IN ('p', 'u', 'x'))) x
    ON x.indrelid = t.oid
