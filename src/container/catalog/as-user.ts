/** Servers that change to a user of their own, where the cluster runs without root and has only user 0. */

const signals = ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH"];

/**
 * A shell script to stand before `program`: runs it in a user namespace of its own in which it already is the user, so
 * that it has nobody to change to. As a container's first process it stays outside and passes signals on, because exec
 * enters the first process's user namespace.
 */
export function asUserScript(program: string, userId: number): string {
  const command = `unshare --user --map-user=${userId} --map-group=${userId} ${program}`;
  return `#!/bin/sh
[ $$ = 1 ] || exec ${command} "$@"
${command} "$@" &
child=$!
for signal in ${signals.join(" ")}; do trap "kill -$signal $child" $signal; done
while :; do
    wait $child
    code=$?
    kill -0 $child 2>/dev/null || break
done
# A wait that a signal interrupted has told the signal, not the end.
wait $child 2>/dev/null
last=$?
[ $last = 127 ] || code=$last
exit $code
`;
}
