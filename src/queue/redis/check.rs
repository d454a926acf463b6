//! What a Redis must be to serve as the queue, looked at whenever it is connected.

use redis::aio::MultiplexedConnection;

use super::link::plain;

/// The oldest major version that the scripts were tried on.
const MAJOR_MIN: u32 = 7;

/// Settings that it should not have but can serve with; `Err` if it cannot serve.
pub(super) async fn check(connection: &mut MultiplexedConnection) -> Result<Vec<String>, String> {
    let info: String = redis::cmd("INFO")
        .query_async(connection)
        .await
        .map_err(|error| plain(&error))?;
    judge(&info)
}

fn judge(info: &str) -> Result<Vec<String>, String> {
    let of = |key: &str| {
        let mut lines = info.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(found, _)| *found == key);
        found.map(|(_, value)| value.trim())
    };
    if of("loading") == Some("1") {
        return Err("it is still loading its data".to_owned());
    }
    if of("role") == Some("slave") {
        return Err("it is a replica, which takes no writes; name the primary".to_owned());
    }
    if of("cluster_enabled") == Some("1") {
        return Err("it is a node of a cluster, which this release cannot use".to_owned());
    }
    let version = of("redis_version").unwrap_or("unknown");
    let major: Option<u32> = version.split('.').next().and_then(|n| n.parse().ok());
    if major.is_none_or(|major| major < MAJOR_MIN) {
        return Err(format!(
            "its version is {version}; wanted is {MAJOR_MIN}.0 or later"
        ));
    }
    let policy = of("maxmemory_policy").unwrap_or("unknown");
    if policy == "noeviction" {
        return Ok(Vec::new());
    }
    Ok(vec![format!(
        "maxmemory-policy is {policy}, so it may throw work away; wanted is noeviction"
    )])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_redis_is_named_with_what_is_wanted() {
        let good = "# Server\r\nredis_version:7.0.15\r\nrole:master\r\nloading:0\r\n\
                    cluster_enabled:0\r\nmaxmemory_policy:noeviction\r\n";
        assert_eq!(judge(good), Ok(Vec::new()));
        for (from, to, wanted) in [
            ("7.0.15", "6.2.9", "version is 6.2.9; wanted is 7.0"),
            ("redis_version", "x", "version is unknown"),
            ("role:master", "role:slave", "name the primary"),
            ("loading:0", "loading:1", "still loading"),
            ("cluster_enabled:0", "cluster_enabled:1", "a cluster"),
        ] {
            let found = judge(&good.replace(from, to)).unwrap_err();
            assert!(found.contains(wanted), "{found}");
        }
        for policy in ["allkeys-lru", "volatile-ttl"] {
            let notes = judge(&good.replace("noeviction", policy)).unwrap();
            assert!(notes[0].contains(policy) && notes[0].contains("wanted is noeviction"));
        }
    }
}
