/** A file as people write them: tables that refer to each other, views, triggers, comments and texts that look like SQL. */
export const MUSIC = `-- The shop's music; see also "albums;" below
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;

CREATE TABLE artists (
  artist_id INTEGER PRIMARY KEY, -- given by hand; never used again
  name NVARCHAR(120) NOT NULL UNIQUE COLLATE NOCASE /* ; not the end */
);
CREATE TABLE [albums;] (
  "album id" INTEGER PRIMARY KEY AUTOINCREMENT,
  title TEXT NOT NULL DEFAULT 'untitled; -- yet',
  artist_id INTEGER NOT NULL REFERENCES artists(artist_id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  released TEXT CHECK (released IS NULL OR released GLOB '[0-9][0-9][0-9][0-9]*')
);
CREATE TABLE \`tracks\` (
  track_id INTEGER PRIMARY KEY,
  album INTEGER REFERENCES [albums;]("album id"),
  name TEXT, milliseconds INTEGER, price REAL, cover BLOB,
  seconds REAL GENERATED ALWAYS AS (milliseconds / 1000.0) VIRTUAL,
  shout TEXT AS (upper(name)) STORED
);
CREATE TABLE plays (track INTEGER, listener TEXT, n INTEGER DEFAULT 0, PRIMARY KEY (track, listener)) WITHOUT ROWID;
CREATE TABLE log(line);
CREATE INDEX tracks_by_album ON tracks(album, name COLLATE NOCASE DESC) WHERE price > 0;
CREATE UNIQUE INDEX "odd;index" ON tracks(lower(name), album);

/* A trigger with everything that ends in END; CASE … END; and a ; in a string
   BEGIN /* this does not nest; it ends here: */
CREATE TRIGGER "plays;begin" AFTER INSERT ON plays
WHEN CASE WHEN new.n IS NULL THEN 0 ELSE 1 END
BEGIN
  INSERT INTO log VALUES('play; ' || CASE new.listener WHEN 'Ada' THEN CASE WHEN new.n > 1 THEN 'again; END' ELSE 'once' END ELSE 'else' END);
  UPDATE plays SET n = n + CASE WHEN new.n < 0 THEN -1 ELSE 1 END WHERE track = new.track AND listener = new.listener;
  -- END; a comment in the body
  DELETE FROM log WHERE line = 'END;';
END;
create trigger if not exists renamed before update of name on artists for each row begin
  select case when new.name = '' then raise(abort, 'empty;') end;
end;

INSERT INTO artists VALUES(1, 'AC/DC'), (2, 'Sinéad O''Connor');
INSERT INTO "artists" VALUES(3, 'Юрий; Шевчук'), (4, '藝人 🎸'), (5, 'Motörhead "live"');
INSERT INTO [albums;] VALUES(10, 'Let There
Be Rock; -- not a comment
/* nor this */', 1, '1977-03-21'), (20, 'Gospel Oak', 2, NULL);;
INSERT INTO [albums;](title, artist_id) VALUES('x''41''', 4);
INSERT INTO tracks(track_id, album, name, milliseconds, price, cover) VALUES(1, 10, 'Go Down', 331180, 0.99, X'00ff27e29c94');
INSERT INTO tracks(track_id, album, name, milliseconds, price, cover) VALUES(2, 10, 'Dog Eat Dog', 215196, -1.5e-7, x'');
INSERT INTO tracks(track_id, album, name, milliseconds, price, cover) VALUES(3, 20, NULL, 9007199254740993, 1e300, NULL);
REPLACE INTO plays VALUES(1, 'Ada', 1), (1, 'Bob', -3);
WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 3) INSERT INTO log SELECT 'n' || i FROM n;
UPDATE artists SET name = name || ';' WHERE artist_id = 5;
DELETE FROM tracks WHERE track_id = 2;

CREATE VIEW catalogue(artist, album, "n;tracks") AS
  SELECT a.name, b.title, count(t.track_id) -- with none, too
  FROM artists a JOIN [albums;] b USING(artist_id) LEFT JOIN tracks t ON t.album = b."album id" GROUP BY b."album id";
CREATE TRIGGER albums_end INSTEAD OF DELETE ON catalogue BEGIN SELECT raise(ABORT, 'no; never'); END;
INSERT INTO log VALUES('_rqlite_commit');
ALTER TABLE log ADD COLUMN level INTEGER DEFAULT 3;
END TRANSACTION;
-- no ; behind the last one
INSERT INTO log VALUES('the end', 1) /* not closed ;
`;
