//! Connections to PostgreSQL, the same for all: which server, TLS, and the settings every session has.
