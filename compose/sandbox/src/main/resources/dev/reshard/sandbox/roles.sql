-- Once per server. The role reshard has exactly the rights that the documentation asks for.

-- Owns the application's tables; becomes someone by SET ROLE only.
CREATE ROLE app_owner NOLOGIN;

CREATE ROLE app LOGIN PASSWORD 'app-password';

CREATE ROLE reshard LOGIN REPLICATION PASSWORD 'reshard-password';
-- Triggers, publications and replica identities need the table's owner.
GRANT app_owner TO reshard;
-- Without it the xact_start of other sessions is hidden, and checks for old transactions see nothing.
GRANT pg_monitor TO reshard;
-- Optional: ends sessions that hold up a cutover.
GRANT pg_signal_backend TO reshard;
-- What is applied at a destination must not fire the application's triggers again.
GRANT SET ON PARAMETER session_replication_role TO reshard;
