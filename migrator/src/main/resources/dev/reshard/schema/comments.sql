SELECT d.classoid::regclass || ':' || d.objoid AS ref, quote_ident(a.attname) AS col, d.description
  FROM pg_description d
  LEFT JOIN pg_attribute a ON d.classoid = 'pg_class'::regclass AND a.attrelid = d.objoid AND a.attnum = d.objsubid
   AND d.objsubid > 0
 WHERE d.objoid >= 16384 AND d.classoid::regclass || ':' || d.objoid = ANY (?)
