// SPDX-License-Identifier: Apache-2.0
// How fast ajv validates (bench/schema_bench.c asks). The first line of stdin is a JSON array of
// {text, schema, envelope, payload}: a document, its payload's schema, the envelope's (or null), and where the payload
// stands in it ("" is the whole document). Each further line is the number of one of them; the answer is one line,
// nanoseconds per document of JSON.parse with validation and of validation alone. A document is warmed up when it is
// asked for the first time.
'use strict';
const Ajv = require('ajv/dist/2020').default;
const addFormats = require('ajv-formats').default;

const WARM_MS = 200, TRIES = 5, TRY_MS = 0.5;
let cases = null;

function prepare({text, schema, envelope, payload}) {
  const ajv = new Ajv({strict: false});
  addFormats(ajv);
  const checkPayload = ajv.compile(schema);
  const member = payload.slice(1);
  let check = checkPayload;
  if (envelope) {
    const checkEnvelope = ajv.compile(envelope);
    check = (event) => checkEnvelope(event) && checkPayload(event[member]);
  }
  const event = JSON.parse(text);
  return {
    both: {once: () => check(JSON.parse(text)), loops: 1},
    alone: {once: () => check(event), loops: 1},
  };
}

// The best of a few short tries: on a busy machine most of them are not interrupted.
function round(measured) {
  return Math.min(...Array.from({length: TRIES}, () => attempt(measured)));
}

function attempt(measured) {
  const {once, loops} = measured;
  let valid = 0;
  const start = process.hrtime.bigint();
  for (let i = 0; i < loops; i++) valid += once() ? 1 : 0;
  const ns = Number(process.hrtime.bigint() - start);
  if (valid !== loops) throw new Error('ajv finds a document invalid');
  measured.loops = Math.max(1, Math.ceil(loops * Math.min(10, TRY_MS * 1e6 / ns)));
  return ns / loops;
}

function warm(measured) {
  const end = process.hrtime.bigint() + BigInt(WARM_MS) * 1000000n;
  while (process.hrtime.bigint() < end) round(measured);
}

function answer(made) {
  if (!made.warm) {
    warm(made.both);
    warm(made.alone);
    made.warm = true;
  }
  process.stdout.write(`${round(made.both)} ${round(made.alone)}\n`);
}

require('readline').createInterface({input: process.stdin}).on('line', (line) => {
  if (cases) answer(cases[Number(line)]);
  else cases = JSON.parse(line).map(prepare);
});
