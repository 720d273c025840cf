//! Turns a panic of a third-party decoder, which a damaged file can cause, into an error, without
//! the report of a crash on stderr.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Runs `decode`; a panic in it, on this thread, becomes its message.
///
/// The hook that is installed for that passes every other panic on to the hook before it.
pub(super) fn catch<T>(decode: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    let outer = QUIET.replace(true);
    // What `decode` had in its hands is thrown away after a panic.
    let result = catch_unwind(AssertUnwindSafe(decode));
    QUIET.set(outer);
    result.map_err(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        super::shorten(message.unwrap_or("it panicked"))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn panics_become_errors() {
        assert_eq!(super::catch(|| 1), Ok(1));
        let caught = super::catch(|| panic!("no {}", "sense"));
        assert_eq!(caught, Err::<(), _>("no sense".to_owned()));
    }
}
