/** The machine's nginx, laid out like the official image: pages in /usr/share/nginx/html, conf.d, logs on the container's streams. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { asUserScript } from "./as-user.ts";
import { imageConfig, type CatalogContext, type CatalogEntry } from "./entry.ts";
import { withUser, writeLayer } from "./layer.ts";
import { toolOutput } from "./tool-output.ts";

const html = "usr/share/nginx/html";
const userId = 101;
/** In front of the program in PATH. */
const wrapper = "usr/local/sbin/nginx";

export const nginx: CatalogEntry = {
  names: ["docker.io/library/nginx", "registry.k8s.io/e2e-test-images/nginx"],
  version: ({ toolsDir }) => /nginx\/(\d+\.\d+\.\d+)/.exec(toolOutput("nginx", toolsDir, ["-v"]))?.[1],
  title: "nginx",
  config: () => imageConfig({ command: ["nginx", "-g", "daemon off;"], stopSignal: "SIGQUIT" }),
  base: "machine",
  mounts: () => [],
  makeLayer(folder, context) {
    writeLayer(folder, {
      ...withUser({ name: "nginx", id: userId, home: "/nonexistent" }),
      "etc/nginx/nginx.conf": { text: context.isRootless ? mainConfig.replace(/^user .*\n/, "") : mainConfig },
      "etc/nginx/conf.d/default.conf": {
        text: context.hasIpv6 ? serverConfig : serverConfig.replace(/^ *listen \[::\].*\n/m, ""),
      },
      "etc/nginx/mime.types": { text: fromMachine(context, "etc/nginx/mime.types") ?? mimeTypes },
      [`${html}/index.html`]: { text: fromMachine(context, `${html}/index.html`) ?? welcomePage },
      [`${html}/50x.html`]: { text: errorPage },
      "var/log/nginx/access.log": { link: "/dev/stdout" },
      "var/log/nginx/error.log": { link: "/dev/stderr" },
      "var/cache/nginx/.keep": { text: "" },
      "var/lib/nginx/.keep": { text: "" },
      ...(context.isRootless ? { [wrapper]: { text: asUserScript("/usr/sbin/nginx", userId), mode: 0o755 } } : {}),
    });
  },
};

const mainConfig = `user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;

events {
    worker_connections 1024;
}

http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                    '$status $body_bytes_sent "$http_referer" '
                    '"$http_user_agent" "$http_x_forwarded_for"';
    access_log /var/log/nginx/access.log main;
    client_body_temp_path /var/cache/nginx/client_temp;
    proxy_temp_path /var/cache/nginx/proxy_temp;
    fastcgi_temp_path /var/cache/nginx/fastcgi_temp;
    uwsgi_temp_path /var/cache/nginx/uwsgi_temp;
    scgi_temp_path /var/cache/nginx/scgi_temp;
    sendfile on;
    keepalive_timeout 65;
    include /etc/nginx/conf.d/*.conf;
}
`;

const serverConfig = `server {
    listen 80;
    listen [::]:80;
    server_name localhost;

    location / {
        root /usr/share/nginx/html;
        index index.html index.htm;
    }

    error_page 500 502 503 504 /50x.html;
    location = /50x.html {
        root /usr/share/nginx/html;
    }
}
`;

const welcomePage = `<!DOCTYPE html>
<html>
<head><title>Welcome to nginx!</title></head>
<body>
<h1>Welcome to nginx!</h1>
<p>The nginx web server runs and serves this page from /usr/share/nginx/html.</p>
</body>
</html>
`;

const errorPage = `<!DOCTYPE html>
<html>
<head><title>Error</title></head>
<body><h1>An error occurred.</h1></body>
</html>
`;

/** Where the package with nginx's own table is missing. */
const mimeTypes = `types {
    text/html html htm;
    text/css css;
    text/plain txt;
    text/xml xml;
    application/javascript js;
    application/json json;
    application/wasm wasm;
    image/gif gif;
    image/jpeg jpeg jpg;
    image/png png;
    image/svg+xml svg svgz;
    image/webp webp;
    image/x-icon ico;
    font/woff woff;
    font/woff2 woff2;
}
`;

function fromMachine({ toolsDir }: CatalogContext, path: string): string | undefined {
  const found = [join("/", path), join(toolsDir, path)].find((candidate) => existsSync(candidate));
  return found === undefined ? undefined : readFileSync(found, "utf8");
}
