SELECT ARRAY['pg_namespace:' || n.oid] AS refs, 'SCHEMA' AS kind, quote_ident(n.nspname) AS name,
       NULL AS part_of, pg_get_userbyid(n.nspowner) AS owner, '{}'::text[] AS needs, '{}'::jsonb AS facets,
       ARRAY[format('CREATE SCHEMA %I AUTHORIZATION %I', n.nspname, pg_get_userbyid(n.nspowner))] AS statements,
       NULL AS undo, NULL AS obstacle, NULL AS remark, false AS follows
  FROM pg_namespace n
 WHERE n.oid = ANY (?::bigint[]::oid[]) OR quote_ident(n.nspname) = ANY (?)
