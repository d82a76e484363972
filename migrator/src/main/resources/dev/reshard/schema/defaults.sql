-- Defaults of columns, all of one table or view together.
SELECT array_agg('pg_attrdef:' || d.oid) AS refs, 'DEFAULTS' AS kind, r.name, r.root AS part_of, r.owner,
       '{}'::text[] AS needs,
       -- a column that the migration file has left out is given its default, but not compared
       coalesce(jsonb_object_agg('default of column ' || quote_ident(a.attname), d.expression) FILTER (WHERE NOT
         (${ignored})), '{}') AS facets,
       array_agg(format('ALTER %s %s ALTER COLUMN %I SET DEFAULT %s', r.word, r.name, a.attname, d.expression)
         ORDER BY a.attnum) AS statements,
       format('ALTER %s %s %s', r.word_if_exists, r.name,
         string_agg(format('ALTER COLUMN %I DROP DEFAULT', a.attname), ', ' ORDER BY a.attnum)) AS undo,
       NULL AS obstacle, NULL AS remark, false AS follows
  FROM (SELECT c.oid, v.name, pg_get_userbyid(c.relowner) AS owner,
               CASE c.relkind WHEN 'v' THEN 'VIEW ' ELSE 'TABLE ' END || v.name AS root,
               CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE ONLY' END AS word,
               CASE c.relkind WHEN 'v' THEN 'VIEW IF EXISTS' ELSE 'TABLE IF EXISTS ONLY' END AS word_if_exists
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          CROSS JOIN LATERAL (SELECT format('%I.%I', n.nspname, c.relname) AS name) v
         WHERE c.relkind IN ('r', 'p', 'v') AND c.oid = ANY (?::bigint[]::oid[])) r
  JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  JOIN (SELECT d.oid, d.adrelid, d.adnum, pg_get_expr(d.adbin, d.adrelid) AS expression FROM pg_attrdef d) d
    ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 GROUP BY r.oid, r.name, r.root, r.owner, r.word, r.word_if_exists
