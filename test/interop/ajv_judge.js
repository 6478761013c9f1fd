// SPDX-License-Identifier: Apache-2.0
// Two more opinions on JSON Schema draft 2020-12: ajv's, and the specification's read aloud (schema_literal.js). A line
// {"schema":...,"documents":[...]} in, a line out: {"ajv":[true,false,...],"literal":[...]}; {"failure":"why",...} where
// ajv does not compile the schema or does not survive a document.
"use strict";
const Ajv2020 = require("ajv/dist/2020").default;
const addFormats = require("ajv-formats").default;
const literal = require("./schema_literal");
const readline = require("readline");

const RENEWED_AFTER = 500; // an instance of ajv keeps something of each schema it has seen
let ajv, seen = RENEWED_AFTER;

// As the specification has it wherever ajv leaves a choice: properties are those an object itself has, unknown keywords
// and formats say nothing, formats are asserted in full, regular expressions have the flag u.
function isRegex(text) {
  try {
    new RegExp(text, "u");
    return true;
  } catch {
    return false;
  }
}

function isFormat(name, text) {
  const format = ajv.formats[name];
  if (!format || format === true) return true;
  const check = format.validate || format;
  return check instanceof RegExp ? check.test(text) : check(text);
}

function asked(schema, documents) {
  try {
    const validate = ajv.compile(schema);
    return { ajv: documents.map((document) => validate(document)) };
  } catch (error) {
    return { failure: String(error.message) };
  } finally {
    if (typeof schema === "object") ajv.removeSchema(schema);
  }
}

function judge({ schema, documents }) {
  if (seen++ >= RENEWED_AFTER) {
    ajv = new Ajv2020({ strict: false, logger: false, validateSchema: false, ownProperties: true, unicodeRegExp: true });
    addFormats(ajv, { mode: "full" });
    ajv.addFormat("regex", isRegex);
    seen = 0;
  }
  return { ...asked(schema, documents), literal: literal(schema, documents, isFormat) };
}

readline.createInterface({ input: process.stdin, terminal: false }).on("line", (line) => {
  process.stdout.write(JSON.stringify(judge(JSON.parse(line))) + "\n");
});
