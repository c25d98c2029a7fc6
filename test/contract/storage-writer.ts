/** The victim of storage-crash.test.ts: writes as fast as it can and prints each revision that was acknowledged. */
import { writeSync } from "node:fs";
import { openSqliteStore } from "../../src/storage/index.ts";

const store = openSqliteStore(process.argv[2] ?? "", { history: { events: 64 } });

async function write(writer: number): Promise<void> {
  const key = { resource: "configmaps", namespace: "default", name: `${process.pid}-${writer}` };
  let { revision } = await store.create(key, { metadata: { name: key.name } });
  for (let count = 0; ; count += 1) {
    writeSync(1, `${revision} ${key.name}\n`);
    const object = { metadata: { name: key.name, annotations: { count: String(count), text: "x".repeat(500) } } };
    revision = (await store.update(key, object, revision)).revision;
  }
}

await Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)));
