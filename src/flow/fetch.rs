//! Getting a lead from the platform that sent only its id: one claimed row of work, a few requests,
//! and the end of it in one commit. What was fetched is on disk before anybody reads it.

use super::Flow;
use super::pauses::{Key, PATIENCE, Pause};
use crate::clock::{HOUR, MINUTE, Millis, SECOND};
use crate::lead::{
    Actor, AttemptResult, Event, HoldCause, Lead, Outcome, Priority, Stage, Ticket, Trace, Work,
    WorkKind,
};
use crate::ledger::{Change, Fault, Tx};
use crate::outbound::{self, Call};
use crate::source::{ASKS_MAX, Answered, Ask, Source, Step, Trouble};

/// When a fetch that failed is made again; after the last one the lead is held.
const STEPS: [Millis; 9] = [
    5 * SECOND,
    30 * SECOND,
    2 * MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    4 * HOUR,
];
/// From this attempt on, after some twenty minutes, people are told.
const ALARM_FROM: i64 = 6;
/// Steps are spread by so much either way, in percent.
const SPREAD_PERCENT: i64 = 20;
/// A fetch that has not ended by then, after all its requests, is begun anew.
const LEASE_MARGIN: Millis = 30 * SECOND;
/// A lead whose fetch was refused comes so long behind the others that wait for the same.
const BEHIND: Millis = 5 * SECOND;
/// No lead is longer.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// By what a request may be told to wait.
struct Keys {
    platform: Key,
    credential: Key,
    place: Option<Key>,
}

impl Keys {
    fn of(source: &str, ask: &Ask) -> Self {
        let named = |name: String| (source.to_owned(), name);
        let place = ask.place.as_ref();
        Self {
            platform: named("its platform".into()),
            credential: named(ask.credential.clone()),
            place: place.map(|place| named(format!("{}, {place}", ask.credential))),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        let place = self.place.iter();
        [&self.platform]
            .into_iter()
            .chain(place)
            .chain([&self.credential])
    }
}

/// How a fetch ended.
enum End {
    Content(Vec<u8>),
    TryAgain(String),
    /// Until the credential may be used again.
    Paused(String, Pause),
    /// Held, until a person acts.
    Hold(String),
    Gone(String),
}

impl Flow {
    /// How many fetches may run at once.
    pub(crate) fn fetches_at_once(&self) -> usize {
        self.settings.fetch_concurrency.max(1)
    }

    /// Lets every fetch that waits be made now. Blocks.
    pub(super) fn fetch_anew(&self) -> Result<(), Fault> {
        let now = self.clock.now();
        self.pauses.forget();
        self.ledger.write_blocking(move |tx| tx.wake_fetches(now))?;
        Ok(())
    }

    /// Makes one attempt.
    pub(crate) async fn fetch(&self, ticket: Ticket) -> Result<(), Fault> {
        let seq = ticket.lead;
        let lead = match self.ledger.read_off(move |r| r.lead(seq)).await {
            // A ticket of another ledger, or made up.
            Err(Fault::Missing(_)) => return Ok(()),
            lead => lead?,
        };
        if lead.stage != Stage::Fetching {
            let take = move |tx: &Tx<'_>| tx.take_work(&ticket);
            return self.ledger.write(take).await.map(|_| ());
        }
        let policy = self.policy();
        let Some(source) = policy.sources.get(&lead.source) else {
            let why = format!("source \"{}\" is no longer in sources.toml", lead.source);
            return self.at_once(ticket, End::Hold(why)).await;
        };
        match source.adapter.fetch(source, &lead.inquiry, &[]) {
            Step::Ask(ask) => self.try_to(ticket, source, &lead, ask).await,
            Step::Whole | Step::Content(_) => {
                let why = format!("source \"{}\" has another adapter now", lead.source);
                self.at_once(ticket, End::Hold(why)).await
            }
            Step::Trouble(Trouble::Gone { why }) => self.at_once(ticket, End::Gone(why)).await,
            Step::Trouble(
                Trouble::Halt { why }
                | Trouble::Barred { why }
                | Trouble::TryAgain { why }
                | Trouble::Later { why, .. },
            ) => {
                self.alarm_about("fetch_refused", &lead.source, &why);
                self.at_once(ticket, End::Hold(why)).await
            }
        }
    }

