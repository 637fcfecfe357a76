//! The one engine: how plugins are compiled, what they may link to, and the clock that stops
//! them.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, OptLevel};

use super::host::{Call, bindings};

/// How often a call is looked after. A call outruns its time by this much at most, but for
/// what the system's own scheduler adds.
const TICK: Duration = Duration::from_millis(5);

/// Bytes of stack that a plugin may use. Threads that call one have four times as much.
const STACK: usize = 512 * 1024;

/// Compiles and runs plugins.
#[derive(Debug)]
pub struct Engine {
    wasm: wasmtime::Engine,
    calls: Arc<Calls>,
}

/// How many calls are under way, and whether the engine is still there.
#[derive(Debug, Default)]
struct Calls {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Engine {
    /// The engine, and the thread that is its clock. It sleeps while no plugin runs.
    ///
    /// # Errors
    /// The host can't run WebAssembly.
    pub fn new() -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config
            .cranelift_opt_level(OptLevel::Speed)
            .consume_fuel(true)
            .epoch_interruption(true)
            .max_wasm_stack(STACK)
            // The same input gives the same output on every machine.
            .cranelift_nan_canonicalization(true)
            .relaxed_simd_deterministic(true);
        let wasm = wasmtime::Engine::new(&config)?;
        let calls = Arc::new(Calls::default());
        let (ticking, counted) = (wasm.clone(), calls.clone());
        std::thread::Builder::new()
            .name("plugin-clock".to_owned())
            .spawn(move || counted.tick(&ticking))?;
        Ok(Self { wasm, calls })
    }

    /// The engine itself.
    pub fn wasm(&self) -> &wasmtime::Engine {
        &self.wasm
    }

    /// Keeps the clock ticking until the answer is dropped.
    pub fn begin_call(&self) -> impl Drop + use<> {
        struct Running(Arc<Calls>);
        impl Drop for Running {
            fn drop(&mut self) {
                self.0.change(|state| state.0 -= 1);
            }
        }
        self.calls.change(|state| state.0 += 1);
        Running(self.calls.clone())
    }

    /// Compiles a component into what [`Engine::load`] reads.
    ///
    /// # Errors
    /// It is not valid.
    pub fn compile(&self, component: &[u8]) -> wasmtime::Result<TrustedCode> {
        self.wasm.precompile_component(component).map(TrustedCode)
    }

    /// Reads what [`Engine::compile`] wrote.
    ///
    /// # Errors
    /// Another version of the engine wrote it.
    pub fn load(&self, compiled: &TrustedCode) -> wasmtime::Result<Component> {
        #[expect(
            unsafe_code,
            reason = "machine code is run as it is; TrustedCode holds only what this program \
                      compiled itself, which the cache proves by a keyed hash"
        )]
        // SAFETY: these bytes were made by `Engine::compile`; see `TrustedCode`.
        unsafe {
            Component::deserialize(&self.wasm, &compiled.0)
        }
    }

    /// What a rotation strategy may link to: the log.
    ///
    /// # Errors
    /// Never, unless the interface is at odds with itself.
    pub fn strategy_linker(&self) -> wasmtime::Result<Linker<Call>> {
        let mut linker = Linker::new(&self.wasm);
        bindings::rotation::RotationStrategy::add_to_linker::<_, HasSelf<_>>(&mut linker, |c| c)?;
        Ok(linker)
    }

    /// What a sink may link to: the log, and requests to its hosts.
    ///
    /// # Errors
    /// Never, unless the interface is at odds with itself.
    pub fn sink_linker(&self) -> wasmtime::Result<Linker<Call>> {
        let mut linker = Linker::new(&self.wasm);
        bindings::sink::NotificationSink::add_to_linker::<_, HasSelf<_>>(&mut linker, |c| c)?;
        Ok(linker)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.calls.change(|state| state.1 = true);
    }
}

impl Calls {
    fn change(&self, change: impl FnOnce(&mut (usize, bool))) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// Ticks while a call is under way; ends with the engine.
    fn tick(&self, engine: &wasmtime::Engine) {
        loop {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let idle = |(running, ended): &mut (usize, bool)| *running == 0 && !*ended;
            let waited = self.changed.wait_while(state, idle);
            if waited.unwrap_or_else(PoisonError::into_inner).1 {
                return;
            }
            std::thread::sleep(TICK);
            engine.increment_epoch();
        }
    }
}

/// Machine code that this program compiled itself. Made by [`Engine::compile`] or by the cache,
/// which lets nothing pass that it did not write.
pub struct TrustedCode(pub(super) Vec<u8>);
