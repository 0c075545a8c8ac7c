//! Literals that became modes, ports, platforms and names, looked at before anything
//! is evaluated. What is right is in `host/scalars.rs`.

use std::collections::BTreeSet;

use imgc_diag::codes;

use crate::host::scalars;
use crate::ir::Expr;
use crate::problem::Problem;
use crate::site::Site;

use super::advice::is_path;
use super::hosts::Host;
use super::infer::Infer;

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
        if host == Host::Mode
            && let Some(number) = scalars::decimal_mode(body, site.at.expr)
        {
            return Some(scalars::not_octal(number, site));
        }
        let wrong = match (number, expr, host) {
            (Some(number), _, Host::Mode) => {
                let wrong = scalars::check_mode(number, site).err()?;
                let id = site.at.expr;
                return Some(scalars::named_bits(*wrong, body, id, number, site));
            }
            (Some(number), _, Host::Port) => scalars::check_port_number(number, site).err(),
            (_, Expr::Str(text), Host::Port) => scalars::check_port_text(text, site).err(),
            (_, Expr::Str(text), Host::Platform) => scalars::check_platform(text, site).err(),
            (_, Expr::Str(text), Host::Suite) => scalars::check_suite(text, site).err(),
            (_, Expr::Str(text), Host::Variant) => scalars::check_variant(text, site).err(),
            (_, Expr::Str(text), Host::Package) => scalars::check_package(text, site).err(),
            (_, Expr::Str(text), Host::File) => return path_in_quotes(site, text),
            _ => None,
        };
        wrong.map(|problem| *problem)
    }
}

/// Warns of the text of a file that looks like the path of one.
fn path_in_quotes(site: Site, text: &str) -> Option<Problem<Site>> {
    let up = text.trim_start_matches("../");
    if !(text.starts_with("./") || up.len() < text.len()) || !is_path(up) {
        return None;
    }
    let message = "in quotes this is the text of the file, not a path";
    let problem = Problem::warning(codes::PATH_IN_QUOTES, site, message);
    let help = format!("a path has no quotes: `{text}`; if text is meant, `file {{ text = …; }}`");
    let title = "remove the quotes";
    Some(problem.help(help).fix(title, vec![(site, text.to_owned())]))
}