    async fn try_to(
        &self,
        ticket: Ticket,
        source: &Source,
        lead: &Lead,
        ask: Ask,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let keys = Keys::of(&lead.source, &ask);
        let asks = i64::try_from(ASKS_MAX).unwrap_or(1);
        let lease = self.settings.fetch_timeout_ms * asks + LEASE_MARGIN;
        if let Some(pause) = keys.all().find_map(|key| self.pauses.of(key, now, lease)) {
            return self.wait_for(ticket, pause, now).await;
        }
        let begin = move |tx: &Tx<'_>| tx.begin_fetch(&ticket, now + lease);
        let Some(work) = self.ledger.write(begin).await? else {
            return Ok(());
        };
        let started = std::time::Instant::now();
        let asked = self.ask(source, lead, ask).await;
        if let Err(Trouble::TryAgain { why }) = &asked {
            if self.pauses.failed(&keys.platform, why, self.clock.now()) {
                let name = &lead.source;
                let text = format!("source \"{name}\": its platform fails whoever asks: {why}");
                self.alarm_about("fetch_failing", name, &text);
            }
        } else {
            self.works([&keys.platform].into_iter(), now).await?;
        }
        let end = match asked {
            Ok(content) => {
                self.works(keys.all(), now).await?;
                End::Content(content)
            }
            Err(Trouble::TryAgain { why }) => End::TryAgain(why),
            Err(Trouble::Gone { why }) => End::Gone(why),
            Err(Trouble::Later { why, after_ms }) => {
                let key = keys.credential;
                let pause = self.pauses.begin(key, &why, after_ms, self.clock.now());
                tracing::warn!(source = %lead.source, until = pause.until, "fetches rest: {why}");
                End::Paused(why, pause)
            }
            Err(Trouble::Halt { why }) => self.halt(keys.credential, why),
            Err(Trouble::Barred { why }) => {
                // Whom the platform tells that, it knows.
                self.works(keys.place.iter().map(|_| &keys.credential), now)
                    .await?;
                self.halt(keys.place.unwrap_or(keys.credential), why)
            }
        };
        if let End::TryAgain(why) = &end
            && work.attempt >= ALARM_FROM
        {
            let (name, tries) = (&lead.source, work.attempt);
            let text = format!("source \"{name}\": a lead was not fetched in {tries} tries: {why}");
            self.alarm_about("fetch_failing", name, &text);
        }
        let took_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.finish(work, end, took_ms).await
    }

    /// Whatever waits for one of these may be fetched.
    async fn works(&self, keys: impl Iterator<Item = &Key>, now: Millis) -> Result<(), Fault> {
        if keys.filter(|key| self.pauses.end(key)).count() == 0 {
            return Ok(());
        }
        let wake = move |tx: &Tx<'_>| tx.wake_paused_fetches(now);
        self.ledger.write(wake).await.map(|_| ())
    }

    /// Nothing more is asked with this key until a person acts, but for one try now and then.
    fn halt(&self, key: Key, why: String) -> End {
        let about = format!("{} {}", key.0, key.1);
        let text = format!(
            "source \"{}\", {}: {why}. Its leads wait; they are fetched as soon as \
             sources.toml or the secret behind it is mended and read again",
            key.0, key.1
        );
        let pause = self.pauses.begin(key, &why, None, self.clock.now());
        self.alarm_about("fetch_refused", &about, &text);
        End::Paused(why, pause)
    }

    /// Asks until the adapter has what it needs.
    async fn ask(&self, source: &Source, lead: &Lead, first: Ask) -> Result<Vec<u8>, Trouble> {
        let mut answers: Vec<Answered> = Vec::new();
        let mut step = Step::Ask(first);
        loop {
            match step {
                Step::Content(content) => return Ok(content),
                Step::Trouble(trouble) => return Err(trouble),
                Step::Ask(ask) if answers.len() < ASKS_MAX => {
                    answers.push(self.answer(ask).await?);
                }
                Step::Ask(_) | Step::Whole => {
                    let why = "no end of questions".into();
                    return Err(Trouble::TryAgain { why });
                }
            }
            step = source.adapter.fetch(source, &lead.inquiry, &answers);
        }
    }

    async fn answer(&self, ask: Ask) -> Result<Answered, Trouble> {
        let call = Call {
            method: ask.method,
            url: &ask.url,
            headers: ask.headers,
            body: ask.body,
            timeout_ms: self.settings.fetch_timeout_ms,
            reply_max_bytes: ANSWER_BYTES_MAX,
        };
        match self.outbound.send(call).await {
            Ok(reply) => Ok(Answered {
                status: reply.status,
                headers: reply.headers,
                body: reply.body,
                cut: reply.cut,
            }),
            Err(outbound::Trouble::Refused(why)) => Err(Trouble::Halt { why }),
            Err(outbound::Trouble::Failed(why)) => Err(Trouble::TryAgain { why }),
        }
    }

    /// Nothing needs to be asked to know how it ends.
    async fn at_once(&self, ticket: Ticket, end: End) -> Result<(), Fault> {
        let until = self.clock.now() + LEASE_MARGIN;
        let begin = move |tx: &Tx<'_>| tx.begin_fetch(&ticket, until);
        match self.ledger.write(begin).await? {
            Some(work) => self.finish(work, end, 0).await,
            None => Ok(()),
        }
    }

