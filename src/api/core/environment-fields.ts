/** The fields of a pod that its containers' environment may name: upstream's, as keys. */
export const environmentFields: Readonly<Record<string, true>> = {
  "metadata.annotations": true,
  "metadata.labels": true,
  "metadata.name": true,
  "metadata.namespace": true,
  "metadata.uid": true,
  "spec.nodeName": true,
  "spec.restartPolicy": true,
  "spec.schedulerName": true,
  "spec.serviceAccountName": true,
  "status.hostIP": true,
  "status.hostIPs": true,
  "status.phase": true,
  "status.podIP": true,
  "status.podIPs": true,
};
