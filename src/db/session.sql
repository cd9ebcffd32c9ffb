-- What every session of ours has, whatever the server or the role says (docs/adr/09).
set timezone = 'UTC';
set synchronous_commit = on;
set search_path = pg_catalog;
set statement_timeout = '60min';
set lock_timeout = '30s';
set idle_in_transaction_session_timeout = '10min';
set client_connection_check_interval = '2s';
set jit = off;
set datestyle = 'ISO';
set intervalstyle = 'postgres';
set bytea_output = 'hex';
set extra_float_digits = 1;
