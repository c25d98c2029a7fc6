/**
 * Node's own modules without what their ECMAScript form costs. `import { request } from "node:http"` reads every property
 * of the module, and some are getters that load a library of their own: undici with `http.WebSocket` (35 ms of CPU time,
 * 14 MB), standard input with `process.stdin`, promises and streams with `node:fs`. `process.getBuiltinModule` reads none.
 */

/** A statement as esbuild writes it; names may stand on lines of their own. */
const statement = /^import ([^;"']+?) from "(node:[\w/]+)";$/gm;

/** The text of a bundled file with those imports taken directly. Throws for a form of import that it does not know. */
export function withLeanBuiltins(text: string): string {
  return text.replaceAll(statement, (_, clause: string, module: string) => {
    const source = `process.getBuiltinModule("${module}")`;
    return declarations(clause.trim(), source).join(" ");
  });
}

/** "a, { b, c as d }", "* as e", or one of the parts. */
function declarations(clause: string, source: string): readonly string[] {
  const parts = /^(?:(?<whole>[\w$]+))?(?:, )?(?:\* as (?<all>[\w$]+)|(?<names>\{[^}]*\}))?$/.exec(clause)?.groups;
  if (parts === undefined) throw new Error(`Cannot bundle "import ${clause}": only names, a default and * are known`);
  const { whole, all, names } = parts;
  return [
    ...[whole, all].filter((name) => name !== undefined).map((name) => `const ${name} = ${source};`),
    ...(names === undefined ? [] : [`const ${names.replaceAll(/ as /g, ": ")} = ${source};`]),
  ];
}
