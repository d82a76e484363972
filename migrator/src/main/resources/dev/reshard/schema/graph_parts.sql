-- What is part of something else: a default of its table, an array type of its elements' type, ..
SELECT part, whole
  FROM (SELECT oid, 'pg_attrdef:' || oid AS part, 'pg_class:' || adrelid AS whole FROM pg_attrdef
        UNION ALL
        SELECT oid, 'pg_constraint:' || oid,
               CASE WHEN conrelid <> 0 THEN 'pg_class:' || conrelid ELSE 'pg_type:' || contypid END FROM pg_constraint
        UNION ALL SELECT oid, 'pg_trigger:' || oid, 'pg_class:' || tgrelid FROM pg_trigger
        UNION ALL SELECT oid, 'pg_rewrite:' || oid, 'pg_class:' || ev_class FROM pg_rewrite
        UNION ALL SELECT oid, 'pg_policy:' || oid, 'pg_class:' || polrelid FROM pg_policy
        UNION ALL SELECT oid, 'pg_statistic_ext:' || oid, 'pg_class:' || stxrelid FROM pg_statistic_ext
        UNION ALL SELECT indexrelid, 'pg_class:' || indexrelid, 'pg_class:' || indrelid FROM pg_index
        UNION ALL SELECT oid, 'pg_class:' || oid, 'pg_type:' || reltype FROM pg_class WHERE relkind = 'c'
        UNION ALL
        SELECT t.oid, 'pg_type:' || t.oid, 'pg_class:' || t.typrelid
          FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind <> 'c'
        UNION ALL SELECT typarray, 'pg_type:' || typarray, 'pg_type:' || oid FROM pg_type WHERE typarray <> 0
        UNION ALL SELECT rngmultitypid, 'pg_type:' || rngmultitypid, 'pg_type:' || rngtypid FROM pg_range
        UNION ALL
        SELECT objid, 'pg_proc:' || objid, 'pg_type:' || refobjid -- a range's constructors
          FROM pg_depend
         WHERE classid = 'pg_proc'::regclass AND refclassid = 'pg_type'::regclass AND deptype = 'i'
        UNION ALL
        SELECT d.objid, 'pg_class:' || d.objid, 'pg_class:' || d.refobjid
          FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
         WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i') p
 WHERE oid >= 16384
