/** The documents httpbin serves as samples, with words of our own. */

/** @param paths - What to list. */
export function frontPage(paths: readonly string[]): string {
  const items = paths.map((path) => `        <li><code>${path}</code></li>`).join("\n");
  return `<!DOCTYPE html>
<html lang="en">

<head>
    <meta charset="UTF-8">
    <title>httpbin.org</title>
</head>

<body>
    <h1>httpbin.org</h1>
    <p>A simple HTTP request and response service, answered by netloom.</p>
    <ul>
${items}
    </ul>
</body>

</html>
`;
}

export const samplePage = `<!DOCTYPE html>
<html>
  <head>
  </head>
  <body>
      <h1>Herman Melville - Moby-Dick</h1>
      <div>
        <p>
          Call me Ishmael. Some years ago, never mind how long precisely, having little or no money in my purse, and
          nothing particular to interest me on shore, I thought I would sail about a little and see the watery part of
          the world.
        </p>
      </div>
  </body>
</html>
`;

export const sampleXml = `<?xml version='1.0' encoding='us-ascii'?>
<slideshow title="Sample Slide Show" date="Date of publication" author="Yours Truly">
    <slide type="all">
      <title>Wake up to WonderWidgets!</title>
    </slide>
    <slide type="all">
        <title>Overview</title>
        <item>Why <em>WonderWidgets</em> are great</item>
        <item/>
        <item>Who <em>buys</em> WonderWidgets</item>
    </slide>
</slideshow>
`;

export const sampleJson = {
  slideshow: {
    author: "Yours Truly",
    date: "date of publication",
    slides: [
      { title: "Wake up to WonderWidgets!", type: "all" },
      {
        items: ["Why <em>WonderWidgets</em> are great", "Who <em>buys</em> WonderWidgets"],
        title: "Overview",
        type: "all",
      },
    ],
    title: "Sample Slide Show",
  },
};

export const robots = "User-agent: *\nDisallow: /deny\n";
export const denied = "YOU SHOULDN'T BE HERE\n";
export const teapot =
  '\n    -=[ teapot ]=-\n\n       _...._\n     .\'  _ _ `.\n    | ."` ^ `". _,\n    \\_;`"---"`|//\n      |       ;/\n      \\_     _/\n        `"""`\n';
export const unicodeSample = `<h1>Unicode Demo</h1>\n<pre>\ndeutsch: Grüße, Äpfel, Straße\nΕλληνικά: καλημέρα\nрусский: привет\n中文: 你好\n日本語: こんにちは\nmath: ∑ ∫ √ ≠ ≤ ∞\n</pre>\n`;
