//! Literals that became modes, ports, platforms and names, looked at before anything
//! is evaluated.

use std::collections::BTreeSet;

use imgc_diag::{codes, did_you_mean};
use imgc_plan::Platform;

use crate::ir::Expr;
use crate::problem::{Problem, list_names};
use crate::site::Site;

use super::hosts::Host;
use super::infer::Infer;

const VARIANTS: [&str; 4] = ["distroless", "essential", "apt", "minbase"];

impl Infer<'_> {
    /// Looks at every literal that became a type with rules of its own.
    pub(super) fn check_literals(&mut self) {
        let checks = std::mem::take(&mut self.arena.checks);
        let mut done: BTreeSet<(usize, Host)> = BTreeSet::new();
        for (literals, host) in checks {
            let mut new = |data| done.insert((data, host));
            for site in self.arena.new_literal_sites(literals, &mut new) {
                if let Some(problem) = self.literal(site, host) {
                    self.report(problem);
                }
            }
        }
    }

    fn literal(&self, site: Site, host: Host) -> Option<Problem<Site>> {
        let other;
        let body = if site.item == self.item {
            self.body
        } else {
            other = crate::queries::body(self.db, site.item).as_ref()?;
            other
        };
        let expr = body.exprs.get(site.at.expr.0 as usize)?;
        let number = match expr {
            Expr::Int(number) => Some(*number),
            Expr::Negate(operand) => match body.expr(*operand) {
                Expr::Int(number) => number.checked_neg(),
                _ => None,
            },
            _ => None,
        };
        if let Some(number) = number {
            return match host {
                Host::Mode => mode(site, number),
                Host::Port if !(1..=65_535).contains(&number) => Some(port(site)),
                _ => None,
            };
        }
        match (expr, host) {
            (Expr::Str(text), Host::Port) => (!is_port(text)).then(|| port(site)),
            (Expr::Str(text), Host::Platform) => platform(site, text),
            (Expr::Str(text), Host::Suite) => suite(site, text),
            (Expr::Str(text), Host::Variant) => variant(site, text),
            (Expr::Str(text), Host::Package) => (!is_package_name(text)).then(|| {
                let message = format!("`{text}` can't be the name of a Debian package");
                Problem::new(codes::BAD_PACKAGE_NAME, site, message)
            }),
            _ => None,
        }
    }
}

fn mode(site: Site, number: i64) -> Option<Problem<Site>> {
    if (0..=0o7777).contains(&number) {
        return None;
    }
    let message = format!("a mode is a number from 0 to 0o7777, not {number}");
    let problem = Problem::new(codes::BAD_MODE, site, message);
    // `644` is what `0o644` is often written as elsewhere; it is a number in range.
    Some(problem.help("write it in octal: `0o644`"))
}

fn port(site: Site) -> Problem<Site> {
    let message = "a port is a number from 1 to 65535, with `/tcp` or `/udp` after it or not";
    Problem::new(codes::BAD_PORT, site, message)
}

fn is_port(text: &str) -> bool {
    let number = match text.split_once('/') {
        None => text,
        Some((number, "tcp" | "udp")) => number,
        Some(_) => return false,
    };
    number
        .parse::<u16>()
        .is_ok_and(|value| value != 0 && value.to_string() == number)
}

fn platform(site: Site, text: &str) -> Option<Problem<Site>> {
    if text.parse::<Platform>().is_ok() {
        return None;
    }
    let known = imgc_plan::Arch::ALL.into_iter();
    let known: Vec<String> = known.map(|arch| Platform { arch }.to_string()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let message = format!("`{text}` is not a platform that imgc knows");
    let problem = Problem::new(codes::BAD_PLATFORM, site, message);
    Some(similar(problem, site, text, &known))
}

fn suite(site: Site, text: &str) -> Option<Problem<Site>> {
    if is_suite(text) {
        return None;
    }
    let message = format!("`{text}` can't be the name of a suite");
    let problem = Problem::new(codes::BAD_SUITE, site, message);
    Some(problem.help("write the code name: `trixie`"))
}

fn variant(site: Site, text: &str) -> Option<Problem<Site>> {
    if VARIANTS.contains(&text) {
        return None;
    }
    let message = format!("`{text}` is not a variant");
    let problem = Problem::new(codes::BAD_SUITE, site, message);
    Some(similar(problem, site, text, &VARIANTS))
}

fn similar(problem: Problem<Site>, site: Site, text: &str, known: &[&str]) -> Problem<Site> {
    match did_you_mean(text, known.iter().copied()) {
        Some(similar) => problem.did_you_mean(site, text, similar),
        None => problem.note(format!("known are {}", list_names(known))),
    }
}

/// Whether `name` is the name of a Debian package (Debian policy, 5.6.1).
fn is_package_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (2..=255).contains(&name.len())
        && name.as_bytes().first().copied().is_some_and(plain)
        && name
            .bytes()
            .all(|byte| plain(byte) || matches!(byte, b'+' | b'-' | b'.'))
}

fn is_suite(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 64
        && name
            .split(['-', '.'])
            .all(|part| !part.is_empty() && part.bytes().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_their_rules() {
        for name in ["libstdc++6", "0ad", "tzdata", "python3.13"] {
            assert!(is_package_name(name), "{name}");
        }
        for name in ["", "a", "Tzdata", "-a", "tz data", "tzdata=1", "a:b"] {
            assert!(!is_package_name(name), "{name}");
        }
        assert!(is_suite("trixie-backports") && !is_suite("../trixie"));
        for text in ["80", "53/udp", "443/tcp", "65535"] {
            assert!(is_port(text), "{text}");
        }
        for text in ["", "0", "080", "+80", "65536", "80/sctp", "80/tcp/udp"] {
            assert!(!is_port(text), "{text}");
        }
    }
}
