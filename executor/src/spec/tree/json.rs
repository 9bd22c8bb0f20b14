//! JSON into a tree, keeping repeated keys and borrowing texts.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::{Budget, Node, NodeValue};
use crate::spec::error::Problem;

/// Why a text is not read as JSON.
pub(in crate::spec) enum JsonError {
    /// It breaks a limit, and no other reading helps.
    Limit(Problem),
    /// It is not JSON; it may be YAML.
    Syntax(serde_json::Error),
}

/// The tree of a JSON text.
pub(in crate::spec) fn parse<'t>(text: &'t str, budget: &mut Budget) -> Result<Node<'t>, JsonError> {
    let state = RefCell::new(State { budget, limit: None });
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Seed { state: &state, depth: 0 };
    let read = seed.deserialize(&mut deserializer).and_then(|node| deserializer.end().map(|()| node));
    let limit = state.into_inner().limit;
    read.map_err(|error| limit.map_or(JsonError::Syntax(error), JsonError::Limit))
}

struct State<'b> {
    budget: &'b mut Budget,
    limit: Option<Problem>,
}

#[derive(Clone, Copy)]
struct Seed<'s, 'b> {
    state: &'s RefCell<State<'b>>,
    depth: usize,
}

impl Seed<'_, '_> {
    /// Whether one more value is within the limits; remembers which limit it breaks.
    fn admit(&self) -> bool {
        let mut state = self.state.borrow_mut();
        match state.budget.node(self.depth) {
            Ok(()) => true,
            Err(problem) => {
                state.limit = Some(problem);
                false
            }
        }
    }

    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

impl<'t> DeserializeSeed<'t> for Seed<'_, '_> {
    type Value = Node<'t>;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Node<'t>, D::Error> {
        if !self.admit() {
            return Err(D::Error::custom("over a limit"));
        }
        deserializer.deserialize_any(self).map(|value| Node::new(value, 0))
    }
}

impl<'t> Visitor<'t> for Seed<'_, '_> {
    type Value = NodeValue<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<NodeValue<'t>, E> {
        Ok(NodeValue::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<NodeValue<'t>, E> {
        Ok(NodeValue::Bool(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<NodeValue<'t>, E> {
        Ok(NodeValue::Number(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<NodeValue<'t>, E> {
        Ok(NodeValue::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<NodeValue<'t>, E> {
        Number::from_f64(number).map(NodeValue::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'t str) -> Result<NodeValue<'t>, E> {
        Ok(NodeValue::String(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<NodeValue<'t>, E> {
        Ok(NodeValue::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut items: A) -> Result<NodeValue<'t>, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = items.next_element_seed(self.deeper())? {
            list.push(node);
        }
        Ok(NodeValue::List(list))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut entries: A) -> Result<NodeValue<'t>, A::Error> {
        let mut object = Vec::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            object.push((key, entries.next_value_seed(self.deeper())?));
        }
        Ok(NodeValue::Object(object))
    }
}

/// Reads a key, borrowed where it has no escapes.
struct Key;

impl<'t> DeserializeSeed<'t> for Key {
    type Value = Cow<'t, str>;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Cow<'t, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'t> Visitor<'t> for Key {
    type Value = Cow<'t, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'t str) -> Result<Cow<'t, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cow<'t, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
