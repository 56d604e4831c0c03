//! The versioned encoding of events and items.
