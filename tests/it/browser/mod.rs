//! The pages in a real browser.

mod everywhere;
mod main_flow;
