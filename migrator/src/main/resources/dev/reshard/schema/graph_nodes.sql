-- Every object of its own in the user's schemas, with what a name in a function's body would say.
SELECT n.oid AS schema_oid, n.nspname AS schema, o.ref, o.type, o.name, o.word, o.owner
  FROM (SELECT c.relnamespace AS namespace, 'pg_class:' || c.oid AS ref,
               CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
                 WHEN 'f' THEN 'foreign table' ELSE 'table' END AS type,
               c.oid::regclass::text AS name, c.relname AS word,
               -- a partition's parent, a serial column's table
               CASE WHEN c.relispartition
                      THEN (SELECT 'pg_class:' || h.inhparent FROM pg_inherits h WHERE h.inhrelid = c.oid)
                    WHEN c.relkind = 'S'
                      THEN (SELECT 'pg_class:' || d.refobjid FROM pg_depend d
                             WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
                               AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0) END AS owner
          FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
        UNION ALL
        SELECT t.typnamespace, 'pg_type:' || t.oid,
               CASE WHEN t.typtype IN ('e', 'c', 'r', 'd') THEN 'type' ELSE 'base type' END,
               format_type(t.oid, NULL), t.typname, NULL
          FROM pg_type t
         WHERE (t.typtype IN ('e', 'r', 'd', 'b', 'p')
                OR (t.typtype = 'c' AND (SELECT relkind FROM pg_class WHERE oid = t.typrelid) = 'c'))
           AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
        UNION ALL
        SELECT p.pronamespace, 'pg_proc:' || p.oid,
               CASE WHEN p.prokind IN ('f', 'p', 'w') THEN 'function' ELSE 'aggregate' END,
               p.oid::regprocedure::text, p.proname, NULL
          FROM pg_proc p) o
  JOIN pg_namespace n ON n.oid = o.namespace
 WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
