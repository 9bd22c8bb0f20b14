//! From the execution's inputs and outputs to the guest's file tree.

use crate::engine::{Mount, OutputMount};
use crate::failure::{Failure, ReasonCode};
use crate::wasm::vfs::{MountError, Tree};

fn input_error(message: impl std::fmt::Display) -> Failure {
    Failure::new(ReasonCode::InputConfigError, format!("input configuration error: {message}"))
}

fn output_error(message: impl std::fmt::Display) -> Failure {
    Failure::new(ReasonCode::OutputConfigError, format!("output configuration error: {message}"))
}

fn input(tree: &mut Tree, mount: &Mount) -> Result<(), Failure> {
    let source = mount.source.display();
    if mount.target.is_empty() {
        return Err(input_error("input source has no target path"));
    }
    if mount.source.as_os_str().is_empty() {
        return Err(input_error(format!("input at {:?} has no source path", mount.target)));
    }
    match tree.mount(&mount.source, &mount.target, !mount.read_only) {
        Ok(_) => Ok(()),
        Err(MountError::Missing(errno)) => {
            Err(input_error(format!("input source \"{source}\" does not exist: {errno}")))
        }
        Err(error) => Err(input_error(format!("failed to mount input {:?}: {error}", mount.target))),
    }
}

fn output(tree: &mut Tree, output: &OutputMount) -> Result<(), Failure> {
    let name = &output.name;
    if name.is_empty() {
        return Err(output_error("output volume has no name"));
    }
    if output.target.is_empty() {
        return Err(output_error("output volume has no path"));
    }
    for target in [name, &output.target] {
        if tree.is_mounted(target) {
            return Err(output_error(format!("output name {name:?} conflicts with input target {target:?}")));
        }
    }
    Ok(())
}

/// The tree of an execution: inputs at their targets, outputs at their paths and, where nothing
/// else is, at `/<name>` too, as Bacalhau 1.9.3 has them.
pub(crate) fn tree(inputs: &[Mount], outputs: &[OutputMount]) -> Result<Tree, Failure> {
    let mut tree = Tree::new();
    for mount in inputs {
        input(&mut tree, mount)?;
    }
    for mount in outputs {
        output(&mut tree, mount)?;
    }
    for mount in outputs {
        tree.mount_output(&mount.source, &mount.target)
            .map_err(|error| output_error(format!("failed to mount output {:?}: {error}", mount.target)))?;
    }
    for mount in outputs {
        if tree.is_free(&mount.name) {
            tree.mount_output(&mount.source, &mount.name)
                .map_err(|error| output_error(format!("failed to mount output {:?}: {error}", mount.name)))?;
        }
    }
    Ok(tree)
}
