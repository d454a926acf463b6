//! Turns the texts of the rules folder into a [`Rulebook`], or says everything that is wrong with
//! them at once. Reads no file itself.

use std::collections::BTreeMap;

use rhai::{AST, Dynamic, Engine, Position, Scope};

use super::early;
use super::inline::{Functions, Variables};
use super::lines;
use super::lint::Lint;
use super::lists::List;
use super::names::Names;
use super::prepare::{self, Prepared, Preparing};
use super::source::Source;
use super::{Known, Rulebook, Texts, engine, samples, speech, text};
use crate::lead::PhraseKind;
use crate::problem::{Problem, nearest};

/// The largest rule file or sample.
const RULE_BYTES_MAX: usize = 64 * 1024;
/// The largest list.
const LIST_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How many problems of syntax are looked for in one file.
const SYNTAX_PROBLEMS_MAX: usize = 20;

/// One file of rules, and what may stand in it.
pub(super) struct RuleFile<'t> {
    pub(super) name: &'t str,
    pub(super) text: &'t str,
    pub(super) phrases: &'static [PhraseKind],
    pub(super) variables: &'static [&'static str],
}

/// The three files, in the order in which a lead passes them.
const FILES: [(&str, &[PhraseKind], &[&str]); 3] = [
    (
        "screen.rhai",
        &[PhraseKind::Reject, PhraseKind::Hold],
        &["lead", "seen"],
    ),
    (
        "grade.rhai",
        &[PhraseKind::Score, PhraseKind::Grade],
        &["lead", "seen", "points"],
    ),
    (
        "route.rhai",
        &[PhraseKind::Route],
        &["lead", "seen", "points", "graded"],
    ),
];

impl RuleFile<'_> {
    /// The file that a phrase belongs to.
    pub(super) fn home(kind: PhraseKind) -> &'static str {
        let file = FILES.iter().find(|(_, phrases, _)| phrases.contains(&kind));
        file.map_or("", |(name, ..)| name)
    }

    /// A problem at a place in this file, underlining `width` characters.
    pub(super) fn problem(
        &self,
        at: Position,
        width: usize,
        message: impl Into<String>,
    ) -> Problem {
        let place = (
            at.line().unwrap_or_default(),
            at.position().unwrap_or_default(),
        );
        let mut problem = Problem::at(self.name, self.text, place, message);
        problem.width = width.max(1);
        problem
    }
}

struct Compiled<'t> {
    file: RuleFile<'t>,
    ast: AST,
    /// Whether every line could be read.
    whole: bool,
    /// Its functions, those that could not be read as well.
    functions: Vec<(String, usize)>,
}

/// Loads a rulebook.
pub(super) fn load(texts: &Texts, known: &Known<'_>) -> Result<Rulebook, Vec<Problem>> {
    let mut problems = unexpected(texts);
    let lists = read_lists(texts);
    let mut engine = engine::build(&lists);
    let libraries = compile_libraries(&engine, texts, &mut problems);
    let files = compile_files(&engine, texts, known, &mut problems);
    let mut names = Names::of(
        libraries.iter().chain(&files).map(|c| (&c.file, &c.ast)),
        &lists,
        &mut problems,
    );
    for broken in libraries.iter().chain(&files).filter(|c| !c.whole) {
        names.also(&broken.functions);
    }
    let mut lint = Lint::new(&names);
    for compiled in libraries.iter().chain(&files) {
        lint.file(&compiled.file, &compiled.ast);
        problems.extend(early::endings(&compiled.file, &compiled.ast));
    }
    problems.append(&mut lint.problems);
    lint.ease_fields(&mut engine);

    let mut preparing = Preparing {
        lists: &lists,
        names: &names,
        pools: known.pools,
        phrases: Vec::new(),
        quick: Vec::new(),
        functions: Functions::new(),
        variables: Variables::new(),
        problems: Vec::new(),
    };
    for library in &libraries {
        preparing.file(&library.file, &library.ast);
    }
    let library = merged(&libraries);
    let mut ready = BTreeMap::new();
    for compiled in &files {
        let prepared = preparing.file(&compiled.file, &compiled.ast);
        if compiled.whole {
            problems.extend(undecided(&compiled.file, &prepared, &preparing, known));
        }
        let lines = lines::of(&prepared.ast, &library, &preparing);
        ready.insert(compiled.file.name.to_owned(), lines);
    }
    problems.append(&mut preparing.problems);

    let mut take = |name: &str| ready.remove(name).unwrap_or_default();
    let mut book = Rulebook {
        screen: take("screen.rhai"),
        grade: take("grade.rhai"),
        route: take("route.rhai"),
        engine,
        grades: prepare::grades(&preparing.phrases),
        phrases: preparing.phrases,
        quick: preparing.quick.into(),
        default_grade: known.default_grade.to_owned(),
        default_pool: known.default_pool.to_owned(),
        file_of_function: names.into_files(),
        samples: 0,
    };
    let runs = problems.is_empty();
    let (ran, mut failed) = samples::run(texts, runs.then_some(&book));
    problems.append(&mut failed);
    if !problems.is_empty() {
        problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        problems.dedup();
        return Err(problems);
    }
    book.samples = ran;
    Ok(book)
}

