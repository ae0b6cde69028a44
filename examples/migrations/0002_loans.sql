CREATE TABLE demo_loans(
  book INTEGER NOT NULL REFERENCES demo_books,
  reader TEXT NOT NULL
);

INSERT INTO demo_loans SELECT id, 'Ada' FROM demo_books WHERE title = 'Kindred';
