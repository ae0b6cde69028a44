CREATE TABLE demo_books(
  id INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  added TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

INSERT INTO demo_books(title) VALUES('Frankenstein'), ('Kindred');
