-- All of a database's schema as its catalogs have it, a line for each thing; not made as the product reads it.
WITH space AS (
  SELECT oid, nspname FROM pg_namespace
   WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'reshard') AND nspname !~ '^pg_(toast|temp)'),
rel AS (SELECT c.*, nspname || '.' || relname AS name FROM pg_class c JOIN space ON space.oid = relnamespace)
SELECT line FROM (
SELECT concat_ws(' | ', 'relation', name, relkind, relpersistence, relreplident,
         (SELECT string_agg(o, ' ' ORDER BY o) FROM unnest(reloptions) o), relrowsecurity, relforcerowsecurity,
         relhasrules, relhastriggers, pg_get_expr(relpartbound, oid),
         CASE WHEN relkind = 'p' THEN pg_get_partkeydef(oid) END, nullif(reloftype, 0)::regtype, relowner::regrole,
         (SELECT reloptions::text FROM pg_class t WHERE t.oid = rel.reltoastrelid),
         (SELECT string_agg(x::text, ' ' ORDER BY x::text)
            FROM unnest(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))) x)) AS line
  FROM rel
UNION ALL
SELECT concat_ws(' | ', 'column', name, row_number() OVER (PARTITION BY rel.oid ORDER BY attnum), attname, format_type(atttypid, atttypmod),
         attcollation::regcollation, attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid), attstorage, attcompression,
         coalesce(attstattarget, -1), attoptions::text, attacl::text)
  FROM rel JOIN pg_attribute a ON attrelid = rel.oid AND attnum > 0 AND NOT attisdropped
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE relkind <> 'S'
UNION ALL
SELECT concat_ws(' | ', 'constraint', conname, contype, rel.name, contypid::regtype, pg_get_constraintdef(k.oid), convalidated,
         conindid::regclass, coninhcount, confrelid::regclass)
  FROM pg_constraint k JOIN space ON space.oid = connamespace LEFT JOIN rel ON rel.oid = conrelid
UNION ALL
SELECT concat_ws(' | ', 'index', pg_get_indexdef(indexrelid), indisvalid, indisclustered, indisreplident, indisprimary)
  FROM pg_index JOIN rel ON rel.oid = indrelid
UNION ALL
SELECT concat_ws(' | ', 'inheritance', inhrelid::regclass, inhparent::regclass) FROM pg_inherits JOIN rel ON rel.oid = inhrelid
UNION ALL
SELECT concat_ws(' | ', 'trigger', pg_get_triggerdef(t.oid), tgenabled, tgparentid <> 0)
  FROM pg_trigger t JOIN rel ON rel.oid = tgrelid WHERE NOT tgisinternal
UNION ALL
SELECT concat_ws(' | ', 'rule', pg_get_ruledef(r.oid), ev_enabled) FROM pg_rewrite r JOIN rel ON rel.oid = ev_class
UNION ALL
SELECT 'policy | ' || p::text FROM pg_policies p
UNION ALL
SELECT concat_ws(' | ', 'view', name, pg_get_viewdef(oid)) FROM rel WHERE relkind IN ('v', 'm')
UNION ALL
SELECT concat_ws(' | ', 'function', pg_get_functiondef(p.oid), proowner::regrole,
         (SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM unnest(coalesce(proacl, acldefault('f', proowner))) x))
  FROM pg_proc p JOIN space ON space.oid = pronamespace WHERE prokind IN ('f', 'p')
UNION ALL
SELECT concat_ws(' | ', 'type', nspname, typname, typtype, typbasetype::regtype, format_type(typbasetype, typtypmod), typcollation::regcollation, typnotnull,
         pg_get_expr(typdefaultbin, 0), typowner::regrole, rngsubtype::regtype, rngmultitypid::regtype, rngsubdiff, rngcollation::regcollation,
         (SELECT opcname FROM pg_opclass WHERE oid = rngsubopc),
         (SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
         (SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM unnest(coalesce(typacl, acldefault('T', typowner))) x))
  FROM pg_type t JOIN space ON space.oid = typnamespace LEFT JOIN pg_range ON rngtypid = t.oid
UNION ALL
SELECT concat_ws(' | ', 'sequence', schemaname, sequencename, sequenceowner, data_type, start_value, min_value, max_value, increment_by, cycle, cache_size,
         pg_get_serial_sequence('"Odd ""Shop"""."Order"', 'line'), pg_get_serial_sequence('shop.customer', 'id'))
  FROM pg_sequences WHERE schemaname IN (SELECT nspname FROM space)
UNION ALL
SELECT concat_ws(' | ', 'statistics', pg_get_statisticsobjdef(s.oid), coalesce(stxstattarget, -1), stxowner::regrole)
  FROM pg_statistic_ext s JOIN space ON space.oid = stxnamespace
UNION ALL
SELECT concat_ws(' | ', 'schema', nspname, nspowner::regrole,
         (SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM unnest(coalesce(nspacl, acldefault('n', nspowner))) x))
  FROM pg_namespace WHERE oid IN (SELECT oid FROM space)
UNION ALL
SELECT concat_ws(' | ', 'comment', i.type, i.identity, description)
  FROM pg_description CROSS JOIN LATERAL pg_identify_object(classoid, objoid, objsubid) i
 WHERE objoid >= 16384 AND i.schema IS DISTINCT FROM 'reshard'
) lines ORDER BY line COLLATE "C"
