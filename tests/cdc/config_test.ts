// The file that rqlited reads; server_test.ts gives it to one.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cdcConfig, type CdcConfigOptions } from "../../src/cdc/mod.ts";

const endpoint = "https://app.example/changes";

describe("cdcConfig()", () => {
  it("writes what is given and nothing else, in the server's words and units", () => {
    assert.deepEqual(JSON.parse(cdcConfig({ endpoint })), { endpoint });
    const all = cdcConfig({
      endpoint: new URL(`${endpoint}?a=b`),
      secret: "s/e:c@r%et",
      serviceId: "shop",
      tables: ["users", "odd.name", "a|b"],
      rowIdsOnly: true,
      batchSize: 5,
      batchDelay: 0.5,
      timeout: 10_000,
      attempts: 3,
      backoff: 100,
      maxBackoff: 60_000,
      watermarkInterval: 500,
      tls: {
        ca: "ca.pem",
        cert: "c.crt",
        key: "c.key",
        serverName: "app",
        rejectUnauthorized: false,
      },
    });
    assert.deepEqual(JSON.parse(all), {
      endpoint: "https://rqlite:s%2Fe%3Ac%40r%25et@app.example/changes?a=b",
      service_id: "shop",
      row_ids_only: true,
      table_filter: "(?i)^(?:users|odd\\.name|a\\|b)$",
      tls: {
        ca_cert_file: "ca.pem",
        cert_file: "c.crt",
        key_file: "c.key",
        server_name: "app",
        insecure_skip_verify: true,
      },
      max_batch_size: 5,
      max_batch_delay: 500_000,
      high_watermark_interval: 500_000_000,
      transmit_timeout: 10_000_000_000,
      transmit_max_retries: 3,
      transmit_retry_policy: 1,
      transmit_min_backoff: 100_000_000,
      transmit_max_backoff: 60_000_000_000,
    });
  });

  it("refuses what the server would stumble over", () => {
    const bad = (options: unknown) => () => cdcConfig(options as CdcConfigOptions);
    assert.throws(bad(undefined), /`endpoint` .* must be an http or https URL/);
    for (const wrong of ["stdout", "cdc.json", "ftp://a", 5]) {
      assert.throws(bad({ endpoint: wrong }));
    }
    assert.throws(bad({ endpoint: "http://a:b@c", secret: "x" }), /`secret` beside a URL/);
    for (const wrong of [0, -1, Infinity, NaN]) {
      assert.throws(bad({ endpoint, batchDelay: wrong }), RangeError);
    }
    assert.throws(bad({ endpoint, batchDelay: "200ms" }), TypeError);
    assert.throws(bad({ endpoint, attempts: 1.5 }), RangeError);
    assert.throws(bad({ endpoint, tables: [] }), /`tables`/);
    assert.throws(bad({ endpoint, tls: { certificate: "x" } }), /`certificate`/);
    assert.throws(bad({ endpoint, max_batch_size: 5 }), /no such option/);
  });
});
