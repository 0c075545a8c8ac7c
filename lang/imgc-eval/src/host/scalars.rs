//! What a type can't say of a number or a name: modes, ports, platforms, the names of
//! packages, suites and variants.
//!
//! Literals are checked where types are, by the `check_` functions; what is computed is
//! checked where it is used.

use imgc_diag::codes;
use imgc_plan::{Platform, Port, Protocol, Variant};

use crate::ir::{Body, Expr, ExprId};
use crate::problem::Problem;
use crate::queries;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::Value;

use super::unknown_name;

/// How a place is known.
pub(crate) trait Place: Clone + PartialEq {}

impl<P: Clone + PartialEq> Place for P {}

/// The variants by name, from the smallest to the largest.
const VARIANTS: [(&str, Variant); 4] = [
    ("distroless", Variant::Distroless),
    ("essential", Variant::Essential),
    ("apt", Variant::Apt),
    ("minbase", Variant::Minbase),
];

/// `mode n`
pub(crate) fn mode(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    mode_of(call, &arguments[0])?;
    Ok(arguments[0].clone())
}

/// `port n`
pub(crate) fn port(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    port_of(call, &arguments[0])?;
    Ok(arguments[0].clone())
}

/// `platform "…"`
pub(crate) fn platform(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    platform_of(call, &arguments[0])?;
    Ok(arguments[0].clone())
}

/// `package "…"`
pub(crate) fn package(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    package_of(call, &arguments[0])?;
    Ok(arguments[0].clone())
}

/// The mode that a number is: nine bits. The three above are asked for by their names.
pub(crate) fn check_mode<P: Place>(number: i64, place: P) -> Result<u32, Box<Problem<P>>> {
    match u32::try_from(number) {
        Ok(mode) if mode <= 0o777 => Ok(mode),
        Ok(mode) if mode <= 0o7777 => {
            let message = format!("0o{mode:o} is more than a mode: it asks for a bit beyond 0o777");
            let problem = Problem::new(codes::BAD_MODE, place, message)
                .note("who means such a bit says so by its name");
            let written = super::attributes::written(mode);
            Err(Box::new(problem.help(format!("write `mode = {written};`"))))
        }
        _ => {
            let message = format!("a mode is a number from 0 to 0o777, not {number}");
            let problem = Problem::new(codes::BAD_MODE, place, message);
            Err(Box::new(problem.help("write it in octal: `0o644`")))
        }
    }
}

/// The number that an expression is, if it is written in decimal and may be meant as a
/// mode.
pub(crate) fn decimal_mode(body: &Body, expr: ExprId) -> Option<i64> {
    match body.exprs.get(expr.0 as usize)? {
        Expr::Int(number) if (8..=7_777).contains(number) => {
            let is_octal = body.octal.binary_search(&expr).is_ok();
            (!is_octal).then_some(*number)
        }
        _ => None,
    }
}

/// Mends a literal that asks for more than a mode, where it stands behind `mode =`.
pub(crate) fn named_bits<P: Place>(
    problem: Problem<P>,
    body: &Body,
    expr: ExprId,
    number: i64,
    place: P,
) -> Problem<P> {
    let is_field = body.exprs.iter().any(|other| match other {
        Expr::Record(fields) => {
            let mut fields = fields.iter();
            fields.any(|field| &*field.name == "mode" && field.value == expr)
        }
        _ => false,
    });
    match u32::try_from(number) {
        Ok(mode @ 0o1000..=0o7777) if is_field => {
            let text = super::attributes::written(mode);
            problem.fix("ask for the bit by its name", vec![(place, text)])
        }
        _ => problem,
    }
}

/// The report that a mode is not written in octal, where `755` is another mode than `0o755`.
pub(crate) fn not_octal<P: Place>(number: i64, place: P) -> Problem<P> {
    let message = format!("a mode is written in octal, and {number} is a decimal number");
    let problem = Problem::new(codes::BAD_MODE, place.clone(), message);
    let digits = number.to_string();
    let meant = digits.len() <= 4 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'7'));
    let octal = match number {
        _ if meant && digits.len() <= 3 => format!("0o{digits}"),
        0..=0o777 => format!("0o{number:o}"),
        _ => return problem.help("write it as `0o644`"),
    };
    let problem = problem.help(format!("write `{octal}`"));
    problem.fix(format!("change it to `{octal}`"), vec![(place, octal)])
}

/// The TCP port that a number is.
pub(crate) fn check_port_number<P: Place>(number: i64, place: P) -> Result<Port, Box<Problem<P>>> {
    let port = u16::try_from(number).ok().map(|number| Port {
        number,
        protocol: Protocol::Tcp,
    });
    good_port(port, place)
}

/// The port that a text such as `53/udp` is.
pub(crate) fn check_port_text<P: Place>(text: &str, place: P) -> Result<Port, Box<Problem<P>>> {
    good_port(parse_port(text), place)
}

