"""The tables of a library. A change here is a new version, and needs a way up from the old one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

__all__ = [
    "CONTENTS_SINCE",
    "INDEXED_AT",
    "LINE_VECTORS",
    "NAMES",
    "OLDEST_VERSION",
    "PLAIN",
    "SAVED",
    "SCHEMA",
    "SCHEMA_VERSION",
    "WAYS_UP",
    "statements",
]

SCHEMA_VERSION = 5

#: The oldest version that is read, and brought up where it is written.
OLDEST_VERSION = 1

#: The first version with what is known of the bytes of files.
CONTENTS_SINCE = 2

_CONTENTS = """
CREATE TABLE contents (
  video_id INTEGER PRIMARY KEY REFERENCES videos(id) ON DELETE CASCADE,
  size INTEGER,
  sample BLOB,
  packets BLOB,
  whole BLOB
);
CREATE INDEX contents_by_sample ON contents (sample);
CREATE INDEX contents_by_size ON contents (size) WHERE sample IS NULL;
CREATE TABLE verified (
  path TEXT PRIMARY KEY REFERENCES files(path) ON DELETE CASCADE,
  run INTEGER NOT NULL
) WITHOUT ROWID;
"""

# Lines of words, and what was read of each file's. A line with a file is of that one, whose name it
# is or beside which it was found; one without is of the contents, whatever their files are called.
# What is searched is derived, and triggers see to it: rows go with their videos and files, and
# nothing asks whoever deletes these. In scripts that know no spaces words can't be told apart, so
# any three letters are found there.
_EVIDENCE = """
CREATE TABLE words_read (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE REFERENCES files(path) ON DELETE CASCADE,
  mark TEXT NOT NULL,
  remark TEXT NOT NULL
);
CREATE TABLE evidence (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  video_id INTEGER NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
  file_id INTEGER REFERENCES words_read(id) ON DELETE CASCADE,
  start_seconds REAL NOT NULL,
  end_seconds REAL NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  language TEXT NOT NULL,
  confidence REAL NOT NULL,
  source TEXT NOT NULL,
  unspaced INTEGER NOT NULL
);
CREATE INDEX evidence_by_time ON evidence (video_id, start_seconds);
CREATE INDEX evidence_by_file ON evidence (file_id);
CREATE INDEX evidence_unspaced ON evidence (id) WHERE unspaced=1;
CREATE VIRTUAL TABLE evidence_words USING fts5 (
  text, content='evidence', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE evidence_trigrams USING fts5 (
  text, content='evidence', content_rowid='id', tokenize='trigram'
);
CREATE TRIGGER evidence_put_unspaced AFTER INSERT ON evidence WHEN new.unspaced=1 BEGIN
  INSERT INTO evidence_trigrams (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER evidence_gone_unspaced AFTER DELETE ON evidence WHEN old.unspaced=1 BEGIN
  INSERT INTO evidence_trigrams (evidence_trigrams, rowid, text)
    VALUES ('delete', old.id, old.text);
END;
"""

#: Sentence vectors of lines, which a library has from when the first is stored.
LINE_VECTORS = """
CREATE TABLE IF NOT EXISTS line_vectors (
  line_id INTEGER PRIMARY KEY REFERENCES evidence(id) ON DELETE CASCADE,
  vector BLOB NOT NULL
)"""

#: When each video was indexed, in seconds since 1970: of those that were put since it is noted.
INDEXED_AT = """
CREATE TABLE IF NOT EXISTS indexed_at (
  video_id INTEGER PRIMARY KEY REFERENCES videos(id) ON DELETE CASCADE,
  seconds REAL NOT NULL
)"""

#: Saved searches, which videos are new to them besides those of higher ids, and what they told. A
#: library has them from when the first search is saved.
SAVED = """
CREATE TABLE IF NOT EXISTS saved (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  query TEXT NOT NULL,
  deeds TEXT NOT NULL,
  seal TEXT NOT NULL,
  since_video INTEGER NOT NULL,
  video INTEGER NOT NULL,
  line INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS saved_due (
  search INTEGER NOT NULL REFERENCES saved(id) ON DELETE CASCADE,
  video_id INTEGER NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
  PRIMARY KEY (search, video_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS told (
  id TEXT PRIMARY KEY,
  search INTEGER NOT NULL REFERENCES saved(id) ON DELETE CASCADE,
  contents BLOB NOT NULL,
  start_seconds REAL NOT NULL,
  end_seconds REAL NOT NULL,
  moment TEXT NOT NULL,
  done TEXT NOT NULL,
  is_told INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS told_by_contents ON told (search, contents);
"""

#: What finds names among themselves: a few of them, whose words are in millions of lines as well.
#: A library has it from when it is next written.
NAMES = """
CREATE VIRTUAL TABLE evidence_names USING fts5 (
  text, content='evidence', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);
INSERT INTO evidence_names (rowid, text)
  SELECT id, text FROM evidence WHERE kind='name' AND unspaced=0;
"""


def _follow(table: str, which: str) -> str:
    """What has a full-text index of some lines hold them by their plain spelling.

    Args:
        which: the condition that those lines meet, in SQL; ``{0}`` stands before its columns.
    """
    put, delete = f"{table} (rowid, text)", f"{table} ({table}, rowid, text)"
    pointed = f"FROM evidence WHERE {which.format('')} AND plain IS NOT NULL"
    return f"""
INSERT INTO {delete} SELECT 'delete', id, text {pointed};
INSERT INTO {put} SELECT id, plain {pointed};
CREATE TRIGGER {table}_put AFTER INSERT ON evidence WHEN {which.format("new.")} BEGIN
  INSERT INTO {put} VALUES (new.id, coalesce(new.plain, new.text));
END;
CREATE TRIGGER {table}_gone AFTER DELETE ON evidence WHEN {which.format("old.")} BEGIN
  INSERT INTO {delete} VALUES ('delete', old.id, coalesce(old.plain, old.text));
END;
"""


#: What has words and names found, those with vowel points, which would split them, by their plain
#: spelling: it is kept where it is another. A library has it from when it is next written. Whoever
#: runs it lends it the function ``pointless``.
PLAIN = (
    """
ALTER TABLE evidence ADD COLUMN plain TEXT;
UPDATE evidence SET plain=pointless(text) WHERE pointless(text)<>text;
DROP TRIGGER IF EXISTS evidence_put;
DROP TRIGGER IF EXISTS evidence_gone;
DROP TRIGGER IF EXISTS evidence_name_put;
DROP TRIGGER IF EXISTS evidence_name_gone;
"""
    + _follow("evidence_words", "{0}unspaced=0")
    + _follow("evidence_names", "{0}kind='name' AND {0}unspaced=0")
)

# How far later passes are with each video: those that take long, and read step by step.
_PASSES = """
CREATE TABLE passes (
  video_id INTEGER NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  mark TEXT NOT NULL,
  until_seconds REAL NOT NULL,
  is_done INTEGER NOT NULL,
  notes TEXT NOT NULL,
  remark TEXT NOT NULL,
  PRIMARY KEY (video_id, kind)
) WITHOUT ROWID;
"""

# When, where and by what videos were taken, as each of their files says: `clock` is what a clock
# showed, in seconds since 1970; where `is_utc`, that of Greenwich. The lower its rank, the more a
# file is trusted. The other two find videos by what else may be asked of them.
_CAPTURES = """
CREATE TABLE captures (
  path TEXT PRIMARY KEY REFERENCES files(path) ON DELETE CASCADE,
  video_id INTEGER NOT NULL,
  mark TEXT NOT NULL,
  rank INTEGER NOT NULL,
  taken_from TEXT NOT NULL,
  clock INTEGER,
  is_utc INTEGER NOT NULL,
  is_day INTEGER NOT NULL,
  zone INTEGER,
  latitude REAL,
  longitude REAL,
  place TEXT NOT NULL,
  make TEXT NOT NULL,
  model TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX captures_by_video ON captures (video_id, rank);
CREATE INDEX captures_by_time ON captures (is_utc, clock, video_id, rank)
  WHERE clock IS NOT NULL;
CREATE INDEX captures_by_place ON captures (latitude, longitude, video_id)
  WHERE latitude IS NOT NULL;
CREATE INDEX captures_by_camera ON captures (make, model, video_id);
CREATE INDEX videos_by_side ON videos (min(width, height));
CREATE INDEX videos_by_length ON videos (duration_seconds);
"""

#: By version, what makes a library of it one of the next. Version 1 knew the digest of the whole
#: of each file, and nothing else of its bytes; version 2 no words, version 3 no later passes,
#: version 4 no captures.
WAYS_UP = {
    1: _CONTENTS
    + """
INSERT INTO contents (video_id, size, whole)
  SELECT id, (SELECT size FROM files WHERE video_id=videos.id LIMIT 1), content_hash FROM videos;
""",
    2: _EVIDENCE,
    3: _PASSES,
    4: _CAPTURES,
}

SCHEMA = (
    """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE videos (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  content_hash BLOB NOT NULL UNIQUE,
  codec TEXT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  duration_seconds REAL NOT NULL,
  rate TEXT,
  time_base TEXT NOT NULL,
  start_time TEXT NOT NULL,
  frame_count INTEGER NOT NULL,
  curve BLOB NOT NULL
);
CREATE TABLE frames (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  video_id INTEGER NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
  pts INTEGER NOT NULL,
  variation REAL NOT NULL,
  cut INTEGER NOT NULL,
  vector BLOB NOT NULL,
  cells BLOB NOT NULL,
  tokens BLOB NOT NULL
);
CREATE UNIQUE INDEX frames_by_time ON frames (video_id, pts);
CREATE TABLE files (
  path TEXT PRIMARY KEY,
  volume TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('indexed', 'skipped')),
  reason TEXT NOT NULL DEFAULT '',
  video_id INTEGER REFERENCES videos(id)
) WITHOUT ROWID;
CREATE INDEX files_by_video ON files (video_id);
"""
    + _CONTENTS
    + _EVIDENCE
    + _PASSES
    + _CAPTURES
)


def statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one; a trigger is one with all that it does."""
    begun = ""
    for part in script.split(";"):
        begun += part + ";"
        if sqlite3.complete_statement(begun):
            if begun.strip(" \n;"):
                yield begun
            begun = ""
