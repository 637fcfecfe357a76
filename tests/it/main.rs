//! Black-box tests: the real binary over HTTP, and what holds for the code as a whole.

mod errors;
mod harness;
mod main_job;
mod tour;
