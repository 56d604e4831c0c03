//! What every store must fulfil, as tests: one suite for all implementations.
