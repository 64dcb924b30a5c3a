"""The tables of a library. A change here is a new version, and needs a way up from the old one."""

from __future__ import annotations

__all__ = ["CONTENTS_SINCE", "OLDEST_VERSION", "SCHEMA", "SCHEMA_VERSION", "WAYS_UP"]

SCHEMA_VERSION = 2

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

#: By version, what makes a library of it one of the next. Version 1 knew the digest of the whole
#: of each file, and nothing else of its bytes.
WAYS_UP = {
    1: _CONTENTS
    + """
INSERT INTO contents (video_id, size, whole)
  SELECT id, (SELECT size FROM files WHERE video_id=videos.id LIMIT 1), content_hash FROM videos;
"""
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
)
