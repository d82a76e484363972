-- Bodies that the server does not look into itself.
SELECT 'pg_proc:' || p.oid AS ref, p.prosrc
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE p.prosqlbody IS NULL AND l.lanname NOT IN ('c', 'internal') AND 'pg_proc:' || p.oid = ANY (?)
