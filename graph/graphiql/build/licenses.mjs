// Prints the licences of all packages that may stand in the ready-made files.
import { readdirSync, readFileSync, existsSync } from "node:fs";
import { join } from "node:path";

const folders = readdirSync("node_modules", { withFileTypes: true })
  .filter((d) => d.isDirectory() && !d.name.startsWith("."))
  .flatMap((d) => (d.name.startsWith("@") ? readdirSync(join("node_modules", d.name)).map((n) => join(d.name, n)) : [d.name]))
  .filter((name) => !name.startsWith("@types/") && existsSync(join("node_modules", name, "package.json")))
  .sort();
const byText = new Map();
for (const name of folders) {
  const dir = join("node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
  const file = readdirSync(dir).find((f) => /^licen[cs]e/i.test(f));
  const text = file ? readFileSync(join(dir, file), "utf8").trim() : `${license}; the package holds no text of it.`;
  byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`]);
}
for (const [text, packages] of byText) console.log(`${packages.join("\n")}\n\n${text}\n\n${"-".repeat(80)}\n`);
