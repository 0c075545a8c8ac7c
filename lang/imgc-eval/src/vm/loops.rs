//! Builtins that call functions, step by step: each is a frame that waits for what the
//! function gives.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::builtins::{Builtin, Run};
use crate::native::{self, Higher};
use crate::vm::call::{Eval, Failed};
use crate::vm::code::Function;
use crate::vm::machine::{CALL, Frame, Machine, Next};
use crate::vm::value::{Origin, Record, Value};

/// A builtin that waits for what a function gives.
pub(super) struct Loop {
    higher: Higher,
    function: Value,
    origin: Origin,
    items: Items,
    /// The names of a map, and of which the value is asked for.
    names: Arc<Vec<Arc<str>>>,
    at: usize,
    /// The item that the function got.
    current: Value,
    /// What has been gathered.
    kept: Vec<Value>,
    kept_names: Vec<Arc<str>>,
    /// What has been gathered beside: keys, or items for which it gave `false`.
    beside: Vec<Value>,
    /// How often it is called yet.
    rounds: u64,
}

/// How many steps the next call is: one for the item.
const AGAIN: usize = 1 + CALL;

/// The items of a list. They are moved if nobody else holds the list.
enum Items {
    Own(std::vec::IntoIter<Value>),
    Shared(Arc<Vec<Value>>, usize),
}

impl Items {
    fn new(items: Arc<Vec<Value>>) -> Self {
        match Arc::try_unwrap(items) {
            Ok(items) => Self::Own(items.into_iter()),
            Err(items) => Self::Shared(items, 0),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Own(items) => items.len(),
            Self::Shared(items, _) => items.len(),
        }
    }

    /// The next one, unless it is a failure.
    fn next_sound(&mut self) -> Option<Value> {
        let next = match self {
            Self::Own(items) => items.as_slice().first(),
            Self::Shared(items, at) => items.get(*at),
        };
        if next?.is_failed() {
            return None;
        }
        self.next()
    }

    fn next(&mut self) -> Option<Value> {
        match self {
            Self::Own(items) => items.next(),
            Self::Shared(items, at) => {
                *at += 1;
                items.get(*at - 1).cloned()
            }
        }
    }
}