    /// The credential rests: so does the lead, and it says why.
    async fn wait_for(&self, ticket: Ticket, pause: Pause, now: Millis) -> Result<(), Fault> {
        if pause.holds && now - pause.since > PATIENCE {
            return self.at_once(ticket, End::Hold(pause.why)).await;
        }
        let wait = move |tx: &Tx<'_>| {
            let place = (ticket.work, ticket.version);
            if tx.pause_fetch(place, pause.until, false)? {
                tx.set_reason(ticket.lead, &pause.why)?;
            }
            Ok(())
        };
        self.ledger.write(wait).await
    }

    async fn finish(&self, work: Work, end: End, took_ms: i64) -> Result<(), Fault> {
        let now = self.clock.now();
        let alarm_at = now + self.settings.held_alarm_after_ms;
        let write = move |tx: &Tx<'_>| finish(tx, &work, &end, took_ms, (now, alarm_at));
        let due = self.ledger.write(write).await?;
        self.queue.push(&due);
        Ok(())
    }
}

/// Writes down how a fetch ended. The stage is the fence: a lead that was fetched or closed meanwhile
/// stays as it is.
fn finish(
    tx: &Tx<'_>,
    work: &Work,
    end: &End,
    took_ms: i64,
    (now, alarm_at): (Millis, Millis),
) -> Result<Vec<Ticket>, Fault> {
    let mut lead = tx.lead(work.lead)?;
    if lead.stage != Stage::Fetching {
        tx.drop_work(work.lead, WorkKind::Fetch)?;
        return Ok(Vec::new());
    }
    let fetched = |result| Event::Fetched { took_ms, result };
    let failed = |why: &String| fetched(AttemptResult::TryAgain { why: why.clone() });
    let note = |event: &Event| tx.append(work.lead, (&Actor::Leadgate, event, None), now);
    match end {
        End::Content(content) => {
            tx.set_fetched(work.lead, content, now)?;
            let event = fetched(AttemptResult::Delivered);
            let event = (&Actor::Leadgate, &event, None);
            tx.advance(&mut lead, Stage::Received, Change::default(), event, now)?;
            tx.drop_work(work.lead, WorkKind::Fetch)?;
            let kind = (WorkKind::Decide, 0);
            return Ok(vec![tx.add_work(work.lead, kind, now, Priority::Normal)?]);
        }
        End::TryAgain(why) => {
            if let Some(wait) = wait_ms(work) {
                note(&failed(why))?;
                tx.set_reason(work.lead, why)?;
                tx.retry_fetch(work, now + wait)?;
                return Ok(Vec::new());
            }
            let why = format!("{why}; no try is left");
            hold(tx, &mut lead, &why, took_ms, (now, alarm_at))?;
        }
        End::Paused(why, pause) if now - pause.since <= PATIENCE => {
            note(&failed(why))?;
            tx.set_reason(work.lead, why)?;
            // Behind the others: it may be this lead that is refused and not the credential.
            let until = pause.until + BEHIND;
            tx.pause_fetch((work.id, work.version), until, true)?;
        }
        End::Gone(why) if lead.inquiry.is_test => {
            let event = Event::Closed {
                outcome: Outcome::Test,
                value: None,
                currency: None,
                why: Some(why.clone()),
            };
            let event = (&Actor::Leadgate, &event, None);
            let to = Stage::Closed(Outcome::Test);
            tx.advance(&mut lead, to, Change::default(), event, now)?;
            tx.drop_work(work.lead, WorkKind::Fetch)?;
        }
        End::Paused(why, _) | End::Hold(why) | End::Gone(why) => {
            hold(tx, &mut lead, why, took_ms, (now, alarm_at))?;
        }
    }
    Ok(Vec::new())
}

fn hold(
    tx: &Tx<'_>,
    lead: &mut Lead,
    why: &str,
    took_ms: i64,
    (now, alarm_at): (Millis, Millis),
) -> Result<(), Fault> {
    let result = AttemptResult::GiveUp { why: why.into() };
    let event = Event::Fetched { took_ms, result };
    tx.append(lead.seq, (&Actor::Leadgate, &event, None), now)?;
    let event = Event::Held {
        why: why.into(),
        cause: HoldCause::Unfetched,
        alarm_at,
        trace: Trace::default(),
    };
    let change = Change {
        reason: Some(why.into()),
        hold_cause: Some(HoldCause::Unfetched),
        ..Change::default()
    };
    let event = (&Actor::Leadgate, &event, None);
    tx.advance(lead, Stage::Held, change, event, now)?;
    tx.drop_work(lead.seq, WorkKind::Fetch)?;
    tx.add_work(lead.seq, (WorkKind::Alarm, 0), alarm_at, Priority::Low)?;
    Ok(())
}

/// How long after this attempt the next one is made; `None` where it was the last.
fn wait_ms(work: &Work) -> Option<Millis> {
    let at = usize::try_from(work.attempt - 1).ok()?;
    let step = STEPS.get(at)?;
    let mixed = work.id.unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
    let percent = i64::try_from(mixed).unwrap_or(0) % (2 * SPREAD_PERCENT + 1) - SPREAD_PERCENT;
    Some(step + step * percent / 100)
}
