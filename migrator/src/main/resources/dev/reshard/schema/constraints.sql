-- Primary keys, unique, exclusion, check and foreign keys. What a partition has from its parent is not
-- here, save the keys with an index: these have names of their own, and follow their parent's.
SELECT array_remove(ARRAY['pg_constraint:' || k.oid, CASE WHEN k.contype <> 'f' THEN 'pg_class:' || x.oid END], NULL) AS refs,
       CASE k.contype WHEN 'f' THEN 'FOREIGN_KEY' ELSE 'CONSTRAINT' END AS kind,
       format('%I ON %s', k.conname, t.name) AS name, 'TABLE ' || t.name AS part_of, t.owner, '{}'::text[] AS needs,
       -- of a column that the migration file has left out it is made, but not compared
       CASE WHEN EXISTS (SELECT FROM pg_attribute a
             WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) AND ${ignored}) THEN '{}'
       ELSE jsonb_strip_nulls(jsonb_build_object('definition', pg_get_constraintdef(k.oid), 'options', x.options,
         'clustered', CASE WHEN i.indisclustered THEN 'yes' END)) END AS facets,
       -- with room in its index, as in indexes.sql
       ARRAY[format('ALTER TABLE %s%s ADD CONSTRAINT %I %s', CASE WHEN k.contype IN ('p', 'u', 'x') THEN 'ONLY ' END,
         t.name, k.conname, CASE WHEN x.is_plain
           THEN regexp_replace(pg_get_constraintdef(k.oid), '( DEFERRABLE( INITIALLY DEFERRED)?)?$', ' WITH (fillfactor=70)\1')
           ELSE pg_get_constraintdef(k.oid) END)]
       || CASE WHEN x.is_plain THEN ARRAY[format('ALTER INDEX %s RESET (fillfactor)', x.name)] END
       || CASE WHEN x.options IS NOT NULL THEN ARRAY[format('ALTER INDEX %s SET (%s)', x.name, x.options)] END
       || CASE WHEN i.indisclustered THEN ARRAY[format('ALTER TABLE %s CLUSTER ON %I', t.name, x.relname)] END
       || CASE WHEN x.comment IS NOT NULL THEN ARRAY[format('COMMENT ON INDEX %s IS %L', x.name, x.comment)] END
       || CASE WHEN x.parent IS NOT NULL THEN ARRAY[format('ALTER INDEX %s ATTACH PARTITION %s', x.parent, x.name)] END
         AS statements,
       CASE WHEN x.parent IS NOT NULL THEN ''
            ELSE format('ALTER TABLE IF EXISTS %s DROP CONSTRAINT IF EXISTS %I', t.name, k.conname) END AS undo,
       NULL AS obstacle,
       CASE WHEN x.reltablespace <> 0 THEN format('its index lies in tablespace %s here, and is made in the default one there',
         (SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid = x.reltablespace)) END AS remark,
       x.parent IS NOT NULL AS follows
  FROM (SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, pg_get_userbyid(c.relowner) AS owner
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND c.oid = ANY (?::bigint[]::oid[])) t
  JOIN pg_constraint k ON k.conrelid = t.oid
   AND (k.contype IN ('p', 'u', 'x') OR (k.contype = 'c' AND k.coninhcount = 0) OR (k.contype = 'f' AND k.conparentid = 0))
  LEFT JOIN pg_index i ON i.indexrelid = k.conindid AND k.contype <> 'f'
  LEFT JOIN LATERAL (
    SELECT x.oid, x.relname, x.reltablespace,
           x.relkind = 'i' AND m.amname = 'btree' AND x.reloptions IS NULL AND i.indpred IS NULL AS is_plain, format('%I.%I', n.nspname, x.relname) AS name,
           obj_description(x.oid, 'pg_class') AS comment,
           (SELECT string_agg(format('%I=%L', o.option_name, o.option_value), ', ' ORDER BY o.option_name)
              FROM pg_options_to_table(x.reloptions) o) AS options,
           (SELECT format('%I.%I', pn.nspname, p.relname)
              FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
             WHERE h.inhrelid = x.oid) AS parent
      FROM pg_class x JOIN pg_namespace n ON n.oid = x.relnamespace
      JOIN pg_am m ON m.oid = x.relam
     WHERE x.oid = i.indexrelid) x ON true
