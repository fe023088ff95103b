// Answers operations with graphql-js and compares with the answers that came along. Reads JSON
// lines: {schema}, then {world}s, each followed by its {operation, answer}s. Prints what differs
// and, last, how many were the same. Ends with 0 when all were.
import { createInterface } from "node:readline";
import { buildSchema, execute, parse, validate } from "graphql";

class Told extends Error {} // an error that the data holds

let schema, world;
let asked = 0;
const different = [];

// written gives arguments as JSON, by name.
const written = (args) => JSON.stringify(Object.fromEntries(Object.keys(args).sort().map((k) => [k, args[k]])));

function value(v, args) {
  if (v.choices) {
    let sum = 0;
    for (const byte of Buffer.from(written(args))) sum += byte;
    v = v.choices[sum % v.choices.length];
  }
  if (v.error) throw new Told(v.error);
  if (v.echo) return v.leaf + written(args);
  if (v.object !== undefined) return world.objects[v.object];
  if (v.list || v.empty) return (v.list ?? []).map((e) => value(e, args));
  return v.leaf ?? null;
}

// root finds the object that a root argument names; null when there is none.
function root(type, argument) {
  const n = world.roots[type][Number(/[0-9]+$/.exec(argument)[0])];
  return n === undefined ? null : world.objects[n];
}

function must(object) {
  if (!object) throw new Told("Nothing there.");
  return object;
}

const roots = {
  experience: (a) => must(root("Experience", a.composition)),
  search: (a) => must(root("ResourceConnection", a.source)),
  routes: (a) => must(root("RouteConnection", a.channel)),
  more: (a) => root("ResourceConnection", a.cursor),
  route: (a) => root("RouteResult", a.path),
  resource: (a) => root("Resource", a.ref),
  resources: (a) => a.refs.map((r) => root("Resource", r)),
};

function answer({ query, operationName, variables }) {
  const document = parse(query);
  const errors = validate(schema, document);
  if (errors.length > 0) return { errors };
  return execute({
    schema,
    document,
    operationName,
    variableValues: variables,
    typeResolver: (object) => object.type,
    fieldResolver: (object, args, _, info) =>
      info.path.prev === undefined ? roots[info.fieldName](args) : value(object.fields[info.fieldName], args),
  });
}

// told gives where an error is and what it says; a null in a wrong place is told in many ways.
const told = (path, message) => JSON.stringify([path, message ?? "null"]);

// difference says what is not the same; "" when all is.
function difference(got, want) {
  if (!("data" in got) || !("data" in want)) return "not executed by both";
  if (JSON.stringify(got.data) !== JSON.stringify(want.data)) return "data";
  const theirs = (want.errors ?? []).map((e) => told(e.path, e.originalError instanceof Told ? e.message : null));
  const ours = (got.errors ?? []).map((e) => told(e.path, ["INTERNAL", "INVALID_VALUE"].includes(e.extensions.code) ? null : e.message));
  const missing = theirs.filter((e) => !ours.includes(e));
  // graphql-js stops at the first field at the top that takes everything with it; we go on with
  // the others, at once.
  const failed = want.errors?.at(-1)?.path?.[0];
  const more = ours.filter((e) => !theirs.includes(e) && !(want.data === null && JSON.parse(e)[0]?.[0] !== failed));
  if (missing.length > 0) return `without the errors ${missing}`;
  if (more.length > 0) return `with the errors ${more}`;
  return new Set(ours).size === ours.length ? "" : "an error is told twice";
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const next = JSON.parse(line);
  if (next.schema) schema = buildSchema(next.schema);
  if (next.world) world = next.world;
  if (!next.operation) continue;
  asked++;
  const want = answer(next.operation);
  const what = difference(JSON.parse(next.answer), want);
  if (what) different.push({ what, ...next, want });
}
for (const d of different.slice(0, 5)) {
  console.error(`${d.what}\n${d.operation.query}\n${JSON.stringify(d.operation)}\ngot  ${d.answer}\nwant ${JSON.stringify(d.want)}\n`);
}
console.log(`${asked - different.length} of ${asked} answers are those of graphql-js`);
process.exit(different.length === 0 && asked > 0 ? 0 : 1);
