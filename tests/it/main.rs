//! The real program, driven as its users drive it.
