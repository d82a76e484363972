-- What the keyspace's schemas hold beside what is recreated, by its name for people.
SELECT o.ref, o.name
  FROM (SELECT c.catalog::regclass || ':' || c.oid AS ref, c.catalog, c.oid, i.type || ' ' || i.identity AS name
          FROM (SELECT 'pg_proc' AS catalog, oid, pronamespace AS namespace FROM pg_proc
                UNION ALL SELECT 'pg_operator', oid, oprnamespace FROM pg_operator
                UNION ALL SELECT 'pg_opclass', oid, opcnamespace FROM pg_opclass
                UNION ALL SELECT 'pg_opfamily', oid, opfnamespace FROM pg_opfamily
                UNION ALL SELECT 'pg_collation', oid, collnamespace FROM pg_collation
                UNION ALL SELECT 'pg_conversion', oid, connamespace FROM pg_conversion
                UNION ALL SELECT 'pg_ts_config', oid, cfgnamespace FROM pg_ts_config
                UNION ALL SELECT 'pg_ts_dict', oid, dictnamespace FROM pg_ts_dict
                UNION ALL SELECT 'pg_ts_parser', oid, prsnamespace FROM pg_ts_parser
                UNION ALL SELECT 'pg_ts_template', oid, tmplnamespace FROM pg_ts_template
                UNION ALL SELECT 'pg_class', oid, relnamespace FROM pg_class WHERE relkind = 'f'
                UNION ALL
                SELECT 'pg_type', t.oid, t.typnamespace FROM pg_type t
                 WHERE t.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
                UNION ALL
                SELECT 'pg_default_acl', d.oid, d.defaclnamespace FROM pg_default_acl d WHERE d.defaclnamespace <> 0) c
          JOIN pg_namespace n ON n.oid = c.namespace AND n.nspname = ANY (?)
          CROSS JOIN LATERAL pg_identify_object(c.catalog::regclass, c.oid, 0) i
        UNION ALL
        SELECT 'pg_event_trigger:' || e.oid, 'pg_event_trigger', e.oid, 'event trigger ' || quote_ident(e.evtname)
          FROM pg_event_trigger e
        UNION ALL
        SELECT 'pg_default_acl:' || d.oid, 'pg_default_acl', d.oid, i.type || ' ' || i.identity
          FROM pg_default_acl d CROSS JOIN LATERAL pg_identify_object('pg_default_acl'::regclass, d.oid, 0) i
         WHERE d.defaclnamespace = 0
        UNION ALL
        SELECT 'pg_seclabel', 'pg_seclabel', 0, format('security label %s of %s %s', l.provider, i.type, i.identity)
          FROM pg_seclabel l CROSS JOIN LATERAL pg_identify_object(l.classoid, l.objoid, l.objsubid) i) o
 WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.catalog::regclass AND d.objid = o.oid AND d.deptype IN ('e', 'i'))
 ORDER BY 2
