//! Last uses: a variable that nothing reads again is moved, not copied.
//!
//! A value that is held once is changed in its place (`acc ++ [x]`), so this decides
//! how long a fold takes, never what it gives. Jumps lead forwards only, so one walk
//! from the end to the beginning is enough.

use std::collections::BTreeMap;

use crate::vm::code::{Capture, Op, Part};

/// Turns the last read of each slot into a move. `births` are the operations before
/// which a slot gets a value, in order; `parts` has the functions that are made.
pub(super) fn move_last_uses(part: &mut Part, births: &[(u32, u32)], parts: &mut [Part]) {
    let mut targets: BTreeMap<u32, Slots> = BTreeMap::new();
    for target in part.ops.iter().filter_map(|op| target(*op)) {
        targets.insert(target, Slots::default());
    }
    let mut births = births.iter().rev().peekable();
    let mut live = Slots::default();
    for at in (0..part.ops.len()).rev() {
        let jump = target(part.ops[at]).and_then(|target| targets.get(&target));
        match &mut part.ops[at] {
            Op::Jump(_) => live = jump.cloned().unwrap_or_default(),
            Op::Return => live = Slots::default(),
            op => {
                if let Some(jump) = jump {
                    live.add_all(jump);
                }
                match op {
                    Op::Load(slot) => {
                        let slot = *slot;
                        if live.add(slot) {
                            *op = Op::Move(slot);
                        }
                    }
                    Op::Default(slot, _) => {
                        live.add(*slot);
                    }
                    Op::Store(slot) => live.remove(*slot),
                    Op::Closure(made) => {
                        for capture in &mut parts[*made as usize].captures {
                            if let Capture::Copy(slot) = *capture
                                && live.add(slot)
                            {
                                *capture = Capture::Move(slot);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        while let Some((_, slot)) = births.next_if(|(birth, _)| *birth as usize == at) {
            live.remove(*slot);
        }
        if let Some(known) = targets.get_mut(&(at as u32)) {
            known.clone_from(&live);
        }
    }
}

fn target(op: Op) -> Option<u32> {
    match op {
        Op::Jump(to)
        | Op::JumpIfFalse(to)
        | Op::And(to)
        | Op::Or(to)
        | Op::TestTag(_, to)
        | Op::TestConst(_, to)
        | Op::Default(_, to) => Some(to),
        _ => None,
    }
}

/// A set of slots.
#[derive(Clone, Default)]
struct Slots(Vec<u64>);

impl Slots {
    /// Adds a slot; `true` if it was not there.
    fn add(&mut self, slot: u32) -> bool {
        let (word, bit) = (slot as usize / 64, 1 << (slot % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    fn remove(&mut self, slot: u32) {
        if let Some(word) = self.0.get_mut(slot as usize / 64) {
            *word &= !(1 << (slot % 64));
        }
    }

    fn add_all(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }
}
