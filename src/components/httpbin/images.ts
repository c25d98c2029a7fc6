/** The pictures of /image: drawn here, three bars. */
import { crc32, deflateSync } from "node:zlib";

const size = 96;
const colors = [
  [0x2f, 0x6f, 0xdd],
  [0xf2, 0xa1, 0x3b],
  [0x3c, 0xa5, 0x5c],
] as const;

export const svgImage = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">${colors
  .map(([red, green, blue], index) => {
    const width = size / colors.length;
    return `<rect x="${index * width}" width="${width}" height="${size}" fill="rgb(${red},${green},${blue})"/>`;
  })
  .join("")}</svg>\n`;

/** A PNG of eight bits per color (ISO/IEC 15948): header, one compressed block of rows, end. */
export function pngImage(): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const row = Array.from(
    { length: size },
    (_, x) => colors[Math.floor((x * colors.length) / size)] ?? colors[0],
  ).flat();
  const rows = Buffer.from(Array.from({ length: size }, () => [0, ...row]).flat());
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const bytes = Buffer.alloc(body.length + 8);
  bytes.writeUInt32BE(data.length, 0);
  bytes.set(body, 4);
  bytes.writeUInt32BE(crc32(body), body.length + 4);
  return bytes;
}
