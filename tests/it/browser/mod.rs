//! The pages in a real browser.

mod everywhere;
mod hostile;
mod main_flow;
