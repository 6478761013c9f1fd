// SPDX-License-Identifier: Apache-2.0
// JSON Schema draft 2020-12 read aloud: each keyword as the specification's sentence has it, without any thought of
// speed. The arbiter where weir and ajv disagree: nothing is decided before the document is there, and what was
// evaluated are plain sets. Numbers are JavaScript's, formats whatever isFormat says.
"use strict";

const own = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const typeOf = (value) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);
const length = (text) => [...text].length;

function equal(a, b) {
  if (typeOf(a) !== typeOf(b)) return false;
  if (Array.isArray(a)) return a.length === b.length && a.every((item, i) => equal(item, b[i]));
  if (!isObject(a)) return a === b;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => own(b, name) && equal(a[name], b[name]));
}

const isType = (value, type) => (type === "integer" ? Number.isInteger(value) : typeOf(value) === type);

// Validation, sections 6.1 to 6.4: what only looks at the value.
const assertions = {
  type: (value, types) => [].concat(types).some((type) => isType(value, type)),
  enum: (value, values) => values.some((one) => equal(value, one)),
  const: equal,
  multipleOf: (value, divisor) => typeof value !== "number" || Number.isInteger(value / divisor),
  maximum: (value, limit) => typeof value !== "number" || value <= limit,
  exclusiveMaximum: (value, limit) => typeof value !== "number" || value < limit,
  minimum: (value, limit) => typeof value !== "number" || value >= limit,
  exclusiveMinimum: (value, limit) => typeof value !== "number" || value > limit,
  maxLength: (value, limit) => typeof value !== "string" || length(value) <= limit,
  minLength: (value, limit) => typeof value !== "string" || length(value) >= limit,
  pattern: (value, pattern) => typeof value !== "string" || new RegExp(pattern, "u").test(value),
  maxItems: (value, limit) => !Array.isArray(value) || value.length <= limit,
  minItems: (value, limit) => !Array.isArray(value) || value.length >= limit,
  uniqueItems: (value, unique) =>
    !unique || !Array.isArray(value) || value.every((item, i) => !value.slice(0, i).some((one) => equal(item, one))),
  maxProperties: (value, limit) => !isObject(value) || Object.keys(value).length <= limit,
  minProperties: (value, limit) => !isObject(value) || Object.keys(value).length >= limit,
  required: (value, names) => !isObject(value) || names.every((name) => own(value, name)),
  dependentRequired: (value, rules) =>
    !isObject(value) ||
    Object.keys(rules).every((name) => !own(value, name) || rules[name].every((other) => own(value, other))),
};

// Every schema with the resource it belongs to; resources by URI, their anchors by name.
function index(root) {
  const resources = new Map(), owners = new Map();
  (function walk(schema, resource) {
    if (typeof schema !== "object" || schema === null) return;
    if (!resource || typeof schema.$id === "string") {
      resource = { root: schema, uri: new URL(schema.$id || "", resource ? resource.uri : "https://example.org/").href,
                   anchors: new Map(), dynamic: new Map() };
      resources.set(resource.uri, resource);
    }
    owners.set(schema, resource);
    for (const keyword of ["$anchor", "$dynamicAnchor"])
      if (typeof schema[keyword] === "string") resource.anchors.set(schema[keyword], schema);
    if (typeof schema.$dynamicAnchor === "string") resource.dynamic.set(schema.$dynamicAnchor, schema);
    for (const keyword of Object.keys(schema))
      if (keyword !== "enum" && keyword !== "const") walk(schema[keyword], resource);
  })(root, null);
  return { resources, owners };
}

class Literal {
  constructor(root, isFormat) {
    this.root = root;
    this.isFormat = isFormat;
    Object.assign(this, index(root));
  }

  valid(document) {
    return this.evaluate(this.root, document, [this.owners.get(this.root)]).valid;
  }

  // Core 8.2.3: the schema a reference names, and whether it was by a dynamic anchor.
  find(reference, resource) {
    const url = new URL(reference, resource.uri), fragment = decodeURIComponent(url.hash.slice(1));
    url.hash = "";
    const target = this.resources.get(url.href);
    if (fragment === "") return { schema: target.root, target };
    if (fragment[0] !== "/") return { schema: target.anchors.get(fragment), target, dynamic: target.dynamic.has(fragment), fragment };
    const schema = fragment.slice(1).split("/").reduce((at, part) => at[part.replace(/~1/g, "/").replace(/~0/g, "~")], target.root);
    return { schema, target: this.owners.get(schema) || target };
  }

