//! Answers as text, one function for each feature.

use imgc_diag::{Diagnostic, FileId};
use imgc_ide::{
    Analysis, BuiltImage, BuiltLayer, Call, CallItem, Changes, Completion, Encoding, LayerOf,
    LineIndex, LinkTarget, Location, Move, Reference, Symbol, TextEdit,
};
use imgc_syntax::{TextRange, TextSize};

use super::{Fixture, Texts};

/// What the feature of that name answers.
pub(crate) fn answer(feature: &str, parameters: &str, fixture: &Fixture) -> String {
    let mut workspace = fixture.workspace();
    let analysis = workspace.analysis();
    let asked = Asked {
        analysis: &analysis,
        fixture,
        file: &fixture.position.file,
        at: fixture.position.offset,
    };
    let mut text = match feature {
        "diagnostics" => asked.diagnostics(),
        "hover" => asked.hover(),
        "completion" => asked.completion(parameters),
        "signature" => asked.signature(),
        "definition" => asked.definition(),
        "references" => asked.references(),
        "highlights" => asked.highlights(),
        "rename" => asked.rename(parameters),
        "moves" => asked.moves(parameters),
        "symbols" => asked.symbols(parameters),
        "tokens" => asked.tokens(),
        "hints" => asked.hints(parameters),
        "actions" => asked.actions(),
        "formatting" => asked.formatting(parameters),
        "folding" => asked.folding(),
        "selections" => asked.selections(),
        "links" => asked.links(),
        "lenses" => asked.lenses(parameters),
        "calls" => asked.calls(),
        other => panic!("no feature `{other}`"),
    };
    while text.ends_with('\n') {
        text.pop();
    }
    if text.is_empty() {
        text.push_str("nothing");
    }
    text.push('\n');
    text
}

/// What is known of images: `built` of the file, `built=web` of a field, `old` of both.
fn built(parameters: &str) -> Vec<BuiltImage> {
    let layer = |what, size| BuiltLayer { what, size };
    let layers = vec![
        layer(LayerOf::Group("base".to_owned()), 30_200_000),
        layer(LayerOf::Group("web".to_owned()), 1_250_000),
        layer(LayerOf::Packages, 7_800_000),
        layer(LayerOf::Files, 2_048),
    ];
    let words = parameters
        .split(' ')
        .filter(|word| word.starts_with("built"));
    let images = words.map(|word| BuiltImage {
        field: word.strip_prefix("built=").map(str::to_owned),
        layers: layers.clone(),
        is_old: parameters.ends_with(" old"),
    });
    images.collect()
}

struct Asked<'a> {
    analysis: &'a Analysis,
    fixture: &'a Fixture,
    file: &'a FileId,
    at: TextSize,
}

