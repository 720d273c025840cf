//! Single decisions of the model, for comparison with the real systems': the simulator's own code
//! on inputs that name everything.

pub mod cluster_autoscaler;
