//! Who gets a lead, and why nobody else: pure. Knows neither channels nor SQL.
