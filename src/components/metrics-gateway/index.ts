export { createMetricsGateway, type MetricsSource } from "./gateway.ts";
export { createMetricsSocket, metricsSockets, readMetrics } from "./metrics-socket.ts";
