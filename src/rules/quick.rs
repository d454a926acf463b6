//! Conditions made only of words, comparisons, `in`, `&&`, `||` and `!` need no engine: they are
//! reckoned here, from the same words, several times faster. Whatever else a condition holds, and
//! whatever cannot be answered here, the engine answers; a test holds the two together.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the engine's enums are not ours and may grow; what is not named is left alone"
)]

use std::borrow::Cow;

use rhai::{ASTFlags, Expr, FnCallExpr, ImmutableString};

use super::compare::{self, Comparison};
use super::facts::{Number, SeenFact};
use super::inline::{Functions, Variables};
use super::lists::List;
use super::names::Names;
use super::value::{Said, Value};
use super::words::{self, Ask, Get, Kind};

/// Functions within functions that are followed.
const DEPTH_MAX: usize = 4;
/// What a name stands for is written out wherever it stands, so that it may not be larger: variables
/// made of variables would double with every line.
const PARTS_MAX: usize = 64;

/// A condition, or a part of one.
#[derive(Clone)]
pub(super) enum Quick {
    Lead,
    Seen,
    Points,
    Graded,
    Fixed(Value),
    Get(Box<Quick>, &'static Get),
    Ask(Box<Quick>, Box<Quick>, &'static Ask),
    Named(Box<Quick>, Box<str>),
    All(Vec<Quick>),
    Any(Vec<Quick>),
    Not(Box<Quick>),
    Compare(Comparison, Box<Quick>, Box<Quick>),
    In(Box<Quick>, Box<Quick>),
}

/// What a condition is asked about.
pub(super) struct About<'a> {
    /// The lead, as a value.
    pub(super) lead: &'a Value,
    pub(super) seen: SeenFact,
    pub(super) points: i64,
    pub(super) graded: &'a ImmutableString,
}

impl Quick {
    /// Whether the condition holds; `None` where the engine must be asked.
    pub(super) fn holds(&self, about: &About<'_>) -> Option<bool> {
        match self {
            Self::All(parts) => {
                for part in parts {
                    if !part.holds(about)? {
                        return Some(false);
                    }
                }
                Some(true)
            }
            Self::Any(parts) => {
                for part in parts {
                    if part.holds(about)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
            Self::Not(part) => Some(!part.holds(about)?),
            Self::Compare(how, left, right) => {
                compare::values(*how, &*left.value(about)?, &*right.value(about)?)
            }
            Self::In(list, item) => compare::is_in(&*list.value(about)?, &*item.value(about)?),
            Self::Lead
            | Self::Seen
            | Self::Points
            | Self::Graded
            | Self::Fixed(_)
            | Self::Get(..)
            | Self::Ask(..)
            | Self::Named(..) => bool::held(&*self.value(about)?).copied(),
        }
    }

    /// Whether it gives the same wherever in the rules it is asked.
    fn is_fixed(&self) -> bool {
        match self {
            Self::Points | Self::Graded => false,
            Self::Lead | Self::Seen | Self::Fixed(_) => true,
            Self::Get(on, _) | Self::Named(on, _) | Self::Not(on) => on.is_fixed(),
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_fixed),
            Self::Ask(a, b, _) | Self::Compare(_, a, b) | Self::In(a, b) => {
                a.is_fixed() && b.is_fixed()
            }
        }
    }

    fn parts(&self) -> usize {
        1 + match self {
            Self::Lead | Self::Seen | Self::Points | Self::Graded | Self::Fixed(_) => 0,
            Self::Get(on, _) | Self::Named(on, _) | Self::Not(on) => on.parts(),
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::parts).sum(),
            Self::Ask(a, b, _) | Self::Compare(_, a, b) | Self::In(a, b) => a.parts() + b.parts(),
        }
    }

    fn value<'v>(&'v self, about: &'v About<'_>) -> Option<Cow<'v, Value>> {
        let value = match self {
            Self::Lead => return Some(Cow::Borrowed(about.lead)),
            Self::Fixed(value) => return Some(Cow::Borrowed(value)),
            Self::Seen => Value::Seen(about.seen),
            Self::Points => Value::Whole(about.points),
            Self::Graded => Value::Quoted(about.graded.clone()),
            Self::Get(on, get) => get(&*on.value(about)?)?,
            Self::Ask(on, with, ask) => ask(&*on.value(about)?, &*with.value(about)?)?,
            Self::Named(on, name) => match &*on.value(about)? {
                Value::Fields(fields) => Value::Text(fields.0.field(name)),
                Value::Attribution(all) => Value::Text(all.0.attribution(name)),
                _ => return None,
            },
            Self::All(_) | Self::Any(_) | Self::Not(_) | Self::Compare(..) | Self::In(..) => {
                Value::Truth(self.holds(about)?)
            }
        };
        Some(Cow::Owned(value))
    }
}

/// Makes quick conditions of the engine's expressions.
pub(super) struct Maker<'n> {
    pub(super) names: &'n Names,
    pub(super) functions: &'n Functions,
    pub(super) variables: &'n Variables,
    /// How many functions it is in; there, only what they take has a name.
    pub(super) depth: usize,
}

/// With what it gives.
pub(super) type Typed = (Quick, Kind);

