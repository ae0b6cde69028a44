DROP TABLE demo_books;
