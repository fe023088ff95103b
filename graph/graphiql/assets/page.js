// GraphiQL with a key and a visitor token that stay in this tab's session.
"use strict";

const field = (id) => document.getElementById(id);
const root = ReactDOM.createRoot(field("graphiql"));

const example = `# Everything that this key may ask for is in the documentation at the left.
query Arrival {
  experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "web") {
    title
    components { type component props }
    problems { path code message }
  }
}
`;

function headers(extra) {
  const all = { "Content-Type": "application/json", Accept: "application/graphql-response+json", ...extra };
  const key = sessionStorage.getItem("tutti.key");
  const visitor = sessionStorage.getItem("tutti.visitor");
  if (key) all.Authorization = `Bearer ${key}`;
  if (visitor) all["Tutti-Visitor"] = visitor;
  return all;
}

async function fetcher(operation, options) {
  const answer = await fetch("/graphql", { method: "POST", headers: headers(options && options.headers), body: JSON.stringify(operation) });
  const result = await answer.json();
  const first = result.errors && result.errors[0];
  const wrong = first && first.extensions && first.extensions.code === "UNAUTHENTICATED";
  field("note").textContent = wrong ? first.message : "";
  return result;
}

let times = 0;

// show draws GraphiQL anew, so that it asks for the schema with the present key.
function show() {
  if (!sessionStorage.getItem("tutti.key")) return;
  field("note").textContent = "";
  times++;
  root.render(React.createElement(GraphiQL, { key: times, fetcher, defaultQuery: example, storage: sessionStorage }));
}

field("who").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("tutti.key", field("key").value.trim());
  sessionStorage.setItem("tutti.visitor", field("visitor").value.trim());
  show();
});

// An address with #key=… brings the key; it is taken out of the address, so that it is not shared by accident.
const brought = new URLSearchParams(location.hash.slice(1)).get("key");
if (brought) {
  sessionStorage.setItem("tutti.key", brought);
  history.replaceState(null, "", location.pathname);
}
field("key").value = sessionStorage.getItem("tutti.key") || "";
field("visitor").value = sessionStorage.getItem("tutti.visitor") || "";
show();
