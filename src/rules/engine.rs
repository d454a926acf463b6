//! The rules engine with every limit set. It reads no file, shows no clock, waits for nothing and
//! prints nowhere; whatever a rule does ends by itself, at the same step on every machine unless its
//! steps take too long (`limit.rs`).

use std::collections::BTreeMap;

use rhai::packages::{
    BasicArrayPackage, BasicMapPackage, BasicMathPackage, CorePackage, LogicPackage,
    MoreStringPackage, Package,
};
use rhai::{Dynamic, Engine, EvalAltResult, OptimizationLevel};

use super::limit;
use super::lists::List;
use super::words::{Speech, plain_error};
use super::{phrases, vocabulary};

/// Steps of one file on one lead, or of a part of it between lines that need no engine.
pub(super) const OPERATIONS_MAX: u64 = 50_000;
/// Functions that call each other.
pub(super) const CALLS_MAX: usize = 16;
/// The longest text that a rule can make.
pub(super) const STRING_BYTES_MAX: usize = 4 * 1024;
/// The longest list or map that a rule can make.
pub(super) const ITEMS_MAX: usize = 256;
/// Parentheses within parentheses; a function may hold fewer.
const EXPRESSION_DEPTH_MAX: usize = 48;
const VARIABLES_MAX: usize = 200;
const FUNCTIONS_MAX: usize = 200;
const STRINGS_INTERNED_MAX: usize = 1024;

/// An engine that knows the phrases and the words, and these lists.
pub(super) fn build(lists: &BTreeMap<String, List>) -> Engine {
    let mut engine = Engine::new_raw();
    CorePackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicMathPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);
    bound(&mut engine);
    silence(&mut engine);
    phrases::register(&mut engine);
    vocabulary::teach(&mut Speech::new(&mut engine), lists);
    engine
}

fn bound(engine: &mut Engine) {
    engine.set_max_operations(OPERATIONS_MAX);
    engine.on_progress(|steps| limit::is_over_at_step(steps).then_some(Dynamic::UNIT));
    engine.set_max_call_levels(CALLS_MAX);
    engine.set_max_string_size(STRING_BYTES_MAX);
    engine.set_max_array_size(ITEMS_MAX);
    engine.set_max_map_size(ITEMS_MAX);
    engine.set_max_modules(0);
    engine.set_max_variables(VARIABLES_MAX);
    engine.set_max_functions(FUNCTIONS_MAX);
    engine.set_max_expr_depths(EXPRESSION_DEPTH_MAX, EXPRESSION_DEPTH_MAX / 2);
    engine.set_max_strings_interned(STRINGS_INTERNED_MAX);
    engine.set_strict_variables(true);
    // What is written is what runs: the optimizer has removed statements in past releases.
    engine.set_optimization_level(OptimizationLevel::None);
}

/// `eval` would hide a rule from lint; `sleep` would stop a thread, `exit` end a file undecided, and
/// disabling a name does not disable the function.
fn silence(engine: &mut Engine) {
    let asleep = || -> Result<Dynamic, Box<EvalAltResult>> {
        Err(plain_error("a rule cannot wait: `sleep` is not available"))
    };
    let gone =
        || -> Result<Dynamic, Box<EvalAltResult>> { Err(plain_error("`exit` is not available")) };
    engine
        .disable_symbol("eval")
        .disable_symbol("import")
        .disable_symbol("export")
        .on_print(|_| {})
        .on_debug(|_, _, _| {})
        .register_fn("exit", gone)
        .register_fn("exit", move |_: Dynamic| gone())
        .register_fn("sleep", move |_: i64| asleep())
        .register_fn("sleep", move |_: f64| asleep());
}
