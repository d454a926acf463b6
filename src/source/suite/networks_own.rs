//! What is asked of one network or meeting tool only.
