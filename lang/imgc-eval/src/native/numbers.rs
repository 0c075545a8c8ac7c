//! What the builtins of numbers do.

use imgc_diag::codes;

use super::{int, list};
use crate::problem::Problem;
use crate::vm::call::{Call, Eval};
use crate::vm::operators::overflow;
use crate::vm::value::Value;

/// `abs`
pub(crate) fn abs(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let number = int(&arguments[0])?.checked_abs();
    fits(call, number)
}

/// `div`
pub(crate) fn div(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let (a, b) = divisor(call, arguments)?;
    let down = |quotient: i64| {
        let exact = a.wrapping_rem(b) == 0;
        quotient - i64::from(!exact && (a < 0) != (b < 0))
    };
    fits(call, a.checked_div(b).map(down))
}

/// `max`
pub(crate) fn max(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    Ok(call.int(int(&arguments[0])?.max(int(&arguments[1])?)))
}

/// `min`
pub(crate) fn min(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    Ok(call.int(int(&arguments[0])?.min(int(&arguments[1])?)))
}

/// `mod`
pub(crate) fn modulo(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let (a, b) = divisor(call, arguments)?;
    let rest = a.wrapping_rem(b);
    let other_sign = rest != 0 && (rest < 0) != (b < 0);
    Ok(call.int(if other_sign { rest + b } else { rest }))
}

/// `sum`
pub(crate) fn sum(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let items = list(&arguments[0])?;
    call.step(items.len())?;
    let mut sum = Some(0i64);
    for item in items {
        let number = int(item)?;
        sum = sum.and_then(|sum| sum.checked_add(number));
    }
    fits(call, sum)
}

fn fits(call: &mut Call<'_>, number: Option<i64>) -> Eval {
    match number {
        Some(number) => Ok(call.int(number)),
        None => Err(overflow(call)),
    }
}

fn divisor(call: &mut Call<'_>, arguments: &[Value]) -> Eval<(i64, i64)> {
    let (a, b) = (int(&arguments[0])?, int(&arguments[1])?);
    if b == 0 {
        let site = call.site_of_value(&arguments[1]);
        let problem = Problem::new(codes::DIVISION_BY_ZERO, site, "this is zero");
        return Err(call.report(problem));
    }
    Ok((a, b))
}
