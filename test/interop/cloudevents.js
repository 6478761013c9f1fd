// SPDX-License-Identifier: Apache-2.0
// The official SDK's side of the interop tests. Messages are JSON lines {"headers":{...},"body":"..."}.
//
//   node cloudevents.js write   events, as the SDK puts them into messages of both forms
//   node cloudevents.js read    messages on standard input, as the events the SDK makes of them
"use strict";
const { CloudEvent, HTTP } = require("cloudevents");

const events = [
  { id: "js-1", source: "/js/shop", type: "order.placed", time: "2025-12-12T10:00:00.000Z",
    organizationid: "o1", schemaversion: "1.0", data: { total: 12.5, lines: ["a", "b"] } },
  { id: "js-2", source: "urn:js:shop", type: "order.placed", time: "2025-12-12T10:00:00.000Z",
    subject: "caf\u00e9 \u20ac", organizationid: "o1", schemaversion: "2.0", sampled: true, rank: 7, data: { n: null } },
  { id: "js-3", source: "/js/shop", type: "order.noted", time: "2025-12-12T10:00:00.000Z",
    datacontenttype: "text/plain", data: "a \"note\"" },
];

function line(message) {
  process.stdout.write(JSON.stringify(message) + "\n");
}

function write() {
  for (const event of events.map((fields) => new CloudEvent(fields)))
    for (const form of ["structured", "binary"]) {
      const { headers, body } = HTTP[form](event);
      line({ headers: Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, String(v)])), data: body });
    }
}

function read() {
  const input = require("fs").readFileSync(0, "utf8");
  for (const text of input.split("\n").filter((one) => one !== "")) {
    const { headers, data } = JSON.parse(text);
    const body = typeof data === "string" ? data : JSON.stringify(data);
    // What is NATS's part of the binding, for which the SDK has no code: decoding, and the content type's name.
    const lower = Object.fromEntries(
      Object.entries(headers).map(([k, v]) => [k.toLowerCase(), k.startsWith("ce-") ? decodeURIComponent(v) : v]));
    if (lower["ce-datacontenttype"] && !lower["content-type"]) lower["content-type"] = lower["ce-datacontenttype"];
    line(HTTP.toEvent({ headers: lower, body }));
  }
}

({ write, read })[process.argv[2]]();
