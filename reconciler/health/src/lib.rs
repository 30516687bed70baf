//! Whether an object in a cluster has become what it was asked to be: a pure function of the object.