/// The platform of that name. A platform is written in one way, so that two that are the
/// same are equal.
pub(crate) fn check_platform<P: Place>(text: &str, place: P) -> Result<Platform, Box<Problem<P>>> {
    let parsed: Result<Platform, _> = text.parse();
    if let Ok(platform) = parsed {
        let canonical = platform.to_string();
        if canonical == text {
            return Ok(platform);
        }
        let message = format!("the platform `{text}` is written `{canonical}`");
        let problem = Problem::new(codes::BAD_PLATFORM, place.clone(), message);
        return Err(Box::new(problem.did_you_mean(place, text, &canonical)));
    }
    parsed.map_err(|_| {
        let known: Vec<String> = imgc_plan::Arch::ALL
            .into_iter()
            .map(|arch| Platform { arch }.to_string())
            .collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let message = format!("`{text}` is not a platform that imgc knows");
        let problem = Problem::new(codes::BAD_PLATFORM, place.clone(), message);
        Box::new(unknown_name(problem, place, text, &known))
    })
}

/// The variant of that name.
pub(crate) fn check_variant<P: Place>(text: &str, place: P) -> Result<Variant, Box<Problem<P>>> {
    let found = VARIANTS.iter().find(|(name, _)| *name == text);
    found.map(|(_, variant)| *variant).ok_or_else(|| {
        let known = VARIANTS.map(|(name, _)| name);
        let message = format!("`{text}` is not a variant");
        let problem = Problem::new(codes::BAD_SUITE, place.clone(), message);
        Box::new(unknown_name(problem, place, text, &known))
    })
}

/// Whether a text can be the name of a suite.
pub(crate) fn check_suite<P: Place>(text: &str, place: P) -> Result<(), Box<Problem<P>>> {
    if is_suite(text) {
        return Ok(());
    }
    let message = format!("`{text}` can't be the name of a suite");
    let problem = Problem::new(codes::BAD_SUITE, place, message);
    Err(Box::new(problem.help("write the code name: `trixie`")))
}

/// Whether a text can ask for a Debian package: a name, and perhaps `:ARCH`, then perhaps
/// `=VERSION` or `/SUITE`.
pub(crate) fn check_package<P: Place>(text: &str, place: P) -> Result<(), Box<Problem<P>>> {
    let wrong = |place, message| Problem::new(codes::BAD_PACKAGE_NAME, place, message);
    let end = text.find(['=', '/']).unwrap_or(text.len());
    let (who, wish) = text.split_at(end);
    let (name, arch) = who.split_once(':').unwrap_or((who, "any"));
    if !is_package_name(name) {
        let message = format!("`{name}` can't be the name of a Debian package");
        return Err(Box::new(wrong(place, message)));
    }
    if !is_architecture(arch) {
        let message = format!("`{arch}` can't be an architecture");
        let problem = wrong(place, message).help("write it as Debian does: `amd64`, `arm64`");
        return Err(Box::new(problem));
    }
    if let Some(version) = wish.strip_prefix('=')
        && let Err(why) = check_version(version)
    {
        let message = format!("`{version}` can't be a version: {why}");
        let problem = wrong(place, message).help("write it whole, as `apt list -a` shows it");
        return Err(Box::new(problem));
    }
    if let Some(suite) = wish.strip_prefix('/')
        && !is_suite(suite)
    {
        let message = format!("`{suite}` can't be the name of a suite");
        let problem = wrong(place, message).help("write the code name: `/trixie-backports`");
        return Err(Box::new(problem));
    }
    Ok(())
}

/// Whether a text can be the name of a Debian package, and nothing more.
pub(super) fn check_bare_package<P: Place>(text: &str, place: P) -> Result<(), Box<Problem<P>>> {
    check_package(text, place.clone())?;
    if is_package_name(text) {
        return Ok(());
    }
    let message = format!("`{text}` is more than the name of a package");
    let problem = Problem::new(codes::BAD_PACKAGE_NAME, place, message);
    Err(Box::new(
        problem.help("leave the version, suite or architecture out"),
    ))
}

/// The name of a variant.
pub(super) fn variant_name(variant: Variant) -> &'static str {
    let found = VARIANTS.iter().find(|(_, known)| *known == variant);
    found.map_or("", |(name, _)| name)
}

pub(super) fn mode_of(call: &mut Call<'_>, value: &Value) -> Eval<u32> {
    let Value::Int(_, number) = value else {
        return Err(Failed);
    };
    let site = call.site_of_value(value);
    let body = queries::body(call.db, site.item).as_ref();
    if let Some(number) = body.and_then(|body| decimal_mode(body, site.at.expr)) {
        return Err(call.report(not_octal(number, site)));
    }
    check_mode(*number, site).map_err(|problem| call.report(*problem))
}

pub(super) fn port_of(call: &mut Call<'_>, value: &Value) -> Eval<Port> {
    let site = call.site_of_value(value);
    let checked = match value {
        Value::Int(_, number) => check_port_number(*number, site),
        Value::Str(_, text) => check_port_text(text, site),
        _ => return Err(Failed),
    };
    checked.map_err(|problem| call.report(*problem))
}

