//! What templates show: people, times, timelines, made of what actions answer.

pub mod link;
pub mod people;
pub mod time;
pub mod timeline;
pub mod why;
pub mod year;
