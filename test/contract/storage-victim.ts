/** The victim of storage-crash.test.ts: writes as fast as it can and prints each revision that was acknowledged. */
import { writeSync } from "node:fs";
import { openSqliteStore } from "../../src/storage/index.ts";

const [path = "", historySize = ""] = process.argv.slice(2);
const store = openSqliteStore(path, { history: { events: Number(historySize) } });

/** Waits where the reader is slow: the pipe does not block. */
function tell(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

async function write(writer: number): Promise<void> {
  const key = { resource: "configmaps", namespace: "default", name: `${process.pid}-${writer}` };
  let { revision } = await store.create(key, { metadata: { name: key.name } });
  for (let count = 0; ; count += 1) {
    tell(`${revision} ${key.name}`);
    if (count % 8 === 7) {
      // A name that goes and comes back; its deletion counts as a write, too.
      const gone = await store.delete(key, revision);
      tell(`${gone.revision} ${key.name} -`);
      revision = (await store.create(key, { metadata: { name: key.name } })).revision;
      continue;
    }
    const object = { metadata: { name: key.name, annotations: { count: String(count), text: "x".repeat(500) } } };
    revision = (await store.update(key, object, revision)).revision;
  }
}

await Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)));
