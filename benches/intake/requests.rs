//! Requests as bytes, made and signed before the clock starts. Knows no server.

use std::collections::HashSet;

use leadgate::clock::Clock;
use leadgate::sample::Person;
use leadgate::source::Sample;

use crate::client::Load;
use crate::leadgate::Shipped;

/// Every request of a run, one behind the other.
pub(crate) struct Requests {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Requests {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }
}

/// Makes the leads of different people, a lot at a time.
pub(crate) struct Maker<'a> {
    shipped: &'a Shipped,
    seed: u64,
    /// Two who left no address may have written the same; the second is left out, since it would be
    /// the same lead again.
    bodies: HashSet<u64>,
}

impl<'a> Maker<'a> {
    pub(crate) fn new(shipped: &'a Shipped) -> Self {
        Self {
            shipped,
            seed: 0,
            bodies: HashSet::new(),
        }
    }

    /// The next ones, signed now: a signature is good for five minutes.
    pub(crate) fn make(&mut self, leads: usize) -> anyhow::Result<Requests> {
        let mut requests = Requests {
            bytes: Vec::with_capacity(leads * 1_024),
            ends: Vec::with_capacity(leads),
        };
        for sample in self.samples(leads)? {
            write(&mut requests.bytes, &sample);
            requests.ends.push(requests.bytes.len());
        }
        Ok(requests)
    }

    /// What the platform would send for so many people.
    pub(crate) fn samples(
        &mut self,
        leads: usize,
    ) -> anyhow::Result<impl Iterator<Item = Sample> + '_> {
        let source = self.shipped.source()?;
        let now = Clock::system().now();
        let (seed, bodies) = (&mut self.seed, &mut self.bodies);
        let people = std::iter::repeat_with(move || {
            *seed += 1;
            Person::from_seed(*seed - 1)
        });
        let shaped = people.map(move |person| source.adapter.shape(source, &person));
        let distinct = shaped.filter(move |sample| bodies.insert(fingerprint(&sample.body)));
        Ok(distinct
            .take(leads)
            .map(move |sample| source.adapter.sign(source, sample, now)))
    }
}

/// The first ones, for a server that knows nobody yet.
pub(crate) fn load(shipped: &Shipped, leads: usize) -> anyhow::Result<Load> {
    Ok(Load::of(Maker::new(shipped).make(leads)?))
}

fn fingerprint(body: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}

fn write(to: &mut Vec<u8>, sample: &Sample) {
    let source = crate::leadgate::SOURCE;
    to.extend_from_slice(format!("POST /in/{source} HTTP/1.1\r\nhost: localhost\r\n").as_bytes());
    for (name, value) in &sample.headers {
        to.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    to.extend_from_slice(b"user-agent: benchmark/1.0\r\naccept: */*\r\n");
    to.extend_from_slice(format!("content-length: {}\r\n\r\n", sample.body.len()).as_bytes());
    to.extend_from_slice(&sample.body);
}
