/** `netloom completion SHELL`: scripts that ask netloom itself, with `netloom __complete WORDS`, what may follow. */
import { selfCommand } from "./self.ts";

export type Shell = "bash" | "zsh" | "fish";

/** Among the answers of `netloom __complete`: the shell offers files. */
export const filesMark = ":files";

/** With `npx netloom` behind an alias there is no such program in PATH: then the netloom that wrote the script answers. */
const self = `'${selfCommand.node}' '${selfCommand.entry}'`;

/** To be sourced: `source <(netloom completion bash)`, or `netloom completion fish | source`. */
export const completionScript: Readonly<Record<Shell, string>> = {
  // Bash breaks words at "=" and ":", and replaces what follows the last of them only.
  bash: `_netloom() {
  local line="\${COMP_LINE:0:COMP_POINT}" answer begun strip=
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  begun="\${words[-1]}"
  [[ $COMP_WORDBREAKS == *=* && $begun == *=* ]] && strip="\${begun%"\${begun##*=}"}"
  [[ $COMP_WORDBREAKS == *:* && $begun == *:* ]] && strip="\${begun%"\${begun##*:}"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r answer _; do
    if [[ $answer == ${filesMark} ]]; then compopt -o default; else COMPREPLY+=("\${answer#"$strip"}"); fi
  done < <(if type -P "\${words[0]}" >/dev/null; then "\${words[0]}" __complete "\${words[@]:1}"; else ${self} __complete "\${words[@]:1}"; fi 2>/dev/null)
}
complete -F _netloom netloom
`,
  zsh: `#compdef netloom
_netloom() {
  local -a asked answers
  local line
  if (( $+commands[\${words[1]}] )) || [[ -x \${words[1]} ]]; then asked=("\${words[1]}"); else asked=(${self}); fi
  for line in "\${(@f)$("\${(@)asked}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == ${filesMark} ]]; then _files
    elif [[ $line == *$'\\t'* ]]; then answers+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    elif [[ -n $line ]]; then answers+=("\${line//:/\\\\:}"); fi
  done
  (( $#answers )) && _describe -V netloom answers
}
if [[ $funcstack[1] == _netloom ]]; then
  _netloom "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit; compinit }
  compdef _netloom netloom
fi
`,
  fish: `function __netloom_complete
  set -l words (commandline -opc)
  set -l begun (commandline -ct)
  set -l asked $words[1]
  type -q $asked; or set asked ${self}
  for answer in ($asked __complete $words[2..-1] "$begun" 2>/dev/null)
    if test "$answer" = ${filesMark}
      __fish_complete_path "$begun"
    else
      echo -- $answer
    end
  end
end
complete -c netloom -f -a '(__netloom_complete)'
`,
};
