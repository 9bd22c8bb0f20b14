//! The runner: states, capacity, doors, handles.
