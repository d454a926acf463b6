//! A payload of each platform, made by us, and what is to be read of it.

/// How a request of the platform proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Proof {
    /// Nothing, as with a form on a page.
    Nothing,
    /// A key, good for any body.
    Key,
    /// A signature over the body.
    Signature,
    /// A signature over the body and a time, good for so many seconds.
    Timed(i64),
}

/// A payload of the platform and what is to be read of it: field, value.
pub(in crate::source) struct Fixture {
    /// The source's name.
    pub(in crate::source) name: &'static str,
    /// The keys of its table in `sources.toml`, besides `adapter`.
    pub(in crate::source) settings: &'static str,
    pub(in crate::source) proof: Proof,
    pub(in crate::source) kind: &'static str,
    /// Has a field that we do not know, whose value is `kept` and stands there once; or that which
    /// is fetched has it.
    pub(in crate::source) body: &'static str,
    pub(in crate::source) fields: &'static [(&'static str, &'static str)],
    pub(in crate::source) attribution: &'static [(&'static str, &'static str)],
    /// A request with two leads, where the platform sends several.
    pub(in crate::source) batch: Option<&'static str>,
    /// Where the body is an id only: what is answered to an address that has this part.
    pub(in crate::source) fetched: &'static [(&'static str, &'static str)],
}

/// What stands in a fixture's body for the value of the unknown field.
pub(in crate::source) const KEPT: &str = "kept";
