//! The allocator of the program: mimalloc.
//!
//! The language makes and drops very many small things. The crate `mimalloc` asks for an
//! alignment each time, for which mimalloc walks a longer way and often takes more memory
//! than was asked for; everything that is aligned as a pointer at most has that without
//! asking. That is a tenth of the time of evaluating a large project. So the crate beneath
//! it, with mimalloc itself, is called here.
//!
//! It is built so that it asks the system for no huge pages (`no_thp`); where the system
//! gives them to everyone, it still does. On a virtual machine whose memory is the host's
//! again after some seconds, each new one takes milliseconds, and half of them held nothing:
//! after a pause the same work took up to twice as long, and about as long as without them
//! where it had just been done.
#![expect(
    unsafe_code,
    reason = "an allocator is unsafe to implement; nothing is done here but to pass on calls"
)]

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::c_void;

use libmimalloc_sys::{
    mi_free, mi_malloc, mi_malloc_aligned, mi_realloc, mi_realloc_aligned, mi_zalloc,
    mi_zalloc_aligned,
};

/// mimalloc, as the allocator of a program.
#[derive(Debug)]
pub(crate) struct Mimalloc;

/// Whether all that mimalloc gives is aligned well enough: it is to a pointer at least,
/// whatever its size (`MI_MAX_ALIGN_SIZE` in `mimalloc/types.h`).
fn is_natural(align: usize) -> bool {
    align <= align_of::<*const c_void>()
}

// SAFETY: each block comes from mimalloc with the size and alignment of its layout, or is
// null where there is no memory, and goes back to mimalloc. mimalloc doesn't unwind.
unsafe impl GlobalAlloc for Mimalloc {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: any size and any power of two as an alignment may be asked for.
        unsafe {
            if is_natural(layout.align()) {
                mi_malloc(layout.size()).cast()
            } else {
                mi_malloc_aligned(layout.size(), layout.align()).cast()
            }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            if is_natural(layout.align()) {
                mi_zalloc(layout.size()).cast()
            } else {
                mi_zalloc_aligned(layout.size(), layout.align()).cast()
            }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        // SAFETY: the block is one of mimalloc's that nobody has given back.
        unsafe { mi_free(block.cast()) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as for `dealloc`; the alignment stays that of the layout.
        unsafe {
            if is_natural(layout.align()) {
                mi_realloc(block.cast(), size).cast()
            } else {
                mi_realloc_aligned(block.cast(), size, layout.align()).cast()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_aligned_and_keep_their_bytes() {
        for size in (1..200).chain([4_096, 70_000, 3 << 20]) {
            for shift in 0..13 {
                let layout = Layout::from_size_align(size, 1 << shift).expect("a layout");
                let larger = Layout::from_size_align(size * 3, 1 << shift).expect("a layout");
                // SAFETY: sizes are not zero; each block is written within its size, and
                // given back with the layout that it has.
                unsafe {
                    let block = Mimalloc.alloc(layout);
                    assert!(!block.is_null() && block.addr().is_multiple_of(layout.align()));
                    block.write_bytes(0xA5, size);
                    let block = Mimalloc.realloc(block, layout, size * 3);
                    assert!(!block.is_null() && block.addr().is_multiple_of(layout.align()));
                    let kept = std::slice::from_raw_parts(block, size);
                    assert!(kept.iter().all(|byte| *byte == 0xA5));
                    Mimalloc.dealloc(block, larger);
                    let block = Mimalloc.alloc_zeroed(layout);
                    assert!(!block.is_null() && block.addr().is_multiple_of(layout.align()));
                    let zeros = std::slice::from_raw_parts(block, size);
                    assert!(zeros.iter().all(|byte| *byte == 0));
                    Mimalloc.dealloc(block, layout);
                }
            }
        }
    }
}
