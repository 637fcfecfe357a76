//! What templates show: people, times, timelines, made of what actions answer.

pub mod chart;
pub mod csv;
pub mod diff;
pub mod link;
pub mod log;
pub mod people;
pub mod settings;
pub mod time;
pub mod timeline;
pub mod why;
pub mod year;
