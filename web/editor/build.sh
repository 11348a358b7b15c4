#!/usr/bin/env sh
# Bundle the editor of the query page into ../vendor/, with the licenses of its parts: the same bytes every time.
# Needs node and npm, and the network once, for the packages of package-lock.json. --check compares and changes nothing.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp package.json package-lock.json editor.mjs "$work"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --silent)
"$work/node_modules/.bin/esbuild" "$work/editor.mjs" --bundle --minify --format=esm --target=es2022 --charset=utf8 \
  --legal-comments=none --log-level=warning --metafile="$work/meta.json" --outfile="$work/codemirror.mjs"
node --input-type=module - "$work" > "$work/LICENSES.txt" <<'JS'
import { readFileSync } from "node:fs";
const work = process.argv[2];
const inputs = Object.keys(JSON.parse(readFileSync(`${work}/meta.json`, "utf8")).inputs);
const named = inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean);
console.log("Licenses of what codemirror.mjs is made of\n");
for (const name of [...new Set(named)].sort()) {
  const { version, license } = JSON.parse(readFileSync(`${work}/node_modules/${name}/package.json`, "utf8"));
  console.log(`== ${name} ${version} (${license})\n\n${readFileSync(`${work}/node_modules/${name}/LICENSE`, "utf8").trim()}\n`);
}
JS
for file in codemirror.mjs LICENSES.txt; do
  if [ "${1:-}" = --check ]; then cmp "$work/$file" "../vendor/$file"; else cp "$work/$file" "../vendor/$file"; fi
done
