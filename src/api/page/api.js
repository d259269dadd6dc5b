// One question to the API, by a URL relative to the page, so that it works under any prefix.

import { send } from "./token.js";

const BASE = "../api/v1/";

/** The address of an answer. */
export const address = (route, query) => {
  const text = query.toString();
  return `${BASE}${route}${text && "?"}${text}`;
};

/** A problem that the daemon answered with, or that it could not be reached (status 0). */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? "the daemon does not answer");
    this.status = status;
    this.kind = body?.type ?? "";
  }
}

// The newest validator and body of each question; as many as are asked again and again.
const held = new Map();
const MAX_HELD = 8;

/** The body of an answer; the very object of last time when it is still the same. Throws a `Problem`. */
export async function ask(route, query, signal) {
  const url = address(route, query);
  const known = held.get(url);
  let answer;
  try {
    const headers = known ? { "If-None-Match": known.etag } : {};
    answer = await send(url, { headers, signal, cache: "no-store", credentials: "same-origin" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0);
  }
  if (answer.status === 304 && known) return known.body;
  const body = await answer.json().catch(() => null);
  if (!answer.ok || !body) throw new Problem(answer.status, body);
  held.delete(url);
  const etag = answer.headers.get("ETag");
  if (etag) held.set(url, { etag, body });
  if (held.size > MAX_HELD) held.delete(held.keys().next().value);
  return body;
}
