-- Who needs whom. A serial sequence does not need its table here: that is a statement of its own.
SELECT DISTINCT d.classid::regclass || ':' || d.objid AS dependent, d.refclassid::regclass || ':' || d.refobjid AS needed,
       d.deptype = 'e' AS member
  FROM pg_depend d
 WHERE d.objid >= 16384 AND d.refobjid >= 16384
   AND NOT (d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
            AND d.refobjsubid > 0 AND (SELECT relkind FROM pg_class WHERE oid = d.objid) = 'S')
