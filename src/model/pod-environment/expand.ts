/**
 * Replaces `$(NAME)` in commands, arguments and values. `$$` stands for a dollar sign, so `$$(NAME)` is kept as
 * `$(NAME)`; what `lookUp` does not know stays as it was written.
 */
export function expandVariables(text: string, lookUp: (name: string) => string | undefined): string {
  // A reference ends at the first ")"; an unclosed one is plain text.
  return text.replaceAll(/\$(?:\$|\(([^)]*)\))/g, (written, name: string | undefined) => {
    if (name === undefined) return "$";
    return lookUp(name) ?? written;
  });
}
