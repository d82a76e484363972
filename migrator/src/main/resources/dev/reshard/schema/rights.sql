-- Who may do what with an object or a column of it; what an owner took from itself.
WITH o AS (
  SELECT 'pg_class:' || c.oid AS ref, '' AS col, c.relowner AS owner, c.relacl AS acl,
         CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END || format(' %I.%I', n.nspname, c.relname) AS target,
         acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner) AS usual
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
  UNION ALL
  SELECT 'pg_class:' || c.oid, quote_ident(a.attname), c.relowner, a.attacl,
         format('TABLE %I.%I', n.nspname, c.relname), NULL::aclitem[]
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
  UNION ALL
  SELECT 'pg_proc:' || p.oid, '', p.proowner, p.proacl,
         CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || p.oid::regprocedure, acldefault('f', p.proowner)
    FROM pg_proc p
  UNION ALL
  SELECT 'pg_type:' || t.oid, '', t.typowner, t.typacl, format('TYPE %I.%I', n.nspname, t.typname), acldefault('T', t.typowner)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE t.typtype <> 'm' -- a multirange has its range's
  UNION ALL
  SELECT 'pg_namespace:' || n.oid, '', n.nspowner, n.nspacl, format('SCHEMA %I', n.nspname), acldefault('n', n.nspowner)
    FROM pg_namespace n),
given AS (
  SELECT o.ref, o.col, o.target, o.acl IS NOT NULL AS custom, false AS revoked, x.grantee, x.is_grantable, x.privilege_type
    FROM o LEFT JOIN LATERAL (
      SELECT * FROM aclexplode(coalesce(o.acl, o.usual)) x WHERE x.grantee <> o.owner) x ON true
   WHERE o.ref = ANY (?)
  UNION ALL
  SELECT o.ref, o.col, o.target, true, true, o.owner, false, missing.privilege_type
    FROM o CROSS JOIN LATERAL (
      SELECT privilege_type FROM aclexplode(o.usual) WHERE grantee = o.owner
      EXCEPT SELECT privilege_type FROM aclexplode(coalesce(o.acl, o.usual)) WHERE grantee = o.owner) missing
   WHERE o.ref = ANY (?))
SELECT ref, col, target, custom, revoked, CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END AS grantee,
       grantee = 0 AS public, is_grantable, grantee = (SELECT oid FROM pg_roles WHERE rolname = current_user) AS ours,
       string_agg(DISTINCT privilege_type || CASE WHEN col <> '' THEN ' (' || col || ')' ELSE '' END, ', ') AS privileges
  FROM given
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
 ORDER BY 1, 2, 3, 5, 6, 8