impl Machine<'_> {
    /// Begins a builtin with all its arguments.
    pub(super) fn start(
        &mut self,
        builtin: Builtin,
        arguments: Vec<Value>,
        origin: Origin,
    ) -> Next {
        match self.begin(builtin, arguments, origin) {
            Ok((frame, first)) => self.advance(frame, first),
            Err(Failed) => Next::Failed,
        }
    }

    fn begin(
        &mut self,
        builtin: Builtin,
        mut arguments: Vec<Value>,
        origin: Origin,
    ) -> Eval<(Box<Loop>, Value)> {
        let Run::Higher(higher) = builtin.run() else {
            return Err(Failed);
        };
        let data = arguments.pop().ok_or(Failed)?;
        let mut first = Value::Failed;
        let mut rounds = 0;
        match higher {
            Higher::Fold => first = arguments.pop().ok_or(Failed)?,
            Higher::Iterate => {
                let count = arguments.first().and_then(Value::as_int).ok_or(Failed)?;
                rounds = u64::try_from(count).unwrap_or(0);
            }
            _ => {}
        }
        let function = arguments.pop().ok_or(Failed)?;
        let (items, names) = match data {
            data if higher == Higher::Iterate => {
                first = data;
                (Arc::default(), Arc::default())
            }
            Value::List(_, items) => (items, Arc::default()),
            Value::Record(_, map) => match Arc::try_unwrap(map) {
                Ok(map) => (Arc::new(map.values), map.names),
                Err(map) => {
                    self.context(origin).step(map.values.len() / 4)?;
                    (Arc::new(map.values.clone()), map.names.clone())
                }
            },
            _ => return Err(Failed),
        };
        let items = Items::new(items);
        // What is gathered is counted before it is.
        let size = match higher {
            Higher::All | Higher::Any | Higher::Find | Higher::Fold | Higher::Iterate => 0,
            Higher::SortBy | Higher::FilterMap => 2,
            _ => 1,
        };
        let bytes = (items.len() * size + 16) * size_of::<Value>();
        self.context(origin).allocate(bytes)?;
        let kept = match higher {
            Higher::Map | Higher::MapValues => Vec::with_capacity(items.len()),
            _ => Vec::new(),
        };
        let frame = Loop {
            higher,
            function,
            origin,
            items,
            names,
            at: 0,
            current: Value::Failed,
            kept,
            kept_names: Vec::new(),
            beside: Vec::new(),
            rounds,
        };
        Ok((Box::new(frame), first))
    }

    /// Asks the function once more, or ends. `first` is what a fold has so far.
    fn advance(&mut self, mut frame: Box<Loop>, first: Value) -> Next {
        let origin = frame.origin;
        if self.meter.tick() && self.context(origin).step(0).is_err() {
            return Next::Failed;
        }
        let count = match frame.higher {
            Higher::Iterate => {
                if frame.rounds == 0 {
                    return Next::Value(first);
                }
                frame.rounds -= 1;
                self.stack.push(frame.function.clone());
                self.stack.push(first);
                1
            }
            Higher::Fold => {
                let Some(item) = frame.items.next() else {
                    return Next::Value(first);
                };
                self.stack.push(frame.function.clone());
                self.stack.push(first);
                self.stack.push(item);
                2
            }
            higher => {
                let mut next = frame.items.next();
                // What failed in a list stays a failure in its place.
                while next.as_ref().is_some_and(Value::is_failed)
                    && matches!(higher, Higher::Map | Higher::MapValues)
                {
                    frame.kept.push(Value::Failed);
                    next = frame.items.next();
                }
                let Some(item) = next else {
                    return match self.end(*frame) {
                        Ok(value) => Next::Value(value),
                        Err(Failed) => Next::Failed,
                    };
                };
                self.stack.push(frame.function.clone());
                let mut count = 1;
                if higher == Higher::FilterMap {
                    let name = &frame.names[frame.at];
                    let text = Value::Str(origin, Arc::new(name.to_string()));
                    self.stack.push(text);
                    count = 2;
                }
                frame.at += 1;
                if !matches!(
                    higher,
                    Higher::Map | Higher::MapValues | Higher::ConcatMap | Higher::All | Higher::Any
                ) {
                    frame.current = item.clone();
                }
                self.stack.push(item);
                count
            }
        };
        // Not called from here: the function may be a builtin that calls functions too.
        self.frames.push(Frame::Loop(frame));
        Next::Call(count, origin)
    }

    /// The short way from what a function gave to its next call, for the builtins that
    /// call most often: the same function is called again, in the same place of the
    /// stack. Counts the same as the long way. `Err`: it takes the long way.
    #[inline]
    pub(super) fn again(&mut self, function: &Arc<Function>, value: Value) -> Result<(), Value> {
        let Some(Frame::Loop(frame)) = self.frames.last_mut() else {
            return Err(value);
        };
        let arity = match frame.higher {
            Higher::Fold => 2,
            Higher::Iterate | Higher::Map | Higher::Filter => 1,
            _ => return Err(value),
        };
        let is_same = matches!(&frame.function, Value::Function(_, f) if Arc::ptr_eq(f, function));
        let is_whole = function.arguments.is_empty() && function.part().arity == arity;
        if !is_same || !is_whole || value.is_failed() || !self.meter.has(AGAIN as i64) {
            return Err(value);
        }
        if frame.higher == Higher::Iterate {
            if frame.rounds == 0 {
                return Err(value);
            }
            frame.rounds -= 1;
            self.stack.push(value);
        } else {
            let truth = matches!(value, Value::Bool(_, true));
            if frame.higher == Higher::Filter && !matches!(value, Value::Bool(..)) {
                return Err(value);
            }
            let Some(item) = frame.items.next_sound() else {
                return Err(value);
            };
            match frame.higher {
                Higher::Fold => self.stack.push(value),
                Higher::Map => frame.kept.push(value),
                _ => {
                    let current = std::mem::replace(&mut frame.current, item.clone());
                    if truth {
                        frame.kept.push(current);
                    }
                }
            }
            frame.at += 1;
            self.stack.push(item);
        }
        self.meter.step(AGAIN);
        Ok(())
    }

    /// Goes on with what the function gave.
    pub(super) fn resume(&mut self, mut frame: Box<Loop>, value: Value) -> Next {
        match self.take(&mut frame, value) {
            Ok(Step::Next(value)) => self.advance(frame, value),
            Ok(Step::Done(value)) => Next::Value(value),
            Err(Failed) => Next::Failed,
        }
    }

    fn take(&mut self, frame: &mut Loop, value: Value) -> Eval<Step> {
        let origin = frame.origin;
        let current = std::mem::replace(&mut frame.current, Value::Failed);
        match frame.higher {
            Higher::Fold | Higher::Iterate => return Ok(Step::Next(value)),
            Higher::Map | Higher::MapValues => frame.kept.push(value),
            Higher::ConcatMap => {
                let Value::List(_, items) = value else {
                    return Err(Failed);
                };
                self.context(origin).step(items.len())?;
                self.context(origin)
                    .allocate(items.len() * size_of::<Value>())?;
                match Arc::try_unwrap(items) {
                    Ok(mut items) => frame.kept.append(&mut items),
                    Err(items) => frame.kept.extend_from_slice(&items),
                }
            }
            Higher::GroupBy | Higher::SortBy => {
                frame.kept.push(current);
                frame.beside.push(value);
            }
            Higher::All | Higher::Any | Higher::Find => {
                let Value::Bool(_, truth) = value else {
                    return Err(Failed);
                };
                let ends = truth != (frame.higher == Higher::All);
                if ends && frame.higher == Higher::Find {
                    let found = self.context(origin).option(Some(current))?;
                    return Ok(Step::Done(found));
                }
                if ends {
                    return Ok(Step::Done(Value::Bool(origin, truth)));
                }
            }
            Higher::Filter | Higher::Partition | Higher::FilterMap => {
                let Value::Bool(_, truth) = value else {
                    return Err(Failed);
                };
                if truth {
                    frame.kept.push(current);
                    if frame.higher == Higher::FilterMap {
                        frame.kept_names.push(frame.names[frame.at - 1].clone());
                    }
                } else if frame.higher == Higher::Partition {
                    frame.beside.push(current);
                }
            }
        }
        Ok(Step::Next(Value::Failed))
    }

    /// The value when there are no items left.
    fn end(&mut self, frame: Loop) -> Eval {
        let origin = frame.origin;
        let list = |items| Value::List(origin, Arc::new(items));
        let record = |names, values| {
            let record = Record { names, values };
            Value::Record(origin, Arc::new(record))
        };
        Ok(match frame.higher {
            Higher::Map | Higher::Filter | Higher::ConcatMap => list(frame.kept),
            Higher::MapValues => record(frame.names, frame.kept),
            Higher::FilterMap => record(Arc::new(frame.kept_names), frame.kept),
            Higher::All => Value::Bool(origin, true),
            Higher::Any => Value::Bool(origin, false),
            Higher::Find => self.context(origin).option(None)?,
            Higher::Partition => {
                let names = vec!["no".into(), "yes".into()];
                record(Arc::new(names), vec![list(frame.beside), list(frame.kept)])
            }
            Higher::SortBy => {
                let mut call = self.context(origin);
                let sorted = native::lists::sorted_by(&mut call, &frame.beside, frame.kept);
                self.trace(Some(origin));
                list(sorted?)
            }
            Higher::GroupBy => {
                let groups = self.groups(frame);
                self.trace(Some(origin));
                groups?
            }
            Higher::Fold | Higher::Iterate => return Err(Failed),
        })
    }

    fn groups(&mut self, frame: Loop) -> Eval {
        let mut call = self.context(frame.origin);
        let mut groups: BTreeMap<Arc<String>, Vec<Value>> = BTreeMap::new();
        for (item, key) in frame.kept.into_iter().zip(frame.beside) {
            let Value::Str(_, name) = &key else {
                return Err(Failed);
            };
            native::maps::check_name(&mut call, &key)?;
            call.step(8 + name.len() / 64)?;
            groups.entry(name.clone()).or_default().push(item);
        }
        call.allocate(groups.len() * 16 * size_of::<Value>())?;
        let names = groups.keys().map(|name| Arc::from(name.as_str())).collect();
        let lists = groups
            .into_values()
            .map(|items| Value::List(frame.origin, Arc::new(items)));
        let lists = lists.collect();
        call.record(Arc::new(names), lists)
    }
}

/// What follows on what the function gave.
enum Step {
    /// The next item, with what a fold has so far.
    Next(Value),
    /// The end.
    Done(Value),
}