impl Asked<'_> {
    fn text(&self, file: &FileId) -> String {
        let text = self.analysis.text(file).expect("nothing changes");
        text.map_or_else(String::new, |text| text.to_string())
    }

    /// `file:line:column text`
    fn place(&self, file: &FileId, range: TextRange) -> String {
        let text = self.text(file);
        let index = LineIndex::new(&text);
        let at = index.position(&text, range.start(), Encoding::Utf8);
        let here = text.get(std::ops::Range::<usize>::from(range));
        let here = here.unwrap_or_default().lines().next().unwrap_or_default();
        let (line, column) = (at.line + 1, at.column + 1);
        format!("{file}:{line}:{column} {here}")
            .trim_end()
            .to_owned()
    }

    fn slice(&self, range: TextRange) -> String {
        self.text(self.file)[std::ops::Range::<usize>::from(range)].to_owned()
    }

    fn found(&self) -> Vec<Diagnostic> {
        let all = self.analysis.diagnostics().expect("nothing changes");
        all.get(self.file).cloned().unwrap_or_default()
    }

    fn diagnostics(&self) -> String {
        let all = self.analysis.diagnostics().expect("nothing changes");
        let mut text = String::new();
        for diagnostic in all.values().flatten() {
            let span = &diagnostic.primary.span;
            let range = TextRange::new(span.range.start.into(), span.range.end.into());
            let place = self.place(&span.file, range);
            text.push_str(&format!(
                "{} {place}\n  {}\n",
                diagnostic.code, diagnostic.message
            ));
        }
        text
    }

    fn hover(&self) -> String {
        let hover = self.analysis.hover(self.file, self.at);
        let hover = hover.expect("nothing changes");
        hover.map_or_else(String::new, |hover| {
            format!("{}\n---\n{}", self.slice(hover.range), hover.text)
        })
    }

    fn completion(&self, parameters: &str) -> String {
        let found = self.analysis.completions(self.file, self.at);
        let found = found.expect("nothing changes");
        if let Some(label) = parameters.strip_prefix("apply=") {
            let chosen = found.iter().find(|completion| completion.label == label);
            let Some(chosen) = chosen else {
                return format!("no {label}");
            };
            let mut edits = chosen.further.clone();
            edits.push(TextEdit {
                range: chosen.range,
                text: chosen.insert.clone(),
            });
            return applied(&self.text(self.file), &edits);
        }
        if let Some(label) = parameters.strip_prefix("resolve=") {
            let chosen = found.iter().find(|completion| completion.label == label);
            let documented = chosen.and_then(|chosen| chosen.documented.clone());
            let text = documented.and_then(|documented| {
                let resolved = self.analysis.resolve_completion(&documented);
                resolved.expect("nothing changes")
            });
            return text.unwrap_or_default();
        }
        let most = if parameters == "all" { 500 } else { 14 };
        let lines = found.iter().take(most).map(line);
        let mut text: String = lines.collect();
        if found.len() > most {
            text.push_str("…\n");
        }
        text
    }

    fn signature(&self) -> String {
        let found = self.analysis.signature(self.file, self.at);
        let Some(found) = found.expect("nothing changes") else {
            return String::new();
        };
        let mut text = format!("{}\n", found.label);
        if let Some(active) = found.active {
            let range = &found.parameters[active];
            let before = found.label[..range.start].chars().count();
            let width = found.label[range.clone()].chars().count();
            text.push_str(&format!("{}{}\n", " ".repeat(before), "^".repeat(width)));
        }
        for words in [found.field_doc.map(str::to_owned), found.doc]
            .into_iter()
            .flatten()
        {
            let first = words.lines().next().unwrap_or_default();
            text.push_str(&format!("{first}\n"));
        }
        text
    }

    fn locations(&self, found: &[Location]) -> String {
        let lines = found.iter();
        let lines = lines.map(|at| self.place(&at.file, at.text_range()) + "\n");
        lines.collect()
    }

    fn definition(&self) -> String {
        let found = self.analysis.definition(self.file, self.at);
        self.locations(&found.expect("nothing changes"))
    }

    fn reference_lines(&self, found: &[Reference]) -> String {
        let lines = found.iter().map(|found| {
            let place = self.place(&found.location.file, found.location.text_range());
            let mark = if found.is_definition { " (here)" } else { "" };
            format!("{place}{mark}\n")
        });
        lines.collect()
    }

    fn references(&self) -> String {
        let found = self.analysis.references(self.file, self.at, true);
        self.reference_lines(&found.expect("nothing changes"))
    }

    fn highlights(&self) -> String {
        let found = self.analysis.highlights(self.file, self.at);
        self.reference_lines(&found.expect("nothing changes"))
    }

    fn rename(&self, name: &str) -> String {
        let prepared = self.analysis.prepare_rename(self.file, self.at);
        let prepared = prepared.expect("nothing changes");
        let changes = self.analysis.rename(self.file, self.at, name);
        match (prepared, changes.expect("nothing changes")) {
            (_, Ok(changes)) => self.changed(&changes),
            (_, Err(error)) => format!("refused: {error}"),
        }
    }

    fn moves(&self, parameters: &str) -> String {
        let (from, to) = parameters.split_once(" -> ").expect("two names");
        let moves = [Move {
            from: from.to_owned(),
            to: to.to_owned(),
        }];
        let changes = self.analysis.moves(&moves).expect("nothing changes");
        let lines = changes.iter().map(|(file, edits)| {
            let edits = edits
                .iter()
                .map(|edit| format!("{} -> {}\n", self.place(file, edit.range), edit.text));
            edits.collect::<String>()
        });
        lines.collect()
    }

    /// The texts of the changed files.
    fn changed(&self, changes: &Changes) -> String {
        let mut texts = Texts::new();
        for (file, edits) in changes {
            texts.insert(file.to_string(), applied(&self.text(file), edits));
        }
        if let [(name, text)] = texts.iter().collect::<Vec<_>>().as_slice()
            && name.as_str() == self.file.as_str()
        {
            return (*text).clone();
        }
        let texts = texts.iter();
        texts
            .map(|(name, text)| format!("//- {name}\n{text}"))
            .collect()
    }

    fn symbols(&self, parameters: &str) -> String {
        if let Some(query) = parameters.strip_prefix("query=") {
            let found = self.analysis.workspace_symbols(query);
            let found = found.expect("nothing changes");
            let lines = found.iter().map(|found| {
                let place = self.place(&found.file, found.symbol.name_range);
                format!("{:?} {place}\n", found.symbol.kind)
            });
            return lines.collect();
        }
        let found = self.analysis.symbols(self.file).expect("nothing changes");
        let mut text = String::new();
        tree(&found, 0, &mut text);
        text
    }

    fn tokens(&self) -> String {
        let found = self.analysis.semantic_tokens(self.file);
        let found = found.expect("nothing changes");
        let lines = found.iter().map(|token| {
            let modifiers = token.modifiers.iter();
            let modifiers: String = modifiers.map(|known| format!(" {known:?}")).collect();
            let text = self.slice(token.range).replace('\n', "\\n");
            format!("{text} · {:?}{modifiers}\n", token.ty)
        });
        lines.collect()
    }

    fn hints(&self, parameters: &str) -> String {
        let text = self.text(self.file);
        let whole = TextRange::up_to(TextSize::of(text.as_str()));
        let whole = if self.fixture.range.is_empty() {
            whole
        } else {
            self.fixture.range
        };
        let found = self
            .analysis
            .inlay_hints(self.file, whole, &built(parameters));
        let found = found.expect("nothing changes");
        let edits = found.iter().map(|hint| TextEdit {
            range: TextRange::empty(hint.offset),
            text: format!("«{}»", hint.label),
        });
        applied(&text, &edits.collect::<Vec<_>>())
    }

    fn actions(&self) -> String {
        let found = self.found();
        let actions = self.analysis.actions(self.file, self.fixture.range, &found);
        let actions = actions.expect("nothing changes");
        let lines = actions.iter().map(|action| {
            let after = self.changed(&action.changes);
            let end = if after.ends_with('\n') { "" } else { "\n" };
            format!("# {:?}: {}\n{after}{end}", action.kind, action.title)
        });
        lines.collect()
    }

    fn formatting(&self, parameters: &str) -> String {
        let text = &self.text(self.file);
        let edits = match parameters {
            "range" => imgc_ide::format_range(text, self.fixture.range),
            "" => imgc_ide::format(text),
            "line" => imgc_ide::format_typed(text, self.at, '\n'),
            typed => {
                let typed = typed.chars().next().expect("a character");
                imgc_ide::format_typed(text, self.at, typed)
            }
        };
        format!("{}({} edits)", applied(text, &edits), edits.len())
    }

    fn folding(&self) -> String {
        let text = self.text(self.file);
        let index = LineIndex::new(&text);
        let line = |at| index.position(&text, at, Encoding::Utf8).line + 1;
        let folds = self.analysis.folds(self.file).expect("nothing changes");
        let lines = folds.iter().map(|fold| {
            let (start, end) = (line(fold.range.start()), line(fold.range.end()));
            format!("{start}-{end} {:?}\n", fold.kind)
        });
        lines.collect()
    }

    fn selections(&self) -> String {
        let found = self.analysis.selections(self.file, self.at);
        let found = found.expect("nothing changes");
        let lines = found
            .iter()
            .map(|range| self.slice(*range).replace('\n', "\\n") + "\n");
        lines.collect()
    }

    fn links(&self) -> String {
        let found = self.analysis.links(self.file).expect("nothing changes");
        let lines = found.iter().map(|link| {
            let target = match &link.target {
                LinkTarget::File(file) => file.to_string(),
                LinkTarget::Address(address) => format!("web {address}"),
            };
            format!("{} -> {target}\n", self.slice(link.range))
        });
        lines.collect()
    }

    fn lenses(&self, parameters: &str) -> String {
        let found = self.analysis.lenses(self.file, &built(parameters));
        let found = found.expect("nothing changes");
        let lines = found.iter().map(|lens| {
            let size = lens.size.as_deref();
            let size = size.map_or_else(String::new, |size| format!(" ({size})"));
            let place = self.place(self.file, lens.range);
            format!("{place} {}{size}\n", lens.target)
        });
        lines.collect()
    }

    fn calls(&self) -> String {
        let item = self.analysis.callable(self.file, self.at);
        let Some(item) = item.expect("nothing changes") else {
            return String::new();
        };
        let mut text = format!("{}\n", self.item(&item));
        let callers = self.analysis.callers(self.file, self.at);
        for call in callers.expect("nothing changes") {
            text.push_str(&format!("from {}\n", self.call(&call, &call.item.file)));
        }
        let callees = self.analysis.callees(self.file, self.at);
        for call in callees.expect("nothing changes") {
            text.push_str(&format!("to {}\n", self.call(&call, &item.file)));
        }
        text
    }

    fn item(&self, item: &CallItem) -> String {
        format!("{} {}", item.name, self.place(&item.file, item.name_range))
    }

    fn call(&self, call: &Call, file: &FileId) -> String {
        let places = call.places.iter();
        let places: Vec<String> = places.map(|place| self.place(file, *place)).collect();
        format!("{} at {}", self.item(&call.item), places.join(", "))
    }
}

