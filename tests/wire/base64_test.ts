import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeBase64 } from "../../src/wire/base64.ts";

describe("decodeBase64()", () => {
  it("decodes every byte", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    assert.deepEqual(decodeBase64(btoa(String.fromCharCode(...bytes))), bytes);
  });

  it("decodes every length", () => {
    assert.deepEqual(decodeBase64(""), new Uint8Array());
    assert.deepEqual(decodeBase64("QQ=="), new Uint8Array([65]));
    assert.deepEqual(decodeBase64("QUI="), new Uint8Array([65, 66]));
    assert.deepEqual(decodeBase64("QUJD"), new Uint8Array([65, 66, 67]));
  });

  it("refuses what is not canonical base64", () => {
    for (
      const text of [
        "QQ",
        "QQ=",
        "QR==",
        "Q===",
        "====",
        "QQ==QQ==",
        " QQ==",
        "_-==",
        "é===",
        "QQ=A",
      ]
    ) {
      assert.equal(decodeBase64(text), undefined, text);
    }
  });
});
