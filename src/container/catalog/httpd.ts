/** The machine's Apache, laid out like the official image: pages in /usr/local/apache2/htdocs, logs on the container's streams. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { asUserScript } from "./as-user.ts";
import { imageConfig, type CatalogContext, type CatalogEntry } from "./entry.ts";
import { writeLayer } from "./layer.ts";
import { toolOutput } from "./tool-output.ts";

const prefix = "usr/local/apache2";
const modules = [
  "mpm_event",
  "authn_core",
  "authz_core",
  "authz_host",
  "access_compat",
  "filter",
  "mime",
  "env",
  "headers",
  "setenvif",
  "status",
  "autoindex",
  "dir",
  "alias",
  "rewrite",
  "reqtimeout",
  "proxy",
  "proxy_http",
];

export const httpd: CatalogEntry = {
  names: ["docker.io/library/httpd", "registry.k8s.io/e2e-test-images/httpd"],
  version: ({ toolsDir }) => /Apache\/(\d+\.\d+\.\d+)/.exec(toolOutput("apache2", toolsDir, ["-v"]))?.[1],
  title: "httpd",
  config: () =>
    imageConfig({
      command: ["httpd-foreground"],
      env: ["HTTPD_PREFIX=/usr/local/apache2"],
      workingDir: "/usr/local/apache2",
      stopSignal: "SIGWINCH",
    }),
  base: "machine",
  mounts: () => [],
  makeLayer(folder, context) {
    writeLayer(folder, {
      [`${prefix}/htdocs/index.html`]: { text: "<html><body><h1>It works!</h1></body></html>\n" },
      [`${prefix}/conf/httpd.conf`]: { text: config(context) },
      [`${prefix}/conf/mime.types`]: { link: "/etc/mime.types" },
      [`${prefix}/conf/extra/.keep`]: { text: "" },
      [`${prefix}/logs/.keep`]: { text: "" },
      [`${prefix}/cgi-bin/.keep`]: { text: "" },
      [`${prefix}/modules`]: { link: "/usr/lib/apache2/modules" },
      "usr/local/bin/httpd": { text: program(context), mode: 0o755 },
      "usr/local/bin/httpd-foreground": { text: foreground, mode: 0o755 },
    });
  },
};

const foreground = `#!/bin/sh
set -e
rm -f /usr/local/apache2/logs/httpd.pid
exec httpd -DFOREGROUND "$@"
`;

/** Apache refuses to serve as root: rootless, it is www-data in a user namespace of its own. */
function program({ isRootless }: CatalogContext): string {
  const command = "/usr/sbin/apache2 -f /usr/local/apache2/conf/httpd.conf";
  return isRootless ? asUserScript(command, 33) : `#!/bin/sh\nexec ${command} "$@"\n`;
}

function config({ toolsDir, isRootless }: CatalogContext): string {
  const has = (name: string): boolean =>
    ["/", toolsDir].some((root) => existsSync(join(root, `usr/lib/apache2/modules/mod_${name}.so`)));
  return `ServerRoot "/usr/local/apache2"
${modules
  .filter(has)
  .map((name) => `LoadModule ${name}_module modules/mod_${name}.so\n`)
  .join("")}
Listen 80
ServerName localhost
${isRootless ? "" : "User www-data\nGroup www-data\n"}ServerAdmin you@example.com
PidFile logs/httpd.pid
DefaultRuntimeDir logs

<Directory />
    AllowOverride none
    Require all denied
</Directory>

DocumentRoot "/usr/local/apache2/htdocs"
<Directory "/usr/local/apache2/htdocs">
    Options Indexes FollowSymLinks
    AllowOverride None
    Require all granted
</Directory>

DirectoryIndex index.html
<Files ".ht*">
    Require all denied
</Files>

ErrorLog /proc/self/fd/2
LogLevel warn
LogFormat "%h %l %u %t \\"%r\\" %>s %b" common
CustomLog /proc/self/fd/1 common
TypesConfig conf/mime.types
`;
}