  // { valid, names, items }: what core 10.3 and 11 call the annotations; none where the schema fails.
  evaluate(schema, value, scope) {
    const names = new Set(), items = new Set();
    if (typeof schema === "boolean") return { valid: schema, names, items };
    const resource = this.owners.get(schema);
    if (scope[scope.length - 1] !== resource) scope = [...scope, resource];
    const same = (below) => {
      const result = this.evaluate(below, value, scope);
      if (result.valid) {
        result.names.forEach((name) => names.add(name));
        result.items.forEach((item) => items.add(item));
      }
      return result.valid;
    };
    const part = (below, child) => this.evaluate(below, child, scope).valid;
    const has = (keyword) => own(schema, keyword);
    let valid = Object.keys(assertions).every((keyword) => !has(keyword) || assertions[keyword](value, schema[keyword]));
    if (has("format") && typeof value === "string") valid = this.isFormat(schema.format, value) && valid;
    valid = this.references(schema, resource, scope, same) && valid;
    valid = this.logic(schema, value, same) && valid;
    if (has("not")) valid = !part(schema.not, value) && valid;
    if (isObject(value)) valid = this.members(schema, value, names, part) && valid;
    if (Array.isArray(value)) valid = this.elements(schema, value, items, part) && valid;
    return valid ? { valid, names, items } : { valid, names: new Set(), items: new Set() };
  }

  references(schema, resource, scope, same) {
    let valid = true;
    if (own(schema, "$ref")) valid = same(this.find(schema.$ref, resource).schema);
    if (own(schema, "$dynamicRef")) {
      let { schema: target, dynamic, fragment } = this.find(schema.$dynamicRef, resource);
      if (dynamic) target = scope.find((entered) => entered.dynamic.has(fragment)).dynamic.get(fragment);
      valid = same(target) && valid;
    }
    return valid;
  }

  // Core 10.2. All branches are looked at: each that holds may have evaluated something.
  logic(schema, value, same) {
    let valid = true;
    const count = (branches) => branches.map(same).filter(Boolean).length;
    if (own(schema, "allOf")) valid = count(schema.allOf) === schema.allOf.length && valid;
    if (own(schema, "anyOf")) valid = count(schema.anyOf) > 0 && valid;
    if (own(schema, "oneOf")) valid = count(schema.oneOf) === 1 && valid;
    if (own(schema, "if")) {
      const next = same(schema.if) ? "then" : "else";
      if (own(schema, next)) valid = same(schema[next]) && valid;
    }
    if (own(schema, "dependentSchemas") && isObject(value))
      for (const name of Object.keys(schema.dependentSchemas))
        if (own(value, name)) valid = same(schema.dependentSchemas[name]) && valid;
    return valid;
  }

  // Core 10.3.2 and 11.3.
  members(schema, value, names, part) {
    let valid = true;
    const check = (name, below) => {
      valid = part(below, value[name]) && valid;
      names.add(name);
    };
    const described = new Set();
    for (const name of Object.keys(value)) {
      if (own(schema, "propertyNames")) valid = part(schema.propertyNames, name) && valid;
      if (own(schema, "properties") && own(schema.properties, name)) {
        check(name, schema.properties[name]);
        described.add(name);
      }
      for (const pattern of Object.keys(schema.patternProperties || {}))
        if (new RegExp(pattern, "u").test(name)) {
          check(name, schema.patternProperties[pattern]);
          described.add(name);
        }
      if (own(schema, "additionalProperties") && !described.has(name)) check(name, schema.additionalProperties);
    }
    if (own(schema, "unevaluatedProperties"))
      for (const name of Object.keys(value)) if (!names.has(name)) check(name, schema.unevaluatedProperties);
    return valid;
  }

  // Core 10.3.1 and 11.2.
  elements(schema, value, items, part) {
    let valid = true;
    const prefix = schema.prefixItems || [];
    const check = (i, below) => {
      valid = part(below, value[i]) && valid;
      items.add(i);
    };
    value.forEach((item, i) => {
      if (i < prefix.length) check(i, prefix[i]);
      else if (own(schema, "items")) check(i, schema.items);
    });
    if (own(schema, "contains")) {
      const found = value.map((item, i) => i).filter((i) => part(schema.contains, value[i]));
      found.forEach((i) => items.add(i));
      const least = own(schema, "minContains") ? schema.minContains : 1;
      const most = own(schema, "maxContains") ? schema.maxContains : Infinity;
      valid = found.length >= least && found.length <= most && valid;
    }
    if (own(schema, "unevaluatedItems"))
      value.forEach((item, i) => !items.has(i) && check(i, schema.unevaluatedItems));
    return valid;
  }
}

module.exports = (schema, documents, isFormat) => {
  if (typeof schema === "boolean") return documents.map(() => schema);
  const literal = new Literal(schema, isFormat);
  return documents.map((document) => literal.valid(document));
};