/// Files that are too large, or whose name means nothing here.
fn unexpected(texts: &Texts) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, text) in texts {
        let limit = if name.starts_with("lists/") {
            LIST_BYTES_MAX
        } else {
            RULE_BYTES_MAX
        };
        if text.len() > limit {
            let kib = limit / 1024;
            problems.push(Problem::in_file(
                name,
                format!("this file is larger than {kib} KiB"),
            ));
        }
        let is_rule = has_extension(name, "rhai");
        let is_known =
            name.starts_with("lib/") || FILES.iter().any(|(known, ..)| *known == name.as_str());
        if is_rule && !is_known {
            let names = FILES.iter().map(|(name, ..)| *name);
            let hint = nearest(name, names).map_or_else(
                || "helper functions belong into lib/".to_owned(),
                |near| format!("did you mean {near}?"),
            );
            problems.push(
                Problem::in_file(name, "no rule file is called so; it would never run").hint(hint),
            );
        }
    }
    problems
}

/// Whether a file is of this kind, by its name.
pub(super) fn has_extension(name: &str, extension: &str) -> bool {
    let found = std::path::Path::new(name).extension();
    found.is_some_and(|found| found == extension)
}

fn read_lists(texts: &Texts) -> BTreeMap<String, List> {
    let named = texts.iter().filter_map(|(path, text)| {
        let name = path.strip_prefix("lists/")?.strip_suffix(".txt")?;
        (text.len() <= LIST_BYTES_MAX).then(|| (name.to_owned(), List::read(text)))
    });
    named.collect()
}

fn compile_libraries<'t>(
    engine: &Engine,
    texts: &'t Texts,
    problems: &mut Vec<Problem>,
) -> Vec<Compiled<'t>> {
    let mut libraries = Vec::new();
    let files = texts
        .iter()
        .filter(|(name, _)| name.starts_with("lib/") && has_extension(name, "rhai"));
    for (name, text) in files {
        let file = RuleFile {
            name,
            text: text::without_mark(text),
            phrases: &[],
            variables: &[],
        };
        let compiled = compile(engine, file, problems);
        if let Some(first) = compiled.ast.statements().first() {
            let problem =
                compiled
                    .file
                    .problem(first.position(), 1, "only functions stand in lib/");
            problems.push(problem.hint("begin with `fn name(lead) {`"));
        }
        libraries.push(compiled);
    }
    libraries
}

fn compile_files<'t>(
    engine: &Engine,
    texts: &'t Texts,
    known: &Known<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Compiled<'t>> {
    let mut files = Vec::new();
    for (name, phrases, variables) in FILES {
        let has_default = match name {
            "grade.rhai" => !known.default_grade.is_empty(),
            "route.rhai" => !known.default_pool.is_empty(),
            _ => false,
        };
        let Some(text) = texts.get(name) else {
            if !has_default {
                problems.push(Problem::in_file(name, "this file is missing"));
            }
            continue;
        };
        let file = RuleFile {
            name,
            text: text::without_mark(text),
            phrases,
            variables,
        };
        files.push(compile(engine, file, problems));
    }
    files
}

/// Compiles a file; after a mistake the rest is read without that statement, so that further ones are
/// found as well.
fn compile<'t>(engine: &Engine, file: RuleFile<'t>, problems: &mut Vec<Problem>) -> Compiled<'t> {
    let mut scope = Scope::new();
    for name in file.variables {
        scope.push_dynamic(*name, Dynamic::UNIT);
    }
    let is_short = file.text.len() <= RULE_BYTES_MAX;
    let mut source = Source::of(if is_short { file.text } else { "" });
    let mut whole = source.open_comment.is_none();
    if let Some(at) = source.open_comment {
        let problem = Problem::at(file.name, file.text, at, "this comment is not closed");
        let hint = "it ends with `*/`; a comment of one line begins with `//`";
        problems.push(problem.hint(hint));
    }
    for _ in 0..SYNTAX_PROBLEMS_MAX {
        let error = match engine.compile_with_scope(&scope, source.text()) {
            Ok(ast) => {
                return Compiled {
                    file,
                    ast,
                    whole,
                    functions: source.functions,
                };
            }
            Err(error) => error,
        };
        whole = false;
        let problem = speech::of_parse_error(&file, &error);
        let line = problem.line;
        problems.push(problem);
        if !source.take_out(line) {
            break;
        }
        for variable in source.variables.drain(..) {
            // It would be unknown to the lines below.
            scope.push_dynamic(variable, Dynamic::UNIT);
        }
    }
    Compiled {
        file,
        ast: AST::empty(),
        whole: false,
        functions: source.functions,
    }
}

fn merged(libraries: &[Compiled<'_>]) -> AST {
    libraries.iter().fold(AST::empty(), |all, one| {
        all.merge(&one.ast.clone_functions_only())
    })
}

/// A file that may come to its end without having decided.
fn undecided(
    file: &RuleFile<'_>,
    prepared: &Prepared,
    preparing: &Preparing<'_>,
    known: &Known<'_>,
) -> Option<Problem> {
    let (kind, default, setting) = match file.name {
        "grade.rhai" => (PhraseKind::Grade, known.default_grade, "default_grade"),
        "route.rhai" => (PhraseKind::Route, known.default_pool, "default_pool"),
        _ => return None,
    };
    if prepared.always_decides || !default.is_empty() {
        return None;
    }
    let word = super::phrases::word_of(kind);
    let last = preparing.phrases.iter().rfind(|p| p.kind == kind);
    let hint =
        format!("end the file with a `{word}` line that has no `when`, or configure {setting}");
    let problem = match last {
        Some(last) => Problem::at(
            file.name,
            file.text,
            (last.line, 1),
            format!("a lead to which no `{word}` line applies would be left without one"),
        ),
        None => Problem::in_file(file.name, format!("there is no `{word}` line")),
    };
    Some(problem.hint(hint))
}
