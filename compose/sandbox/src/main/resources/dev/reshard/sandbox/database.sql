-- Once per database, after roles.sql.

-- The schema "reshard" is created by Reshard itself.
DO $$
BEGIN
  EXECUTE pg_catalog.format('GRANT CREATE ON DATABASE %I TO reshard', pg_catalog.current_database());
END
$$;

GRANT CREATE ON SCHEMA public TO app_owner;

-- The application works on tables that it does not own.
ALTER DEFAULT PRIVILEGES FOR ROLE app_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE app_owner GRANT SELECT, USAGE ON SEQUENCES TO app;
