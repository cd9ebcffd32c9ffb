//! The way in through files: which document is meant, whether it is known already, and the trip of its records into
//! a typed raw table, invisible until the whole document has been read. Knows no HTTP and no source by name.
