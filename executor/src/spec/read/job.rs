//! The job, its task, and what needs no engine to understand.

use std::time::Duration;

use super::fields::{At, Reader};
use crate::spec::error::{Problem, quote};
use crate::spec::job::{Constraint, Job, JobType, Operator, Task};
use crate::spec::network::{NetworkConfig, NetworkType, Port};
use crate::spec::resources::{ResourcesConfig, Timeouts};
use crate::spec::tree::{Node, NodeValue};
use crate::spec::units::GoDuration;

/// The name of `Resources` in Bacalhau 1.0.
const LEGACY_RESOURCES: &str = "ResourcesConfig";
const ANY: (i64, i64) = (i64::MIN, i64::MAX);

impl Reader<'_> {
    pub(super) fn job(&mut self, node: Node<'_>, at: &At<'_>) -> Job {
        let mut job = Job::default();
        if !matches!(node.value, NodeValue::Object(_)) {
            let problem = Problem::new("", "the job file holds no job").found(node.describe());
            self.refuse(problem.allowed("an object with Name, Type and Tasks"));
            return job;
        }
        let keys = [
            "Name",
            "Namespace",
            "Type",
            "Priority",
            "Count",
            "Constraints",
            "Meta",
            "Labels",
            "Tasks",
            "ID",
            "State",
            "Version",
            "Revision",
            "CreateTime",
            "ModifyTime",
        ];
        let Some(values) = self.object(node, at, &keys) else { return job };
        let [name, namespace, job_type, priority, count, constraints, meta, labels, tasks, system @ ..] =
            values;
        job.name = self.text(name, &at.key("Name"));
        job.namespace = self.text(namespace, &at.key("Namespace"));
        job.job_type = self.name(job_type, &at.key("Type"), &JobType::ALL, false, "job type");
        job.priority = self.integer(priority, &at.key("Priority"), ANY).unwrap_or_default();
        let count = self.integer(count, &at.key("Count"), (0, i64::from(u32::MAX)));
        let default = u32::from(!job.job_type.runs_everywhere());
        job.count = count.and_then(|count| u32::try_from(count).ok()).unwrap_or(default);
        job.constraints = self.constraints(constraints, &at.key("Constraints"));
        job.meta = self.text_map(meta, &at.key("Meta"));
        job.labels = self.text_map(labels, &at.key("Labels"));
        job.task = self.only_task(tasks, &at.key("Tasks"));
        job.id = self.system(system, at);
        job
    }

    /// The identifier among the fields that an orchestrator sets.
    fn system(&mut self, system: [Option<Node<'_>>; 6], at: &At<'_>) -> String {
        let names = ["ID", "State", "Version", "Revision", "CreateTime", "ModifyTime"];
        if !self.options.system_fields {
            for (name, value) in names.iter().zip(&system) {
                if let Some(value) = value {
                    let message = format!("field: '{name}' in 'Job' is not allowed");
                    let problem = Problem::new(at.key(name).path(), message).found(value.describe());
                    self.refuse(
                        problem
                            .allowed("nothing: the field is set when the job is accepted")
                            .line(value.line),
                    );
                }
            }
            return String::new();
        }
        let [id, ..] = system;
        self.text(id, &at.key("ID"))
    }

    fn constraints(&mut self, node: Option<Node<'_>>, at: &At<'_>) -> Vec<Constraint> {
        let mut constraints = Vec::new();
        for (index, item) in self.list(node, at, "constraints").into_iter().enumerate() {
            let here = at.index(index);
            let Some([key, operator, values]) = self.object(item, &here, &["Key", "Operator", "Values"])
            else {
                continue;
            };
            if operator.is_none() {
                let names = Operator::ALL.map(|(_, name)| name).join(", ");
                self.refuse(Problem::new(here.key("Operator").path(), "missing operator").allowed(names));
            }
            constraints.push(Constraint {
                key: self.text(key, &here.key("Key")),
                operator: self.name(operator, &here.key("Operator"), &Operator::ALL, false, "operator"),
                values: self.texts(values, &here.key("Values")),
            });
        }
        constraints
    }

    fn only_task(&mut self, node: Option<Node<'_>>, at: &At<'_>) -> Task {
        let problems = self.problems.len();
        let mut tasks = self.list(node, at, "one task");
        match tasks.len() {
            1 => return self.task(tasks.remove(0), &at.index(0)),
            0 if self.problems.len() > problems => {}
            0 => self.refuse(Problem::new(at.path(), "missing job tasks").allowed("a list of one task")),
            count => {
                let problem = Problem::new(at.path(), "only one task is supported per job");
                self.refuse(problem.found(format!("{count} tasks")).allowed("a list of one task"));
            }
        }
        Task::default()
    }

    fn task(&mut self, node: Node<'_>, at: &At<'_>) -> Task {
        let keys = [
            "Name",
            "Engine",
            "Publisher",
            "Env",
            "Meta",
            "InputSources",
            "ResultPaths",
            "Resources",
            "Network",
            "Timeouts",
            LEGACY_RESOURCES,
        ];
        let mut task = Task::default();
        if node.is_null() {
            let problem = Problem::new(at.path(), "the task is empty").found(node.describe()).line(node.line);
            self.refuse(problem.allowed("an object with Name and Engine"));
            return task;
        }
        let Some(values) = self.object(node, at, &keys) else { return task };
        let [name, engine, publisher, env, meta, inputs, outputs, resources, network, timeouts, legacy] =
            values;
        task.name = self.text(name, &at.key("Name"));
        task.publisher = self.publisher(publisher, &at.key("Publisher"));
        task.env = self.text_map(env, &at.key("Env"));
        task.meta = self.text_map(meta, &at.key("Meta"));
        task.input_sources = self.input_sources(inputs, &at.key("InputSources"));
        task.result_paths = self.result_paths(outputs, &at.key("ResultPaths"));
        task.resources = self.resources(resources, legacy, at);
        task.network = self.network(network, &at.key("Network"));
        task.timeouts = self.timeouts(timeouts, &at.key("Timeouts"));
        // Last, for the legacy forms of an engine add inputs and variables to the task.
        self.engine(engine, &at.key("Engine"), &mut task);
        task
    }

    fn resources(
        &mut self,
        node: Option<Node<'_>>,
        legacy: Option<Node<'_>>,
        task: &At<'_>,
    ) -> ResourcesConfig {
        let (node, name) = match (node, legacy) {
            (Some(_), Some(legacy)) => {
                let problem =
                    Problem::new(task.key(LEGACY_RESOURCES).path(), "the resources are given twice");
                self.refuse(problem.allowed("Resources alone").line(legacy.line));
                return ResourcesConfig::default();
            }
            (Some(node), None) => (node, "Resources"),
            (None, Some(legacy)) => (legacy, LEGACY_RESOURCES),
            (None, None) => return ResourcesConfig::default(),
        };
        let at = &task.key(name);
        let Some([cpu, memory, disk, gpu]) = self.object(node, at, &["CPU", "Memory", "Disk", "GPU"]) else {
            return ResourcesConfig::default();
        };
        ResourcesConfig {
            cpu: self.text(cpu, &at.key("CPU")),
            memory: self.text(memory, &at.key("Memory")),
            disk: self.text(disk, &at.key("Disk")),
            gpu: self.text(gpu, &at.key("GPU")),
        }
    }

    fn network(&mut self, node: Option<Node<'_>>, at: &At<'_>) -> NetworkConfig {
        let Some(node) = node else { return NetworkConfig::default() };
        let Some([network_type, domains, ports]) = self.object(node, at, &["Type", "Domains", "Ports"])
        else {
            return NetworkConfig::default();
        };
        let domains = self.texts(domains, &at.key("Domains"));
        NetworkConfig {
            network_type: self.name(
                network_type,
                &at.key("Type"),
                &NetworkType::ALL,
                true,
                "networking type",
            ),
            domains: domains.iter().map(|domain| domain.trim().to_lowercase()).collect(),
            ports: self.ports(ports, &at.key("Ports")),
        }
    }

    fn ports(&mut self, node: Option<Node<'_>>, at: &At<'_>) -> Vec<Port> {
        let mut ports = Vec::new();
        for (index, item) in self.list(node, at, "ports").into_iter().enumerate() {
            let here = at.index(index);
            let keys = ["Name", "Static", "Target", "HostNetwork"];
            let Some([name, static_port, target, host]) = self.object(item, &here, &keys) else { continue };
            let number =
                |value: Option<i64>| value.and_then(|port| u32::try_from(port).ok()).unwrap_or_default();
            // Whether a number is a port is said by validation, with upstream's words.
            let range = (0, i64::from(u32::MAX));
            ports.push(Port {
                name: self.text(name, &here.key("Name")),
                static_port: number(self.integer(static_port, &here.key("Static"), range)),
                target: number(self.integer(target, &here.key("Target"), range)),
                host_network: self.text(host, &here.key("HostNetwork")),
            });
        }
        ports
    }

    fn timeouts(&mut self, node: Option<Node<'_>>, at: &At<'_>) -> Timeouts {
        let Some(node) = node else { return Timeouts::default() };
        let keys = ["ExecutionTimeout", "QueueTimeout", "TotalTimeout"];
        let Some([execution, queue, total]) = self.object(node, at, &keys) else {
            return Timeouts::default();
        };
        Timeouts {
            execution: self.duration(execution, &at.key("ExecutionTimeout"), "execution"),
            queue: self.duration(queue, &at.key("QueueTimeout"), "queue"),
            total: self.duration(total, &at.key("TotalTimeout"), "total"),
        }
    }

    fn duration(&mut self, node: Option<Node<'_>>, at: &At<'_>, which: &str) -> Duration {
        let Some(node) = node else { return Duration::ZERO };
        let duration = match &node.value {
            NodeValue::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(secs), _) => GoDuration::from_secs(secs),
                (None, Some(secs)) => format!("{secs}s").parse().ok(),
                (None, None) => None,
            },
            NodeValue::String(text) => text.parse::<GoDuration>().ok(),
            _ => None,
        };
        if let Some(duration) = duration.and_then(GoDuration::to_std) {
            return duration;
        }
        let (shown, found) = match (&node.value, duration) {
            (_, Some(negative)) => (negative.to_string(), node.describe()),
            (NodeValue::String(text), None) => (quote(text), node.describe()),
            _ => (node.describe(), node.describe()),
        };
        let problem = Problem::new(at.path(), format!("invalid {which} timeout value: {shown}")).found(found);
        self.refuse(
            problem.allowed("seconds from 0 to 9223372036, or a duration such as 1h30m").line(node.line),
        );
        Duration::ZERO
    }
}
