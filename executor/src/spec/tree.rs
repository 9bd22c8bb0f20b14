//! The tree that a job file spells, before any field of it is understood.
//!
//! JSON and YAML give the same tree. Repeated keys are kept: who reads an object refuses them with the field's path.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use super::error::Problem;

pub(super) mod json;
mod scalar;
pub(super) mod yaml;

/// How large a job may be, checked while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpecLimits {
    /// Bytes of the file: two inline inputs of 10 MiB (Bacalhau's limit for one) in base64, and room around them.
    pub bytes_max: usize,
    /// Levels of objects and lists.
    pub depth_max: usize,
    /// Values, counting again what an alias repeats.
    pub nodes_max: usize,
    /// Problems reported; the rest are counted.
    pub problems_max: usize,
}

impl Default for SpecLimits {
    fn default() -> Self {
        Self { bytes_max: 32 * 1024 * 1024, depth_max: 64, nodes_max: 100_000, problems_max: 100 }
    }
}

/// A value and the line it stands on (0 when unknown).
#[derive(Debug, Clone)]
pub(super) struct Node<'t> {
    pub(super) value: NodeValue<'t>,
    pub(super) line: u32,
}

#[derive(Debug, Clone)]
pub(super) enum NodeValue<'t> {
    Null,
    Bool(bool),
    Number(Number),
    String(Cow<'t, str>),
    List(Vec<Node<'t>>),
    Object(Vec<(Cow<'t, str>, Node<'t>)>),
}

impl<'t> Node<'t> {
    pub(super) fn new(value: NodeValue<'t>, line: u32) -> Self {
        Self { value, line }
    }

    /// What it is, for "found …".
    pub(super) fn describe(&self) -> String {
        match &self.value {
            NodeValue::Null => "nothing".to_owned(),
            NodeValue::Bool(flag) => format!("the boolean {flag}"),
            NodeValue::Number(number) => format!("the number {number}"),
            NodeValue::String(text) => super::error::quote(text),
            NodeValue::List(items) => format!("a list of {}", items.len()),
            NodeValue::Object(entries) => format!("an object of {}", entries.len()),
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.value, NodeValue::Null)
    }

    /// The tree of a JSON value.
    pub(super) fn from_value(value: &'t Value, budget: &mut Budget, depth: usize) -> Result<Self, Problem> {
        budget.node(depth)?;
        let value = match value {
            Value::Null => NodeValue::Null,
            Value::Bool(flag) => NodeValue::Bool(*flag),
            Value::Number(number) => NodeValue::Number(number.clone()),
            Value::String(text) => NodeValue::String(Cow::Borrowed(text)),
            Value::Array(items) => {
                let items = items.iter().map(|item| Self::from_value(item, budget, depth + 1));
                NodeValue::List(items.collect::<Result<_, _>>()?)
            }
            Value::Object(map) => {
                let entries = map.iter().map(|(key, value)| {
                    Ok((Cow::Borrowed(key.as_str()), Self::from_value(value, budget, depth + 1)?))
                });
                NodeValue::Object(entries.collect::<Result<_, Problem>>()?)
            }
        };
        Ok(Self::new(value, 0))
    }

    /// The JSON value of the tree; of a repeated key the first value.
    pub(super) fn into_value(self) -> Value {
        match self.value {
            NodeValue::Null => Value::Null,
            NodeValue::Bool(flag) => Value::Bool(flag),
            NodeValue::Number(number) => Value::Number(number),
            NodeValue::String(text) => Value::String(text.into_owned()),
            NodeValue::List(items) => items.into_iter().map(Self::into_value).collect(),
            NodeValue::Object(entries) => {
                let mut map = Map::with_capacity(entries.len());
                for (key, node) in entries {
                    map.entry(key).or_insert_with(|| node.into_value());
                }
                Value::Object(map)
            }
        }
    }
}

/// What may still be read.
#[derive(Debug)]
pub(super) struct Budget {
    limits: SpecLimits,
    nodes_left: usize,
    /// Bytes that aliases may still copy.
    pub(super) alias_bytes_left: usize,
}

impl Budget {
    pub(super) fn new(limits: SpecLimits) -> Self {
        Self { limits, nodes_left: limits.nodes_max, alias_bytes_left: limits.bytes_max }
    }

    /// Accounts for one value with `depth` objects and lists around it.
    pub(super) fn node(&mut self, depth: usize) -> Result<(), Problem> {
        if depth > self.limits.depth_max {
            return Err(Problem::new("", "the job file is nested too deeply")
                .allowed(format!("{} levels (depth_max)", self.limits.depth_max)));
        }
        self.nodes(1)
    }

    /// Accounts for values that an alias repeats.
    pub(super) fn nodes(&mut self, count: usize) -> Result<(), Problem> {
        self.nodes_left = self.nodes_left.checked_sub(count).ok_or_else(|| {
            Problem::new("", "the job file holds too many values, aliases counted as often as they repeat")
                .allowed(format!("{} values (nodes_max)", self.limits.nodes_max))
        })?;
        Ok(())
    }

    /// Accounts for text that an alias repeats.
    pub(super) fn alias_bytes(&mut self, count: usize) -> Result<(), Problem> {
        self.alias_bytes_left = self.alias_bytes_left.checked_sub(count).ok_or_else(|| {
            Problem::new("", "the aliases of the job file repeat too much text")
                .allowed(format!("{} bytes (bytes_max)", self.limits.bytes_max))
        })?;
        Ok(())
    }

    pub(super) fn depth_max(&self) -> usize {
        self.limits.depth_max
    }
}
