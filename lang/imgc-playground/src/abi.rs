//! How a page calls this: three functions over a memory that both see.
//!
//! The page asks for room with [`imgc_room`], writes a request there, calls [`imgc_ask`],
//! and reads as many bytes at [`imgc_answer`] as that said. The exported names are the
//! only thing here that the compiler can't check; nothing is read through a pointer.
#![expect(
    unsafe_code,
    reason = "a name is exported as it is written: no other part of the program has these names"
)]

use std::cell::RefCell;

use crate::Playground;

/// The largest request, in bytes.
pub const MAX_REQUEST: usize = 4 << 20;

/// What is between two calls. There is one thread.
#[derive(Default)]
struct State {
    playground: Playground,
    request: Vec<u8>,
    answer: Vec<u8>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Makes room for a request of `length` bytes, and says where. Null: it is too long.
#[unsafe(no_mangle)]
pub extern "C" fn imgc_room(length: usize) -> *mut u8 {
    STATE.with_borrow_mut(|state| {
        state.request = Vec::new();
        if length > MAX_REQUEST {
            return std::ptr::null_mut();
        }
        state.request.resize(length, 0);
        state.request.as_mut_ptr()
    })
}

/// Answers the request, and says how long the answer is, in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn imgc_ask() -> usize {
    STATE.with_borrow_mut(|state| {
        let request = std::mem::take(&mut state.request);
        state.answer = state.playground.answer(&request);
        state.answer.len()
    })
}

/// Says where the answer is. It is there until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn imgc_answer() -> *const u8 {
    STATE.with_borrow(|state| state.answer.as_ptr())
}
