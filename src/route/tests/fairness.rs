//! Turns over thousands of leads.

use super::*;
use crate::clock::HOUR;

fn three(hours: [&str; 3]) -> Roster {
    let reps = ["a", "b", "c"].iter().zip(hours).map(|(id, hours)| {
        format!("[reps.{id}]\nemail = \"{id}@x.example\"\nzone = \"UTC\"\nhours = [\"{hours}\"]\n")
    });
    let pool = "[pools.p]\nmembers = [\"a\", \"b\", \"c\"]\nweights = { b = 2, c = 3 }\n";
    roster(&(reps.collect::<String>() + pool))
}

#[test]
fn shares_are_exact_within_one_turn_over_ten_thousand_leads() {
    let roster = three(["always"; 3]);
    let mut load = Load::default();
    let mut turns = BTreeMap::from([("a", 0_i64), ("b", 0), ("c", 0)]);
    for lead in 1..=10_000_i64 {
        let decision = assign(&wanted("p", &[]), &roster, &load, lead * MINUTE);
        let Decision::Offer { rep, credits, .. } = decision else {
            panic!("an offer");
        };
        load.credits.extend(credits);
        *turns.get_mut(rep.as_str()).unwrap() += 1;
        for ((id, got), weight) in turns.iter().zip(1..) {
            // Sixths of a turn.
            let off = (got * 6 - lead * weight).abs();
            assert!(
                off < 6,
                "{id} is off by {off}/6 of a turn after {lead} leads"
            );
        }
        assert_eq!(load.credits.values().sum::<i64>(), 0);
    }
}

#[test]
fn absence_neither_costs_nor_earns() {
    // `c` works every second hour; whenever all are there the shares are 1:2:3 at once.
    let hours = "daily 0-1 2-3 4-5 6-7 8-9 10-11 12-13 14-15 16-17 18-19 20-21 22-23";
    let roster = three(["always", "always", hours]);
    let mut load = Load::default();
    let mut counts = [[0_i64; 3]; 2];
    for lead in 0..14_400_i64 {
        let now = lead * MINUTE;
        let decision = assign(&wanted("p", &[]), &roster, &load, now);
        let Decision::Offer { rep, credits, .. } = decision else {
            panic!("an offer");
        };
        load.credits.extend(credits);
        let away = usize::from(now % (2 * HOUR) >= HOUR);
        counts[away][usize::from(rep.as_bytes()[0] - b'a')] += 1;
    }
    assert_eq!(counts, [[1_200, 2_400, 3_600], [2_400, 4_800, 0]]);
}
