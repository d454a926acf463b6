//! When a failed attempt is made again. Steps come from the channels' customs: mail from how fast a
//! lead ages, web hooks from Standard Webhooks 1.0.0.

use crate::clock::{HOUR, MINUTE, Millis, SECOND};

const EMAIL: &[Millis] = &[
    30 * SECOND,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    20 * MINUTE,
    40 * MINUTE,
    HOUR,
    2 * HOUR,
    4 * HOUR,
];
const WEBHOOK: &[Millis] = &[
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];
/// Steps are spread by so much either way, in percent, so that what failed together does not come
/// back together.
const SPREAD_PERCENT: i64 = 20;

/// How long after attempt number `attempt` (from 1) the next is made; `None` when none is left.
/// The same seed gives the same time.
pub fn retry_after_ms(channel: &str, attempt: i64, seed: u64) -> Option<Millis> {
    let steps = if channel == "webhook" { WEBHOOK } else { EMAIL };
    let at = usize::try_from(attempt.checked_sub(1)?).ok()?;
    let step = *steps.get(at)?;
    let mixed = (seed ^ attempt.unsigned_abs().rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let span = u64::try_from(2 * SPREAD_PERCENT + 1).unwrap_or(1);
    let percent = i64::try_from((mixed >> 33) % span).unwrap_or(0) - SPREAD_PERCENT;
    Some(step + step * percent / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_within_its_spread_and_the_last_is_the_last() {
        for (channel, steps) in [("email", EMAIL), ("webhook", WEBHOOK)] {
            for (at, step) in (1_i64..).zip(steps) {
                let times: Vec<_> = (0..200)
                    .filter_map(|seed| retry_after_ms(channel, at, seed))
                    .collect();
                assert_eq!(times.len(), 200);
                assert!(
                    times
                        .iter()
                        .all(|t| *t >= step * 8 / 10 && *t <= step * 12 / 10)
                );
                assert!(
                    times.iter().any(|t| t != step),
                    "{channel} {at} is not spread"
                );
            }
            assert_eq!(retry_after_ms(channel, 10, 7), None);
            assert_eq!(retry_after_ms(channel, 0, 7), None);
        }
    }
}
