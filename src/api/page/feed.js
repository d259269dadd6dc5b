// The graph as it changes: server-sent events, and where there is no room for one more stream, asking every few seconds.
// Says all the time how fresh what it gave is.

import { address, ask, Problem } from "./api.js";
import { bearing } from "./token.js";

const EVERY_S = 2;
const POLL_MS = 5000;
/** While the daemon has nothing yet, it soon will. */
const SOON_MS = 1000;
/** Questions until the stream is tried again. */
const RETRY_AFTER = 3;
/** Without an event for so long the view is called stale. */
const STALE_MS = 12000;

export class Feed {
  #source = null;
  #timer = null;
  #abort = null;
  #last = 0;
  #mode = "waiting";
  #polls = 0;

  /** `hear` has `snapshot(body)`, `delta(body)`, `problem(problem)` and `status(mode, at)`. */
  constructor(hear) {
    this.hear = hear;
    setInterval(() => this.#look(), 1000);
  }

  /** Follows another question; with a time in it there is one answer only. */
  open(query) {
    this.close();
    this.query = query;
    this.#abort = new AbortController();
    if (query.has("at")) this.#once();
    else this.#stream();
  }

  close() {
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#timer);
    this.#abort?.abort();
  }

  #say(mode) {
    this.#mode = mode;
    this.hear.status(mode, this.#last);
  }

  #heard(mode, kind, body) {
    this.#last = Date.now();
    this.#say(mode);
    this.hear[kind](body);
  }

  #look() {
    const old = Date.now() - this.#last > STALE_MS;
    if (old && ["live", "asking"].includes(this.#mode)) this.#say("stale");
    else this.hear.status(this.#mode, this.#last);
  }

  #stream() {
    if (bearing()) return void this.#poll();
    const query = new URLSearchParams(this.query);
    query.set("every", `${EVERY_S}s`);
    const source = new EventSource(address("stream", query));
    this.#source = source;
    source.addEventListener("snapshot", (event) => this.#heard("live", "snapshot", JSON.parse(event.data)));
    source.addEventListener("delta", (event) => this.#heard("live", "delta", JSON.parse(event.data)));
    source.addEventListener("problem", () => this.#poll());
    source.addEventListener("error", () => {
      if (this.#source !== source) return;
      // Refused: no room, or nothing to say. The answer to the plain question tells which.
      if (source.readyState === EventSource.CLOSED) this.#poll();
      else this.#say("reconnecting");
    });
  }

  async #poll() {
    this.#source?.close();
    this.#source = null;
    const { signal } = this.#abort;
    let wait = POLL_MS;
    try {
      this.#heard("asking", "snapshot", await ask("topology", this.query, signal));
    } catch (problem) {
      if (signal.aborted) return;
      wait = this.#failed(problem);
    }
    if (signal.aborted || wait === null) return;
    this.#polls += 1;
    const again = this.#polls % RETRY_AFTER === 0 || wait === SOON_MS;
    this.#timer = setTimeout(() => (again ? this.#stream() : this.#poll()), wait);
  }

  async #once() {
    const { signal } = this.#abort;
    try {
      this.#heard("paused", "snapshot", await ask("topology", this.query, signal));
    } catch (problem) {
      if (!signal.aborted) this.#failed(problem);
      const unreachable = !signal.aborted && problem.status === 0;
      if (unreachable) this.#timer = setTimeout(() => this.#once(), POLL_MS);
    }
  }

  /** Milliseconds until asking again may help; `null` where it cannot. */
  #failed(problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 0) {
      this.#say("reconnecting");
      return POLL_MS;
    }
    this.#say(this.query.has("at") ? "paused" : "waiting");
    this.hear.problem(problem);
    if (problem.status === 503) return SOON_MS;
    return problem.status === 404 ? POLL_MS : null;
  }
}