impl Maker<'_> {
    /// The quick form of a condition, if it has one.
    pub(super) fn condition(&self, expr: &Expr) -> Option<Quick> {
        let (quick, kind) = self.expr(expr)?;
        (kind == Kind::Truth).then_some(quick)
    }

    /// What a variable stands for, where that is the same at every line and not too large.
    pub(super) fn variable(&self, set_to: &Expr) -> Option<Typed> {
        let known = self.expr(set_to)?;
        (known.0.is_fixed() && known.0.parts() <= PARTS_MAX).then_some(known)
    }

    fn expr(&self, expr: &Expr) -> Option<Typed> {
        match expr {
            Expr::Variable(variable, ..) => match self.variables.get(variable.1.as_str()) {
                Some(known) => Some(known.clone()),
                None if self.depth > 0 => None,
                None => variable_named(&variable.1),
            },
            Expr::StringConstant(text, _) => Some(fixed(text.clone())),
            Expr::IntegerConstant(number, _) => Some(fixed(*number)),
            Expr::FloatConstant(number, _) => Some(fixed(Number(Some(**number)))),
            Expr::BoolConstant(truth, _) => Some(fixed(*truth)),
            Expr::DynamicConstant(value, _) => Some(fixed(value.read_lock::<List>()?.clone())),
            Expr::And(all, _) => Some((Quick::All(self.all(all)?), Kind::Truth)),
            Expr::Or(all, _) => Some((Quick::Any(self.all(all)?), Kind::Truth)),
            Expr::FnCall(call, _) if self.names.is_own(&call.name, call.args.len()) => {
                self.function(call)
            }
            Expr::FnCall(call, _) => self.operator(call),
            Expr::Dot(pair, flags, _) => {
                let on = self.expr(&pair.lhs)?;
                self.after_dot(on, &pair.rhs, *flags)
            }
            _ => None,
        }
    }

    fn all(&self, parts: &[Expr]) -> Option<Vec<Quick>> {
        parts.iter().map(|part| self.condition(part)).collect()
    }

    /// What a function of the rules gives for these things.
    fn function(&self, call: &FnCallExpr) -> Option<Typed> {
        let key = (call.name.to_string(), call.args.len());
        let function = self.functions.get(&key)?;
        if self.depth == DEPTH_MAX || call.is_qualified() || call.capture_parent_scope {
            return None;
        }
        let mut variables = Variables::new();
        for (name, arg) in function.takes.iter().zip(&call.args) {
            variables.insert(name.to_string(), self.expr(arg)?);
        }
        let within = Maker {
            variables: &variables,
            depth: self.depth + 1,
            ..*self
        };
        let known = within.expr(&function.gives)?;
        (known.0.parts() <= PARTS_MAX).then_some(known)
    }

    fn operator(&self, call: &FnCallExpr) -> Option<Typed> {
        let name = call.name.as_str();
        // `x in y` is an ordinary call of `contains`.
        if call.op_token.is_none() && name != "contains" {
            return None;
        }
        let quick = match call.args.as_slice() {
            [part] if name == "!" => Quick::Not(Box::new(self.condition(part)?)),
            [list, item] if name == "contains" && !self.names.defines(name) => {
                Quick::In(Box::new(self.expr(list)?.0), Box::new(self.expr(item)?.0))
            }
            [left, right] => Quick::Compare(
                Comparison::of(name)?,
                Box::new(self.expr(left)?.0),
                Box::new(self.expr(right)?.0),
            ),
            _ => return None,
        };
        Some((quick, Kind::Truth))
    }

    /// What follows a dot; the chain goes on where the engine's flags do not break it.
    fn after_dot(&self, on: Typed, rhs: &Expr, flags: ASTFlags) -> Option<Typed> {
        let chain = !flags.contains(ASTFlags::BREAK);
        match rhs {
            Expr::Dot(pair, further, _) if chain => {
                let on = self.step(on, &pair.lhs)?;
                self.after_dot(on, &pair.rhs, *further)
            }
            Expr::Index(pair, further, _) if chain => {
                let on = self.step(on, &pair.lhs)?;
                self.in_brackets(on, &pair.rhs, *further)
            }
            last => self.step(on, last),
        }
    }

    fn in_brackets(&self, on: Typed, rhs: &Expr, flags: ASTFlags) -> Option<Typed> {
        let chain = !flags.contains(ASTFlags::BREAK);
        match rhs {
            Expr::StringConstant(name, _) => named(on, name),
            Expr::Dot(pair, further, _) if chain => {
                let on = self.in_brackets(on, &pair.lhs, ASTFlags::BREAK)?;
                self.after_dot(on, &pair.rhs, *further)
            }
            _ => None,
        }
    }

    fn step(&self, (on, kind): Typed, expr: &Expr) -> Option<Typed> {
        match expr {
            Expr::Property(property, _) => {
                let name = property.2.as_str();
                if matches!(kind, Kind::Fields | Kind::Attribution) {
                    return named((on, kind), name);
                }
                let (get, gives) = words::getter(kind, name)?;
                Some((Quick::Get(Box::new(on), get), gives))
            }
            Expr::MethodCall(call, _) => {
                let name = call.name.as_str();
                if self.names.defines(name) {
                    return None;
                }
                let (ask, gives) = words::asker(kind, name)?;
                let [with] = call.args.as_slice() else {
                    return None;
                };
                let with = self.expr(with)?.0;
                Some((Quick::Ask(Box::new(on), Box::new(with), ask), gives))
            }
            _ => None,
        }
    }
}

fn variable_named(name: &str) -> Option<Typed> {
    match name {
        "lead" => Some((Quick::Lead, Kind::Lead)),
        "seen" => Some((Quick::Seen, Kind::Seen)),
        "points" => Some((Quick::Points, Kind::Number)),
        "graded" => Some((Quick::Graded, Kind::Quoted)),
        _ => None,
    }
}

fn fixed<T: Said>(value: T) -> Typed {
    (Quick::Fixed(value.wrap()), T::KIND)
}

fn named((on, kind): Typed, name: &str) -> Option<Typed> {
    let fits = matches!(kind, Kind::Fields | Kind::Attribution);
    fits.then(|| (Quick::Named(Box::new(on), name.into()), Kind::Text))
}
