-- Views and materialized views; the latter without their rows.
SELECT ARRAY['pg_class:' || v.oid] || (SELECT array_agg('pg_rewrite:' || r.oid) FROM pg_rewrite r
                                        WHERE r.ev_class = v.oid AND r.rulename = '_RETURN') AS refs,
       v.kind, v.name, NULL AS part_of, v.owner, ARRAY[v.schema] AS needs,
       jsonb_strip_nulls(jsonb_build_object('definition', v.definition, 'options', v.options,
         'access method', v.access_method)) AS facets,
       ARRAY[CASE v.relkind
         WHEN 'v' THEN concat('CREATE VIEW ', v.name, ' WITH (' || v.options || ')', ' AS ', v.definition)
         ELSE concat('CREATE MATERIALIZED VIEW ', v.name, ' USING ' || quote_ident(v.access_method),
           ' WITH (' || v.options || ')', ' AS ', v.definition, ' WITH NO DATA') END] AS statements,
       NULL AS undo, NULL AS obstacle,
       CASE v.relkind WHEN 'm' THEN 'it is made without rows; REFRESH it there after the cutover' END AS remark,
       false AS follows
  FROM (SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name, pg_get_userbyid(c.relowner) AS owner,
               'SCHEMA ' || quote_ident(n.nspname) AS schema,
               CASE c.relkind WHEN 'm' THEN 'MATERIALIZED_VIEW' ELSE 'VIEW' END AS kind,
               (SELECT amname FROM pg_am WHERE oid = c.relam AND amname <> 'heap') AS access_method,
               rtrim(pg_get_viewdef(c.oid), '; ') AS definition,
               (SELECT string_agg(format('%I=%L', o.option_name, o.option_value), ', ' ORDER BY o.option_name)
                  FROM pg_options_to_table(c.reloptions) o) AS options
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('v', 'm') AND c.oid = ANY (?::bigint[]::oid[])) v