pub(super) fn platform_of(call: &mut Call<'_>, value: &Value) -> Eval<Platform> {
    let text = value.as_str().ok_or(Failed)?;
    let checked = check_platform(text, call.site_of_value(value));
    checked.map_err(|problem| call.report(*problem))
}

pub(super) fn variant_of(call: &mut Call<'_>, value: &Value) -> Eval<Variant> {
    let text = value.as_str().ok_or(Failed)?;
    let checked = check_variant(text, call.site_of_value(value));
    checked.map_err(|problem| call.report(*problem))
}

pub(super) fn suite_of(call: &mut Call<'_>, value: &Value) -> Eval<String> {
    let text = value.as_str().ok_or(Failed)?;
    let checked = check_suite(text, call.site_of_value(value));
    checked.map_err(|problem| call.report(*problem))?;
    Ok(text.to_owned())
}

pub(super) fn package_of(call: &mut Call<'_>, value: &Value) -> Eval<String> {
    let text = value.as_str().ok_or(Failed)?;
    let checked = check_package(text, call.site_of_value(value));
    checked.map_err(|problem| call.report(*problem))?;
    call.allocate(text.len())?;
    Ok(text.to_owned())
}

fn good_port<P: Place>(port: Option<Port>, place: P) -> Result<Port, Box<Problem<P>>> {
    port.filter(|port| port.number != 0).ok_or_else(|| {
        let message = "a port is a number from 1 to 65535, with `/tcp` or `/udp` after it or not";
        Box::new(Problem::new(codes::BAD_PORT, place, message))
    })
}

fn parse_port(text: &str) -> Option<Port> {
    let (number, protocol) = match text.split_once('/') {
        None => (text, Protocol::Tcp),
        Some((number, "tcp")) => (number, Protocol::Tcp),
        Some((number, "udp")) => (number, Protocol::Udp),
        Some(_) => return None,
    };
    let value: u16 = number.parse().ok()?;
    (value.to_string() == number).then_some(Port {
        number: value,
        protocol,
    })
}

/// Whether `name` is the name of a Debian package (Debian policy, 5.6.1).
fn is_package_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() >= 2
        && name.len() <= 255
        && name.as_bytes().first().copied().is_some_and(plain)
        && name
            .bytes()
            .all(|byte| plain(byte) || matches!(byte, b'+' | b'-' | b'.'))
}

fn is_architecture(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&name.len()) && name.bytes().all(plain)
}

/// Whether a text is a version (Debian policy, 5.6.12), or why not.
fn check_version(text: &str) -> Result<(), &'static str> {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
    let strange = |part: &str, more: &str| {
        part.chars()
            .any(|c| !c.is_ascii_alphanumeric() && !".+~".contains(c) && !more.contains(c))
    };
    if text.len() > 1024 {
        return Err("it is longer than 1024 bytes");
    }
    if epoch.is_empty()
        || !epoch.bytes().all(|b| b.is_ascii_digit())
        || epoch.parse::<i32>().is_err()
    {
        return Err("what stands before the first colon is not a number");
    }
    if upstream.is_empty() || revision.is_empty() {
        return Err("a part of it is empty");
    }
    if strange(upstream, "-:") || strange(revision, "") {
        return Err("it has letters and digits, `.`, `+`, `~`, `-`");
    }
    Ok(())
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
        for name in ["", "a", "Tzdata", "-a", "tz data", "tzdata=1", "ab:b"] {
            assert!(!is_package_name(name), "{name}");
        }
        for good in [
            "tzdata=2026a-0+deb13u1",
            "curl=1:8.14.1-2~bpo13+1",
            "curl/trixie-backports",
            "libc6:amd64",
            "libc6:amd64=2.41-12",
            "libc6:arm64/trixie",
        ] {
            assert!(check_package(good, 0).is_ok(), "{good}");
            assert!(check_bare_package(good, 0).is_err(), "{good}");
        }
        for (bad, word) in [
            ("tzdata=", "version"),
            ("tzdata=a:1", "number"),
            ("tzdata=1-", "empty"),
            ("tzdata=1 2", "letters"),
            ("tzdata/", "suite"),
            ("tzdata/Trixie", "suite"),
            ("tzdata:", "architecture"),
            ("tzdata:x y=1", "architecture"),
            ("T=1", "`T` can't be the name"),
        ] {
            let problem = check_package(bad, 0).expect_err("it is refused");
            assert!(
                problem.message().contains(word),
                "{bad}: {}",
                problem.message()
            );
        }
        assert!(is_suite("trixie-backports"));
        assert!(!is_suite("../trixie"));
        for text in ["0080", "+80", "", "80/sctp", "80/tcp/udp", "65536"] {
            assert_eq!(parse_port(text), None, "{text}");
        }
        assert_eq!(parse_port("53/udp").map(|port| port.number), Some(53));
    }
}
