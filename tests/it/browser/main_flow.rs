//! The main job, by clicking.
