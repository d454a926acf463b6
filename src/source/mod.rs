//! What each platform sends, exactly: verify, name, read, answer. Knows neither the HTTP server,
//! nor rules, nor the ledger.
