"""The tables of a ledger, and how those of an older ledger become them."""

from __future__ import annotations

import sqlite3

from edge.forms.job.job_page import page_from_json
from edge.forms.job.review_values import note_values, review_values

# Counts up whenever a table changes.
VERSION = 2

# input: what a run was given, in its order; a source stands there once, with the last run that had it.
# place: which page a file has at a number, or why it could not be read. page: what was read of a page, whatever files
# have it. Both belong to a generation.
_READ = """
CREATE TABLE generation (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, content TEXT NOT NULL);
CREATE TABLE run (id INTEGER PRIMARY KEY, generation INTEGER NOT NULL REFERENCES generation, started TEXT NOT NULL,
  ended TEXT);
CREATE TABLE input (run INTEGER NOT NULL REFERENCES run, position INTEGER NOT NULL, source BLOB NOT NULL, file TEXT,
  error TEXT, PRIMARY KEY (run, position)) WITHOUT ROWID;
CREATE INDEX input_source ON input (source);
CREATE TABLE file (generation INTEGER NOT NULL, sha256 TEXT NOT NULL, pages INTEGER NOT NULL,
  PRIMARY KEY (generation, sha256)) WITHOUT ROWID;
CREATE TABLE place (generation INTEGER NOT NULL, file TEXT NOT NULL, number INTEGER NOT NULL, page TEXT, error TEXT,
  PRIMARY KEY (generation, file, number)) WITHOUT ROWID;
CREATE TABLE page (generation INTEGER NOT NULL, sha256 TEXT NOT NULL, content TEXT NOT NULL, ms REAL NOT NULL,
  read_at TEXT NOT NULL, forgotten INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (generation, sha256));
CREATE TABLE crop (generation INTEGER NOT NULL, page TEXT NOT NULL, field TEXT NOT NULL, png BLOB NOT NULL,
  PRIMARY KEY (generation, page, field));
CREATE TABLE correction (page TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, made_at TEXT NOT NULL,
  PRIMARY KEY (page, field)) WITHOUT ROWID;
"""

# leaf: a page of a generation by a short name. value: what a person may look at, by leaf; doubt and state are those of
# review_values. tile: small pictures of a leaf's single digits. form: templates by their sha256, to cut digits again.
# entry: all that people said, one after the other; token: of one press of a key, so that saying it twice is once;
# batch: the first entry of what was said with one press. correction: what counts of it, by page and field, whatever the
# generation. choice: what was chosen for the review of this job.
_REVIEWED = """
ALTER TABLE correction ADD COLUMN kind TEXT NOT NULL DEFAULT 'corrected';
ALTER TABLE correction ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE correction ADD COLUMN entry INTEGER NOT NULL DEFAULT 0;
CREATE TABLE leaf (id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, page TEXT NOT NULL, UNIQUE (generation, page));
CREATE INDEX leaf_page ON leaf (page);
CREATE TABLE value (leaf INTEGER NOT NULL, position INTEGER NOT NULL, field TEXT NOT NULL, text TEXT NOT NULL,
  confidence REAL NOT NULL, doubt INTEGER NOT NULL, state INTEGER NOT NULL,
  PRIMARY KEY (leaf, position)) WITHOUT ROWID;
CREATE INDEX value_waiting ON value (confidence) WHERE state = 2;
CREATE INDEX value_open ON value (confidence, state, doubt) WHERE state > 0;
CREATE INDEX value_field ON value (position, field, confidence, state, doubt) WHERE state > 0;
CREATE INDEX value_text ON value (text, confidence) WHERE state > 0;
CREATE INDEX place_page ON place (page);
CREATE INDEX input_file ON input (file);
CREATE TABLE tile (leaf INTEGER PRIMARY KEY, jpeg BLOB NOT NULL);
CREATE TABLE form (sha256 TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entry (id INTEGER PRIMARY KEY AUTOINCREMENT, page TEXT NOT NULL, field TEXT NOT NULL, kind TEXT NOT NULL,
  value TEXT NOT NULL, name TEXT NOT NULL, made_at TEXT NOT NULL, took_s REAL, was TEXT NOT NULL,
  was_sure INTEGER NOT NULL, batch INTEGER NOT NULL, token TEXT, undone INTEGER NOT NULL DEFAULT 0);
CREATE INDEX entry_value ON entry (page, field);
CREATE INDEX entry_name ON entry (name, undone);
CREATE INDEX entry_token ON entry (token);
CREATE TABLE choice (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


def make_tables(db: sqlite3.Connection, application: int) -> None:
    """Make all tables of an empty ledger, or none."""
    db.executescript(
        f"BEGIN; {_READ} {_REVIEWED} PRAGMA application_id = {application}; PRAGMA user_version = {VERSION}; COMMIT;"
    )


def renew_tables(db: sqlite3.Connection) -> None:
    """Make version 1 into this one in one transaction: the values of all its pages are listed."""
    db.execute("BEGIN IMMEDIATE")
    try:
        if db.execute("PRAGMA user_version").fetchone() == (1,):  # else another program was quicker
            for statement in filter(None, map(str.strip, _REVIEWED.split(";\n"))):
                db.execute(statement)
            db.execute(
                "INSERT INTO entry (page, field, kind, value, name, made_at, was, was_sure, batch) "
                "SELECT page, field, kind, value, name, made_at, '', 0, 0 FROM correction"
            )
            db.execute(
                "UPDATE correction SET entry = (SELECT id FROM entry "
                "WHERE entry.page = correction.page AND entry.field = correction.field)"
            )
            db.execute("UPDATE entry SET batch = id")
            for generation, sha256, content in db.execute("SELECT generation, sha256, content FROM page"):
                page = page_from_json(content, source="", page_number=1, ms=0.0)
                note_values(db, generation, sha256, review_values(page))
            db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
