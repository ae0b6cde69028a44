import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { tokenize } from "../../src/sql/tokenize.ts";

/** The tokens as `kind:text`, without space. */
function kinds(sql: string): string[] {
  return tokenize(sql)
    .filter(({ kind }) => kind !== "space")
    .map(({ kind, start, end }) => `${kind}:${sql.slice(start, end)}`);
}

describe("tokenize()", () => {
  const single: readonly [kind: string, texts: readonly string[]][] = [
    ["word", ["SELECT", "_a", "a$b", "é", "x", "a1", "\ud83d\ude00", "x\ufeff"]],
    ["string", ["''", "'a'", "'it''s'", "'-- /* ;'", "'\n'"]],
    ["quoted", ['"a"', '"a""b"', "`a``b`", "[a b]", "[a[b]", '""']],
    ["number", ["0", "12", "1_000", "0x1F", "0XfF_f", ".5", "5.", "1.5e-3", "1.e5", "1e1_0"]],
    ["blob", ["x''", "X'00fF'"]],
    ["placeholder", ["?", "?1", "?012", ":a", "@a", "$a", "#a", ":1", "$a::b", "$a::b(c)", "$a()"]],
    ["placeholder", ["@a::b", "$::a", "$a::(b)", ":a(b)", "$é", ":a$b"]],
    ["punct", ["->", "->>", "||", "<<", ">>", "<=", ">=", "<>", "!=", "==", "*", "~", ";", "."]],
    ["comment", ["-- x", "--", "/* x */", "/*/ x", "/* x", "/**/", "/* /* */"]],
    ["space", [" ", " \t\n\v\f\r", "\ufeff"]],
    ["error", ["'a", '"a', "`a", "[a", "'a''", "x'0'", "x'0g'", "x'00", "!", "{", "}", "\\", "^"]],
    ["error", ["\0", "\v", ":", "@", "$", "#", "#1", "$a(b", "]", "1a", "1_", "1__0", "1._5"]],
    ["error", ["0x", "0x1_", "1e", "1_e5", "12$a", "1é", "0xg", "1\u00a0"]],
  ];
  for (const [kind, texts] of single) {
    for (const text of texts) {
      it(`reads ${JSON.stringify(text)} as one ${kind}`, () => {
        const tokens = tokenize(text).map(({ kind, start, end }) => ({ kind, start, end }));
        assert.deepEqual(tokens, [{ kind, start: 0, end: text.length }]);
      });
    }
  }

  const sequences: readonly [sql: string, tokens: readonly string[]][] = [
    ["a.b", ["word:a", "punct:.", "word:b"]],
    ["?1a", ["placeholder:?1", "word:a"]],
    ["?a", ["placeholder:?", "word:a"]],
    ["#?", ["error:#", "placeholder:?"]],
    ["$(", ["error:$", "punct:("]],
    ["$a(b c)", ["error:$a(b", "word:c", "punct:)"]],
    ["$a:b", ["placeholder:$a", "placeholder::b"]],
    ["1..2", ["number:1.", "number:.2"]],
    ["1-1", ["number:1", "punct:-", "number:1"]],
    ["1--1", ["number:1", "comment:--1"]],
    ["0x1.5", ["number:0x1", "number:.5"]],
    ["a/*b*/c", ["word:a", "comment:/*b*/", "word:c"]],
    ["-- a\nb", ["comment:-- a", "word:b"]],
    ["a /*", ["word:a", "punct:/", "punct:*"]],
    ["/* a /* b */ */", ["comment:/* a /* b */", "punct:*", "punct:/"]],
    ["x ''", ["word:x", "string:''"]],
    ["x'0g' 1", ["error:x'0g'", "number:1"]],
    ["a->>'$.b'", ["word:a", "punct:->>", "string:'$.b'"]],
    ["a<-1", ["word:a", "punct:<", "punct:-", "number:1"]],
    ["\ufeffSELECT\ufeff 1", ["word:SELECT\ufeff", "number:1"]],
    ["[a]]", ["quoted:[a]", "error:]"]],
    ["1 ! 2", ["number:1", "error:!", "number:2"]],
    ["SELECT 1\0 x", ["word:SELECT", "number:1", "error:\0", "word:x"]],
  ];
  for (const [sql, tokens] of sequences) {
    it(`cuts ${JSON.stringify(sql)}`, () => assert.deepEqual(kinds(sql), tokens));
  }

  it("has nothing to say of an empty text", () => assert.deepEqual(tokenize(""), []));
});
