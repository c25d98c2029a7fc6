/** Several processes' metrics as one page: Prometheus wants each family once, with all its samples together. */

export interface Exposition {
  /** Added to every sample, so that those of different processes differ. */
  readonly labels: Readonly<Record<string, string>>;
  /** In the text format 0.0.4. */
  readonly text: string;
}

interface Family {
  readonly head: string[];
  readonly samples: string[];
}

/** Families in the order in which they are met; HELP and TYPE are those of the first page that has them. */
export function mergeExpositions(pages: readonly Exposition[]): string {
  const families = new Map<string, Family>();
  for (const { labels, text } of pages) {
    const added = Object.entries(labels)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      .join(",");
    let family: Family | undefined;
    let isNew = false;
    let current = "";
    for (const line of text.split("\n")) {
      if (line === "") continue;
      const [, word, name] = /^# (HELP|TYPE) (\S+)/.exec(line) ?? [];
      if (word !== undefined && name !== undefined) {
        if (name !== current) {
          isNew = !families.has(name);
          family = families.get(name) ?? { head: [], samples: [] };
          families.set(name, family);
          current = name;
        }
        if (isNew) family?.head.push(line);
      } else if (!line.startsWith("#")) family?.samples.push(withLabels(line, added));
    }
  }
  return [...families.values()].map(({ head, samples }) => `${[...head, ...samples].join("\n")}\n`).join("");
}

/** `up 1` and `up{node="a"} 1` become `up{process="x"} 1` and `up{process="x",node="a"} 1`. */
function withLabels(sample: string, added: string): string {
  if (added === "") return sample;
  const brace = sample.indexOf("{");
  const space = sample.indexOf(" ");
  if (brace !== -1 && brace < space) {
    const separator = sample[brace + 1] === "}" ? "" : ",";
    return `${sample.slice(0, brace + 1)}${added}${separator}${sample.slice(brace + 1)}`;
  }
  return space === -1 ? sample : `${sample.slice(0, space)}{${added}}${sample.slice(space)}`;
}
