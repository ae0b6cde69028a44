DROP TABLE demo_loans;
