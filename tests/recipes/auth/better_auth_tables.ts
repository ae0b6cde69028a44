/** What a migration makes of the schema next to this. */
export const TABLES = [
  `CREATE TABLE user(id text PRIMARY KEY NOT NULL, name text NOT NULL, email text NOT NULL UNIQUE,
    "emailVerified" integer DEFAULT false NOT NULL, image text, "createdAt" integer NOT NULL,
    "updatedAt" integer NOT NULL)`,
  `CREATE TABLE session(id text PRIMARY KEY NOT NULL, "expiresAt" integer NOT NULL,
    token text NOT NULL UNIQUE, "createdAt" integer NOT NULL, "updatedAt" integer NOT NULL,
    "ipAddress" text, "userAgent" text,
    "userId" text NOT NULL REFERENCES user(id) ON DELETE CASCADE)`,
  `CREATE TABLE account(id text PRIMARY KEY NOT NULL, "accountId" text NOT NULL,
    "providerId" text NOT NULL, "userId" text NOT NULL REFERENCES user(id) ON DELETE CASCADE,
    "accessToken" text, "refreshToken" text, "idToken" text, "accessTokenExpiresAt" integer,
    "refreshTokenExpiresAt" integer, scope text, password text, "createdAt" integer NOT NULL,
    "updatedAt" integer NOT NULL)`,
  `CREATE TABLE verification(id text PRIMARY KEY NOT NULL, identifier text NOT NULL,
    value text NOT NULL, "expiresAt" integer NOT NULL, "createdAt" integer NOT NULL,
    "updatedAt" integer NOT NULL)`,
];
