//! Black-box tests: the real binary over HTTP, and what holds for the code as a whole.

mod audit;
mod errors;
mod harness;
mod lookups;
mod main_job;
mod overrides;
mod rotation;
mod services;
mod teams;
