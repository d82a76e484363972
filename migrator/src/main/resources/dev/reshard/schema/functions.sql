-- Functions and procedures. Never OR REPLACE: what is there stays as it is.
SELECT ARRAY['pg_proc:' || p.oid] AS refs, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind,
       p.oid::regprocedure::text AS name, NULL AS part_of, pg_get_userbyid(p.proowner) AS owner,
       ARRAY['SCHEMA ' || quote_ident(n.nspname)] AS needs, NULL::jsonb AS facets,
       ARRAY['CREATE' || substr(d.definition, 1 + length('CREATE OR REPLACE'))] AS statements,
       NULL AS undo,
       CASE WHEN NOT l.lanpltrusted AND l.lanname NOT IN ('sql')
              THEN format('it is written in %s, which only a superuser may use; make it there yourself', l.lanname)
            WHEN p.proleakproof THEN 'only a superuser may make a LEAKPROOF function; make it there yourself'
       END AS obstacle,
       NULL AS remark, false AS follows
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
  CROSS JOIN LATERAL (SELECT rtrim(pg_get_functiondef(p.oid), E'\n') AS definition) d
 WHERE p.prokind IN ('f', 'p', 'w') AND p.oid = ANY (?::bigint[]::oid[])
