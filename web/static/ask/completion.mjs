// @ts-check
// What is completed in a query: keywords, variables, classes and properties of the dataset, and things by their labels.

/** @typedef {{label: string, type?: string, detail?: string, apply?: string, boost?: number}} Option */
/** @typedef {{iri: string, count: number}} Term */

const KEYWORDS = ("SELECT DISTINCT CONSTRUCT DESCRIBE ASK WHERE FROM GRAPH OPTIONAL UNION MINUS FILTER BIND VALUES " +
  "EXISTS NOT GROUP ORDER BY HAVING LIMIT OFFSET ASC DESC COUNT SUM AVG MIN MAX SAMPLE GROUP_CONCAT AS REGEX CONTAINS " +
  "STRSTARTS STR LANG DATATYPE BOUND COALESCE IF PREFIX BASE").split(" ");
const LEAST = 3;

/** @param {string} address @returns {Promise<any>} */
async function asked(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** @param {string} iri @param {[string, string][]} prefixes */
function written(iri, prefixes) {
  for (const [prefix, namespace] of prefixes) {
    const local = iri.startsWith(namespace) ? iri.slice(namespace.length) : "";
    if (/^[A-Za-z_][\w-]*$/.test(local)) return `${prefix}:${local}`;
  }
  return `<${iri}>`;
}

/** @param {string} address of the terms @param {Record<string, string>} known prefixes that need not be declared */
export function completion(address, known) {
  const terms = asked(address);
  /** @param {any} context what the editor passes */
  return async (context) => {
    const word = context.matchBefore(/[?$<]?[\w:/#.-]*/u);
    if (!word || (word.from === word.to && !context.explicit)) return null;
    const text = context.state.doc.toString();
    /** @type {[string, string][]} */
    const prefixes = Object.entries(known);
    for (const [, prefix, namespace] of text.matchAll(/PREFIX\s+([\w-]*):\s*<([^>]*)>/gi)) prefixes.unshift([prefix, namespace]);
    if (/^[?$]/.test(word.text)) {
      /** @type {Set<string>} */
      const names = new Set([...text.matchAll(/[?$]\w+/g)].map(([name]) => name));
      names.delete(word.text);
      return { from: word.from, options: [...names].map((label) => ({ label, type: "variable" })), validFor: /^[?$]\w*$/ };
    }
    const found = await terms;
    /** @type {Option[]} */
    const options = KEYWORDS.map((label) => ({ label, type: "keyword", boost: -1 }));
    for (const [kind, type] of [["classes", "class"], ["properties", "property"]]) {
      for (const { iri, count } of /** @type {Term[]} */ (found?.[kind] ?? [])) {
        const apply = written(iri, prefixes);
        // Nobody begins with the "<" of an IRI without a prefix: it is found by its last part.
        const local = apply.startsWith("<") && !word.text.startsWith("<") ? iri.replace(/[/#]+$/, "").replace(/^.*[/#:]/, "") : "";
        const detail = `${type}, ${count.toLocaleString("en")}${local ? `, ${iri}` : ""}`;
        options.push({ label: local || apply, type, apply, detail, boost: 1 });
      }
    }
    const bare = word.text.replace(/^</, "");
    if (bare.length >= LEAST && !bare.includes(":")) {
      const more = await asked(`${address}${address.includes("?") ? "&" : "?"}q=${encodeURIComponent(bare)}`);
      for (const { iri, label, kinds } of more?.things ?? []) {
        options.push({ label: label || iri, type: "text", detail: kinds.join(", ") || "thing", apply: written(iri, prefixes) });
      }
    }
    return { from: word.from, options };
  };
}
