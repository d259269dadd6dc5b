// Globs that mean one thing and nothing else, whatever it is called.

/** What is special in a glob, or refused there. */
const SPECIAL = /[*[\]{}]/g;

/** A glob for an id alone. */
export const literal = (id) => id.replace(SPECIAL, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** The namespace that a node is the group of, as a glob; `null` where it is none. */
export const groupedNamespace = (node) => (node.type === "namespace" ? literal(node.id.slice(node.id.indexOf(":") + 1)) : null);

/** Globs that hide a node. Filters are about services, so a group goes with all of its own. */
export function hiding(node) {
  const namespace = groupedNamespace(node);
  if (namespace !== null) return [`${namespace}/*`];
  if (node.type !== "dimension") return [literal(node.id)];
  // In ids of services as `;key=value`, last or between others, with a namespace or without.
  const pair = literal(node.id.replace(":", "="));
  return ["*", "*/*"].flatMap((service) => [`${service};${pair}`, `${service};${pair};*`]);
}
