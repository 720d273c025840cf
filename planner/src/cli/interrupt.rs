//! Ctrl-C: the first one stops what is running and removes what is half done, a second one ends
//! the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Runtime;

use super::EXIT_FAILED;

/// What the user wants, and what is going on.
#[derive(Debug, Default, Clone)]
pub(super) struct Interrupt {
    stop: Arc<AtomicBool>,
    cleaning_up: Arc<AtomicBool>,
}

impl Interrupt {
    /// Listens from now on, on `runtime`.
    pub(super) fn listen(runtime: &Runtime) -> Self {
        let interrupt = Self::default();
        let heard = interrupt.clone();
        runtime.spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                let first = !heard.stop.swap(true, Ordering::Relaxed);
                if !(first && heard.cleaning_up.load(Ordering::Relaxed)) {
                    // Nothing is half done, or the user has no patience left.
                    std::process::exit(i32::from(EXIT_FAILED));
                }
            }
        });
        interrupt
    }

    /// From here on the work ends by itself, and cleans up, when [`Interrupt::stop`] is set.
    pub(super) fn clean_up_first(&self) {
        self.cleaning_up.store(true, Ordering::Relaxed);
    }

    /// Set by the first Ctrl-C.
    pub(super) fn stop(&self) -> Arc<AtomicBool> {
        self.stop.clone()
    }

    /// Whether the user has pressed Ctrl-C.
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
