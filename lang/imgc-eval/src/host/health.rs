//! The field `healthcheck` of `config`.

use imgc_diag::codes;
use imgc_plan::Healthcheck;

use crate::problem::Problem;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::Value;

use super::combine::Shown;
use super::{field, keep, text, texts};

/// The largest number of tries: what every reader of such a number takes.
const MAX_RETRIES: i64 = 1_000_000;

/// Reads it.
pub(super) fn read(call: &mut Call<'_>, given: &Value) -> Eval<Healthcheck> {
    let mut failed = false;
    let mut test = Vec::new();
    if let Some(value) = field(given, "test", &mut failed) {
        let list = texts(call, "config.healthcheck.test", value);
        let list = keep(&mut failed, list).unwrap_or_default();
        test = list.into_iter().map(|said| said.value).collect();
        if !failed && test.first().is_none_or(String::is_empty) {
            failed = true;
            let message = "a test is a program and its arguments";
            let site = call.site_of_value(value);
            let problem = Problem::new(codes::BAD_HEALTHCHECK, site, message);
            call.report(problem.help("write `[\"/usr/bin/app\", \"--check\"]`"));
        }
    }
    let mut times = [None; 3];
    for (name, time) in ["interval", "timeout", "startPeriod"]
        .iter()
        .zip(&mut times)
    {
        if let Some(value) = field(given, name, &mut failed) {
            let found = duration_of(call, name, value);
            *time = keep(&mut failed, found);
        }
    }
    let mut retries = None;
    if let Some(value) = field(given, "retries", &mut failed) {
        match value.as_int() {
            Some(number @ 1..=MAX_RETRIES) => retries = u32::try_from(number).ok(),
            _ => {
                failed = true;
                let message = format!("`retries` is a number from 1 to {MAX_RETRIES}");
                let site = call.site_of_value(value);
                call.report(Problem::new(codes::BAD_HEALTHCHECK, site, message));
            }
        }
    }
    if failed {
        return Err(Failed);
    }
    let [interval, timeout, start_period] = times;
    Ok(Healthcheck {
        test,
        interval,
        timeout,
        start_period,
        retries,
    })
}

fn duration_of(call: &mut Call<'_>, name: &str, value: &Value) -> Eval<u64> {
    let text = text(call, &format!("`config.healthcheck.{name}`"), value)?;
    if let Some(time) = milliseconds(text) {
        return Ok(time);
    }
    let site = call.site_of_value(value);
    let message = format!("`{text}` is not a duration");
    let problem = Problem::new(codes::BAD_HEALTHCHECK, site, message);
    Err(call.report(
        problem
            .help("such as `\"500ms\"`, `\"30s\"` or `\"1m30s\"`: more than none, at most a day"),
    ))
}

/// The milliseconds of `1h30m10s500ms`: whole numbers, each unit at most once, from the
/// largest on. More than none, and at most a day.
fn milliseconds(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
    let mut rest = text;
    let mut total: u64 = 0;
    let mut from = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let at = UNITS
            .iter()
            .position(|(name, _)| *name == &rest[..letters])?;
        if at < from {
            return None;
        }
        from = at + 1;
        total = total.checked_add(number.checked_mul(UNITS[at].1)?)?;
        rest = &rest[letters..];
    }
    (1..=24 * 3_600_000).contains(&total).then_some(total)
}

impl Shown for Healthcheck {
    fn shown(&self) -> String {
        self.test.shown()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_numbers_of_units() {
        for (text, wanted) in [
            ("30s", Some(30_000)),
            ("1m30s", Some(90_000)),
            ("500ms", Some(500)),
            ("1h", Some(3_600_000)),
            ("24h", Some(86_400_000)),
            ("24h1ms", None),
            ("", None),
            ("0s", None),
            ("30", None),
            ("s", None),
            ("1s1m", None),
            ("1s1s", None),
            ("1.5s", None),
            ("-1s", None),
            ("1 s", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(milliseconds(text), wanted, "{text}");
        }
    }
}
