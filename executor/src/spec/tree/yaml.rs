//! YAML into a tree: one document, aliases and merges expanded within the limits.

use std::borrow::Cow;
use std::collections::HashSet;

use base64::Engine as _;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::{Budget, Node, NodeValue, scalar};
use crate::spec::error::Problem;

/// The tree of the one document in a YAML text.
pub(in crate::spec) fn parse<'t>(text: &'t str, budget: &mut Budget) -> Result<Node<'t>, Problem> {
    let mut builder = Builder { budget, open: Vec::new(), anchors: Vec::new(), root: None };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| syntax(&error))?;
        builder.event(event, line_of(&span))?;
    }
    Ok(builder.root.unwrap_or_else(|| Node::new(NodeValue::Null, 0)))
}

fn syntax(error: &ScanError) -> Problem {
    let message = format!("the job file is neither YAML nor JSON: {}", error.info());
    Problem::new("", message).line(u32::try_from(error.marker().line()).unwrap_or(0))
}

fn line_of(span: &Span) -> u32 {
    u32::try_from(span.start.line()).unwrap_or(0)
}

/// An object or list whose end has not come.
struct Open<'t> {
    anchor: usize,
    line: u32,
    content: Content<'t>,
}

enum Content<'t> {
    List(Vec<Node<'t>>),
    Object { entries: Vec<(Cow<'t, str>, Node<'t>)>, key: Option<Key<'t>>, merges: Vec<Node<'t>> },
}

enum Key<'t> {
    Name(Cow<'t, str>),
    Merge,
}

/// A value that aliases may repeat, with what a repetition costs.
struct Anchored<'t> {
    node: Node<'t>,
    nodes: usize,
    bytes: usize,
    depth: usize,
}

struct Builder<'b, 't> {
    budget: &'b mut Budget,
    open: Vec<Open<'t>>,
    /// By the parser's anchor number less one; nothing while the anchored value is still open.
    anchors: Vec<Option<Anchored<'t>>>,
    root: Option<Node<'t>>,
}

impl<'t> Builder<'_, 't> {
    fn event(&mut self, event: Event<'t>, line: u32) -> Result<(), Problem> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                // A key is not counted, for its value is.
                if !self.expects_key() {
                    self.budget.node(self.open.len()).map_err(|p| p.line(line))?;
                }
                self.scalar(text, style, anchor, tag.as_deref(), line)
            }
            Event::SequenceStart(anchor, _) => self.start(anchor, line, Content::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.start(
                anchor,
                line,
                Content::Object { entries: Vec::new(), key: None, merges: Vec::new() },
            ),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, line),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn start(&mut self, anchor: usize, line: u32, content: Content<'t>) -> Result<(), Problem> {
        self.budget.node(self.open.len()).map_err(|p| p.line(line))?;
        if self.expects_key() {
            return Err(Problem::new("", "a key is a list or an object").allowed("a text").line(line));
        }
        self.reserve(anchor);
        self.open.push(Open { anchor, line, content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Problem> {
        // The parser pairs starts with ends.
        let Some(open) = self.open.pop() else { return Ok(()) };
        let value = match open.content {
            Content::List(items) => NodeValue::List(items),
            Content::Object { mut entries, merges, .. } => {
                merge(&mut entries, merges)?;
                NodeValue::Object(entries)
            }
        };
        self.place(Node::new(value, open.line), open.anchor)
    }

    fn scalar(
        &mut self,
        text: Cow<'t, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        line: u32,
    ) -> Result<(), Problem> {
        self.reserve(anchor);
        let plain = style == ScalarStyle::Plain;
        if let Some(slot) = self.key_slot() {
            // Keys keep their spelling: `on:` is the name "on", and `1:` is "1".
            *slot = Some(if plain && tag.is_none() && text == "<<" { Key::Merge } else { Key::Name(text) });
            return Ok(());
        }
        let value = match tag {
            None if plain => scalar::resolve(text),
            None => Ok(NodeValue::String(text)),
            Some(tag) => tagged(text, tag, plain),
        };
        let value =
            value.map_err(|what| Problem::new("", format!("the job file holds {what}")).line(line))?;
        self.place(Node::new(value, line), anchor)
    }

    /// The place for the next key when an object waits for one.
    fn key_slot(&mut self) -> Option<&mut Option<Key<'t>>> {
        match &mut self.open.last_mut()?.content {
            Content::Object { key, .. } if key.is_none() => Some(key),
            _ => None,
        }
    }

    fn expects_key(&mut self) -> bool {
        self.key_slot().is_some()
    }

    fn reserve(&mut self, anchor: usize) {
        if anchor > self.anchors.len() {
            self.anchors.resize_with(anchor, || None);
        }
    }

    fn place(&mut self, node: Node<'t>, anchor: usize) -> Result<(), Problem> {
        if anchor > 0 {
            let (nodes, bytes, depth) = cost(&node);
            // Keeping it for aliases is a copy as well.
            self.budget.nodes(nodes)?;
            self.budget.alias_bytes(bytes)?;
            self.anchors[anchor - 1] = Some(Anchored { node: node.clone(), nodes, bytes, depth });
        }
        let Some(open) = self.open.last_mut() else {
            return self.place_root(node);
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Object { entries, key, merges } => match key.take() {
                Some(Key::Name(name)) => entries.push((name, node)),
                Some(Key::Merge) => merges.push(node),
                // A value without a key is refused before it comes here.
                None => {}
            },
        }
        Ok(())
    }

    fn place_root(&mut self, node: Node<'t>) -> Result<(), Problem> {
        if self.root.is_some() && !node.is_null() {
            return Err(Problem::new("", "the job file holds a second document")
                .allowed("one job")
                .line(node.line));
        }
        self.root.get_or_insert(node);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, line: u32) -> Result<(), Problem> {
        let problem = |message: &str| Problem::new("", message).line(line);
        if self.expects_key() {
            return Err(problem("a key is an alias").allowed("a text"));
        }
        let depth = self.open.len();
        let Some(anchored) = anchor.checked_sub(1).and_then(|index| self.anchors.get(index)?.as_ref()) else {
            return Err(problem("an alias stands inside of what it names"));
        };
        self.budget.nodes(anchored.nodes).map_err(|p| p.line(line))?;
        self.budget.alias_bytes(anchored.bytes).map_err(|p| p.line(line))?;
        if depth + anchored.depth > self.budget.depth_max() {
            // Gives the same error as nesting without an alias.
            self.budget.node(depth + anchored.depth).map_err(|p| p.line(line))?;
        }
        let node = anchored.node.clone();
        self.place(node, 0)
    }
}

/// Number of values, bytes of text and levels of a tree.
fn cost(node: &Node<'_>) -> (usize, usize, usize) {
    let sum = |(nodes, bytes, depth): (usize, usize, usize), child: &Node<'_>, key: usize| {
        let inner = cost(child);
        (nodes + inner.0, bytes + key + inner.1, depth.max(inner.2 + 1))
    };
    match &node.value {
        NodeValue::String(text) => (1, text.len(), 0),
        NodeValue::List(items) => items.iter().fold((1, 0, 0), |total, item| sum(total, item, 0)),
        NodeValue::Object(entries) => {
            entries.iter().fold((1, 0, 0), |total, (key, item)| sum(total, item, key.len()))
        }
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) => (1, 0, 0),
    }
}

