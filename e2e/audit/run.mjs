// Runs all server audits of graphql-http against one address, with a key, and prints what does
// not pass. Ends with 0 when all 61 pass.
//
//   node run.mjs http://127.0.0.1:4000/graphql tutti_server_…
import { serverAudits } from "graphql-http";

const [url, key] = process.argv.slice(2);
if (!url || !key) {
  console.error("usage: node run.mjs <address of the API> <key>");
  process.exit(2);
}
const expected = 61;
const audits = serverAudits({
  url,
  fetchFn: (address, options = {}) =>
    fetch(address, { ...options, headers: { ...options.headers, authorization: `Bearer ${key}` } }),
});
let passed = 0;
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status === "ok") {
    passed++;
    continue;
  }
  console.error(`${audit.id} ${audit.name}: ${result.reason} (status ${result.response?.status})`);
}
console.log(`${passed} of ${audits.length} audits of GraphQL over HTTP pass`);
if (audits.length !== expected) console.error(`expected ${expected} audits`);
process.exit(passed === audits.length && passed === expected ? 0 : 1);
