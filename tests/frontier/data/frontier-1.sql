CREATE TABLE IF NOT EXISTS timeline(boot TEXT PRIMARY KEY, offset REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE origins(
  id INTEGER PRIMARY KEY,
  scheme TEXT NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL,
  next_due REAL NOT NULL,             -- steady seconds; also the turn: who was served longest ago comes first
  ready INTEGER NOT NULL DEFAULT 0,   -- rows of urls in state 0
  busy INTEGER NOT NULL DEFAULT 0,    -- 1 while a claim is out, on hosts that are not the operator's own
  UNIQUE(host, port, scheme)
);
CREATE INDEX origins_due ON origins(next_due) WHERE ready > 0 AND busy = 0;
CREATE TABLE urls(
  id INTEGER PRIMARY KEY,             -- order of discovery
  hash BLOB NOT NULL UNIQUE,          -- rows.digest of the canonical key
  origin INTEGER NOT NULL,
  depth INTEGER NOT NULL,
  state INTEGER NOT NULL,             -- State
  data TEXT,                          -- rows.encode; null for a requisite, which is never claimed
  attempts INTEGER,                   -- visits that failed or were deferred
  not_before REAL,                    -- state 6 only
  reason TEXT,
  file INTEGER, start INTEGER         -- where the visit's first record lies
);
CREATE INDEX urls_ready ON urls(origin, depth) WHERE state = 0;
CREATE INDEX urls_waiting ON urls(not_before) WHERE state = 6;
CREATE TABLE claims(
  fence INTEGER PRIMARY KEY,
  url INTEGER NOT NULL, origin INTEGER NOT NULL, lease_until REAL NOT NULL, owner INTEGER NOT NULL
);
CREATE TABLE owners(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE files(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE facts(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE counts(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  fence INTEGER NOT NULL DEFAULT 0,   -- the last one given out; never goes back
  seen REAL NOT NULL DEFAULT 0,       -- steady seconds of the last change, to notice a clock set back
  pending INTEGER NOT NULL DEFAULT 0, claimed INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0,
  refused INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, requisites INTEGER NOT NULL DEFAULT 0
);
INSERT INTO counts(one) VALUES(1);
