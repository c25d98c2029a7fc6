/** The API object that caused a rule, an element, a route or a record, so that a trace can name it. */
export interface Provenance {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** Which part of the object: "port http", "rule 2". */
  readonly detail?: string;
}

/** `Service default/web port http`. */
export function provenanceText(cause: Provenance): string {
  const name = cause.namespace === undefined ? cause.name : `${cause.namespace}/${cause.name}`;
  return cause.detail === undefined ? `${cause.kind} ${name}` : `${cause.kind} ${name} ${cause.detail}`;
}