/// Adds the entries of every `<<: source` that the object does not name itself; earlier sources win.
fn merge<'t>(entries: &mut Vec<(Cow<'t, str>, Node<'t>)>, sources: Vec<Node<'t>>) -> Result<(), Problem> {
    if sources.is_empty() {
        return Ok(());
    }
    let mut known: HashSet<Cow<'t, str>> = entries.iter().map(|(key, _)| key.clone()).collect();
    for source in sources {
        let line = source.line;
        let objects = match source.value {
            NodeValue::List(items) => items,
            value => vec![Node::new(value, line)],
        };
        for object in objects {
            let NodeValue::Object(merged) = object.value else {
                let problem = Problem::new("", "<< does not name an object").allowed("an alias of an object");
                return Err(problem.line(line));
            };
            entries.extend(merged.into_iter().filter(|(key, _)| known.insert(key.clone())));
        }
    }
    Ok(())
}

/// The value of a scalar with an explicit tag.
fn tagged<'t>(text: Cow<'t, str>, tag: &Tag, plain: bool) -> Result<NodeValue<'t>, &'static str> {
    if !tag.is_yaml_core_schema() {
        return Ok(NodeValue::String(text));
    }
    match tag.suffix.as_str() {
        "int" => match scalar::number(&text).filter(|number| number.is_i64() || number.is_u64()) {
            Some(number) => Ok(NodeValue::Number(number)),
            None => Err("a tag !!int on no whole number"),
        },
        "float" => scalar::number(&text).map(NodeValue::Number).ok_or("a tag !!float on no number"),
        "bool" => match scalar::resolve(text)? {
            value @ NodeValue::Bool(_) => Ok(value),
            _ => Err("a tag !!bool on no boolean"),
        },
        "null" => match scalar::resolve(text)? {
            NodeValue::Null => Ok(NodeValue::Null),
            _ => Err("a tag !!null on a value"),
        },
        "binary" => {
            let compact: String = text.split_ascii_whitespace().collect();
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(compact)
                .map_err(|_| "a !!binary that is no base64")?;
            String::from_utf8(bytes)
                .map(|text| NodeValue::String(text.into()))
                .map_err(|_| "a !!binary that is no UTF-8")
        }
        "str" | "timestamp" => Ok(NodeValue::String(text)),
        _ if plain => scalar::resolve(text),
        _ => Ok(NodeValue::String(text)),
    }
}
