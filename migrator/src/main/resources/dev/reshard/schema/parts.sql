-- What hangs on tables and views, and is made last. Not our own triggers.
WITH t AS (
  SELECT c.oid, c.relkind, c.relreplident, v.name, pg_get_userbyid(c.relowner) AS owner,
         CASE c.relkind WHEN 'v' THEN 'VIEW ' WHEN 'm' THEN 'MATERIALIZED VIEW ' ELSE 'TABLE ' END || v.name AS root
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (SELECT format('%I.%I', n.nspname, c.relname) AS name) v
   WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.oid = ANY (?::bigint[]::oid[]))
SELECT ARRAY['pg_statistic_ext:' || s.oid] AS refs, 'STATISTICS' AS kind, format('%I.%I', n.nspname, s.stxname) AS name,
       t.root AS part_of, pg_get_userbyid(s.stxowner) AS owner, ARRAY['SCHEMA ' || quote_ident(n.nspname)] AS needs,
       NULL::jsonb AS facets,
       ARRAY[pg_get_statisticsobjdef(s.oid)]
       || CASE WHEN coalesce(s.stxstattarget, -1) >= 0
            THEN ARRAY[format('ALTER STATISTICS %I.%I SET STATISTICS %s', n.nspname, s.stxname, s.stxstattarget)] END AS statements,
       NULL AS undo, NULL AS obstacle, NULL AS remark, false AS follows
  FROM t JOIN pg_statistic_ext s ON s.stxrelid = t.oid JOIN pg_namespace n ON n.oid = s.stxnamespace
UNION ALL
SELECT '{}', 'REPLICA_IDENTITY', t.name, t.root, t.owner, '{}', NULL,
       ARRAY[format('ALTER TABLE ONLY %s REPLICA IDENTITY %s', t.name, CASE t.relreplident
         WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE format('USING INDEX %I', x.relname) END)],
       '', NULL, NULL, false
  FROM t LEFT JOIN pg_index i ON i.indrelid = t.oid AND i.indisreplident LEFT JOIN pg_class x ON x.oid = i.indexrelid
 WHERE t.relkind IN ('r', 'p', 'm')
   AND (t.relreplident IN ('f', 'n') OR (t.relreplident = 'i' AND x.relname !~ '^reshard_key_[0-9]+_'))
UNION ALL
SELECT ARRAY['pg_rewrite:' || r.oid], 'RULE', format('%I ON %s', r.rulename, t.name), t.root, t.owner, '{}', NULL,
       ARRAY[rtrim(pg_get_ruledef(r.oid), '; ')]
       || CASE WHEN r.ev_enabled <> 'O' THEN ARRAY[format('ALTER TABLE %s %s RULE %I', t.name,
            CASE r.ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, r.rulename)] END,
       NULL, NULL, NULL, false
  FROM t JOIN pg_rewrite r ON r.ev_class = t.oid AND r.rulename <> '_RETURN'
UNION ALL
SELECT ARRAY['pg_trigger:' || g.oid], 'TRIGGER', format('%I ON %s', g.tgname, t.name), t.root, t.owner, '{}', NULL,
       ARRAY[pg_get_triggerdef(g.oid)]
       || CASE WHEN g.tgenabled <> 'O' THEN ARRAY[format('ALTER TABLE %s %s TRIGGER %I', t.name,
            CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, g.tgname)] END,
       NULL, NULL, NULL, false
  FROM t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal AND g.tgparentid = 0
  JOIN pg_proc p ON p.oid = g.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname <> 'reshard'
UNION ALL
SELECT ARRAY['pg_policy:' || p.oid], 'POLICY', format('%I ON %s', p.polname, t.name), t.root, t.owner,
       array_remove(ARRAY(SELECT 'ROLE ' || r.rolname FROM pg_roles r WHERE r.oid = ANY (p.polroles)), NULL), NULL,
       ARRAY[concat(format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', p.polname, t.name,
           CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
           CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
           (SELECT string_agg(CASE WHEN role = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) END, ', '
                     ORDER BY pg_get_userbyid(role)) FROM unnest(p.polroles) role)),
         ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
         ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')],
       NULL, NULL, NULL, false
  FROM t JOIN pg_policy p ON p.polrelid = t.oid
