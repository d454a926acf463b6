//! Signed links: a payload that a rep carries in a mail and that nobody else can make.
