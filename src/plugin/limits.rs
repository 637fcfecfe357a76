//! What a call of a plugin may take: time, fuel, memory, objects.

use std::time::Duration;

use wasmtime::ResourceLimiter;

use super::error::Cause;
use crate::config;

/// Bytes in a mebibyte.
pub const MIB: usize = 1024 * 1024;

/// The most elements of a table: functions of the largest plugins are some ten thousands.
const TABLE_ELEMENTS: usize = 1_000_000;

/// What a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Memory in mebibytes.
    pub memory_mb: usize,
    /// Time, but for requests of a sink.
    pub timeout: Duration,
    /// Fuel: about one for each instruction.
    pub fuel: u64,
}

impl From<&config::Plugins> for Limits {
    fn from(plugins: &config::Plugins) -> Self {
        Self {
            memory_mb: plugins.max_memory_mb,
            timeout: Duration::from_millis(plugins.timeout_ms),
            fuel: plugins.fuel,
        }
    }
}

impl Limits {
    /// The lesser of both, limit by limit.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self {
            memory_mb: self.memory_mb.min(other.memory_mb),
            timeout: self.timeout.min(other.timeout),
            fuel: self.fuel.min(other.fuel),
        }
    }
}

/// Keeps count of what the objects of one call take.
#[derive(Debug)]
pub struct Limiter {
    limits: Limits,
    memory_bytes: usize,
    /// The limit that was hit, if one was: the plugin itself only sees that it got nothing.
    pub hit: Option<Cause>,
}

impl Limiter {
    /// Nothing taken yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            memory_bytes: 0,
            hit: None,
        }
    }
}

/// What an element of a table takes at most.
const ELEMENT_BYTES: usize = 16;

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let all = self
            .memory_bytes
            .saturating_add(desired.saturating_sub(current));
        if all > self.limits.memory_mb.saturating_mul(MIB) {
            self.hit = Some(Cause::Memory(self.limits.memory_mb));
            return Ok(false);
        }
        self.memory_bytes = all;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS {
            self.hit = Some(Cause::Objects);
            return Ok(false);
        }
        // Tables are memory too.
        let bytes = |elements: usize| elements.saturating_mul(ELEMENT_BYTES);
        self.memory_growing(bytes(current), bytes(desired), maximum.map(bytes))
    }

    // A component of an interpreted language is some dozens of modules.
    fn instances(&self) -> usize {
        200
    }

    fn tables(&self) -> usize {
        100
    }

    fn memories(&self) -> usize {
        20
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_over_all_memories() {
        let limits = Limits {
            memory_mb: 2,
            timeout: Duration::from_secs(1),
            fuel: 1,
        };
        let mut limiter = Limiter::new(limits);
        assert!(limiter.memory_growing(0, MIB, None).unwrap());
        assert!(limiter.memory_growing(0, MIB, None).unwrap());
        assert!(!limiter.memory_growing(MIB, MIB + 1, None).unwrap());
        assert_eq!(limiter.hit, Some(Cause::Memory(2)));
    }

    #[test]
    fn tables_count_as_memory() {
        let limits = Limits {
            memory_mb: 1,
            timeout: Duration::from_secs(1),
            fuel: 1,
        };
        let mut limiter = Limiter::new(limits);
        let half = MIB / ELEMENT_BYTES / 2;
        assert!(limiter.table_growing(0, half, None).unwrap());
        assert!(limiter.table_growing(0, half, None).unwrap());
        assert!(!limiter.table_growing(0, 1, None).unwrap());
        assert_eq!(limiter.hit, Some(Cause::Memory(1)));
    }
}