fn line(completion: &Completion) -> String {
    let detail = completion.detail.as_deref();
    let detail = detail.map_or(String::new(), |detail| format!(" : {detail}"));
    let insert = if completion.insert == completion.label {
        String::new()
    } else {
        format!(" -> {}", completion.insert.replace('\n', "\\n"))
    };
    let further = if completion.further.is_empty() {
        ""
    } else {
        " +edit"
    };
    format!(
        "{:?} {}{detail}{insert}{further}\n",
        completion.kind, completion.label
    )
}

fn tree(symbols: &[Symbol], depth: usize, text: &mut String) {
    for symbol in symbols {
        let blanks = "  ".repeat(depth);
        text.push_str(&format!("{blanks}{} {:?}\n", symbol.name, symbol.kind));
        tree(&symbol.children, depth + 1, text);
    }
}

fn applied(text: &str, edits: &[TextEdit]) -> String {
    let mut edits: Vec<&TextEdit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.range.start(), edit.range.end()));
    let mut after = String::new();
    let mut at = 0;
    for edit in edits {
        let range = std::ops::Range::<usize>::from(edit.range);
        assert!(range.start >= at, "edits do not overlap");
        after.push_str(&text[at..range.start]);
        after.push_str(&edit.text);
        at = range.end;
    }
    after.push_str(&text[at..]);
    after
}
