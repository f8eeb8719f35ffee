//! A fiber: a closure with a stack of its own that can stop in the middle and be resumed.
//!
//! [`corosensei`] does the switching; this file hides the pointer through which a fiber suspends
//! itself, so that blocking calls need no extra argument.

#![allow(unsafe_code, reason = "the yielder is reached through a pointer, see `suspend`")]

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Mutex;

use corosensei::stack::{DefaultStack, Stack as _};
use corosensei::{Coroutine, CoroutineResult, Yielder};

use crate::runtime::poison::unpoisoned;

/// Bytes of stack for each task. Pages are only used once touched, so an idle task costs one.
const STACK_SIZE: usize = 256 * 1024;

/// How many finished stacks are kept for re-use, over all simulations of the process.
const POOL_SIZE: usize = 1024;

/// Stacks that no fiber uses. Mapping a fresh one costs microseconds, taking one from here
/// nanoseconds. Which stack a fiber gets is invisible to the code that runs on it.
static POOL: Mutex<Vec<DefaultStack>> = Mutex::new(Vec::new());

thread_local! {
    /// The yielder of the fiber that runs on this thread, null outside fibers.
    static YIELDER: Cell<*const Yielder<(), ()>> = const { Cell::new(ptr::null()) };
}

/// Stacks that one thread keeps at hand; they go back to the process-wide pool at the end.
#[derive(Default)]
pub(crate) struct StackPool(Vec<DefaultStack>);

impl StackPool {
    /// A stack for a new fiber.
    fn take(&mut self) -> DefaultStack {
        if self.0.is_empty() {
            let mut pool = unpoisoned(POOL.lock());
            let keep = pool.len().saturating_sub(16);
            self.0.extend(pool.drain(keep..));
        }
        self.0.pop().unwrap_or_else(|| {
            DefaultStack::new(STACK_SIZE).expect("no memory for the stack of another task")
        })
    }
}

impl Drop for StackPool {
    fn drop(&mut self) {
        let mut pool = unpoisoned(POOL.lock());
        let room = POOL_SIZE.saturating_sub(pool.len());
        pool.extend(self.0.drain(..).take(room));
    }
}

/// A closure that runs on its own stack. Not `Send`: it stays on the thread that made it.
/// One that is dropped before it has ended is not unwound: its stack, and everything on it, is
/// leaked.
pub(crate) struct Fiber {
    coroutine: ManuallyDrop<Coroutine<(), (), ()>>,
    /// Lowest address of the stack, where its guard page begins.
    stack_limit: usize,
}

impl Fiber {
    /// A fiber that will run `body` when first resumed. `body` must not unwind.
    pub(crate) fn new(pool: &mut StackPool, body: impl FnOnce() + 'static) -> Self {
        let stack = pool.take();
        let stack_limit = stack.limit().get();
        let coroutine = Coroutine::with_stack(stack, move |yielder, ()| {
            YIELDER.set(yielder);
            body();
        });
        Self { coroutine: ManuallyDrop::new(coroutine), stack_limit }
    }

    /// Runs the fiber until it suspends itself (`false`) or ends (`true`).
    pub(crate) fn resume(&mut self) -> bool {
        let outer = YIELDER.get();
        let result = self.coroutine.resume(());
        YIELDER.set(outer);
        matches!(result, CoroutineResult::Return(()))
    }

    /// The lowest address of the stack; its guard page begins here.
    pub(crate) fn stack_limit(&self) -> usize {
        self.stack_limit
    }

    /// Gives the stack of a finished fiber back.
    pub(crate) fn recycle(self, pool: &mut StackPool) {
        pool.0.push(ManuallyDrop::into_inner(self.coroutine).into_stack());
    }
}

/// Stops the fiber that calls this until it is resumed.
///
/// # Panics
/// When called outside a fiber.
pub(crate) fn suspend() {
    let yielder = YIELDER.get();
    assert!(!yielder.is_null(), "only a task can wait");
    // SAFETY: a non-null YIELDER belongs to the fiber that runs now on this thread. `new` sets it
    // when a fiber starts, the line below when it goes on, and `resume` takes it back when control
    // leaves the fiber. The yielder lives at the base of the fiber's own stack, which exists for as
    // long as the fiber runs.
    unsafe { (*yielder).suspend(()) };
    YIELDER.set(yielder);
}
