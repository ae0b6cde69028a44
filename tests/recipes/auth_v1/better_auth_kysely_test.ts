// The same with Kysely 0.29.
import "../auth/better_auth_kysely_test.ts";
