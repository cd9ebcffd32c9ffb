//! What every benchmark of the program needs: a machine to name, the program to run, a page to write to.

pub(crate) mod machine;
pub(crate) mod program;
pub(crate) mod report;
