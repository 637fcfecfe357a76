//! Work that stands back behind the rest: other people's code may take what the processors have
//! to spare, and nothing that a lookup is waiting for.

use std::panic::resume_unwind;
use std::thread;

/// Steps of niceness that such work stands back: about a thirtieth of the processor time of anything
/// else that wants it.
const STEPS: i32 = 15;

/// Runs `f` on a thread of its own with less priority, and waits for it. That costs some tens of
/// microseconds.
///
/// # Panics
/// `f` does, or the system makes no more threads.
pub fn run<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            stand_back();
            f()
        });
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Linux counts niceness by thread, whatever POSIX says (`man 2 setpriority`, "C library/kernel
/// differences"); elsewhere it would be that of the whole program.
#[cfg(target_os = "linux")]
fn stand_back() {
    // Refused, it is no worse than before.
    let _ = rustix::process::nice(STEPS);
}

#[cfg(not(target_os = "linux"))]
fn stand_back() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn only_what_is_run_aside_stands_back() {
        let niceness = || rustix::process::nice(0).unwrap();
        let before = niceness();
        assert_eq!(run(niceness), (before + STEPS).min(19));
        assert_eq!(niceness(), before);
    }
}
